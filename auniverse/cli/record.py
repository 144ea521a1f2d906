"""`auniverse record`: keep what a VNC server sends."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auniverse.errors import UsageError

if TYPE_CHECKING:
    from auniverse.recording import Captured

#: Seconds recorded if nothing else sets an end.
SECONDS = 10.0
#: Seconds between two looks at the live line.
LIVE = 0.25


def record(
    remote: Annotated[str, typer.Argument(help="Whose screen, such as vnc://host:5900.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, by habit *.fbs.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="The VNC server's bytes as they come. Required.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0, help=f"How long.  [default: {SECONDS:g}]")
    ] = None,
    encodings: Annotated[
        str, typer.Option(help="What to ask for: tight,zrle,quality=8,...; or local, lan, wan.")
    ] = "local",
    max_mb: Annotated[float | None, typer.Option(min=0, help="Megabytes to keep at most.")] = None,
    max_updates: Annotated[
        int | None, typer.Option(min=1, help="Updates to record at most.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object as stdout's last line.")
    ] = False,
) -> None:
    """Record what a VNC server sends, to be played again by tests and benchmarks.

    Ctrl-C ends the recording; the file is whole however it ends.
    """
    if not raw:
        raise UsageError("what is to be recorded? --raw keeps the VNC server's bytes")
    import asyncio

    from auniverse.address import parse_remotes
    from auniverse.recording import capture, parse_encodings

    remotes = parse_remotes(remote)
    if len(remotes) != 1 or remotes[0].vnc_port is None:
        raise UsageError(f"record takes one address with a VNC port, not {remote!r}")
    if seconds is None and max_mb is None and max_updates is None:
        seconds = SECONDS
    progress = Progress()
    try:
        asyncio.run(
            capture(
                remotes[0],
                output,
                encodings=parse_encodings(encodings),
                seconds=seconds,
                max_bytes=None if max_mb is None else round(max_mb * 1e6),
                max_updates=max_updates,
                watch=progress.watch,
            )
        )
    except KeyboardInterrupt:
        if progress.captured is None:
            raise
    finally:
        progress.clear()
    assert progress.captured is not None
    report(progress.captured, as_json)


class Progress:
    """One line on a terminal while it runs.

    Attributes:
        captured: How far it has come, None before the first bytes.
    """

    def __init__(self) -> None:
        self.captured: Captured | None = None
        self._live = sys.stderr.isatty()
        self._next_line = 0.0

    def watch(self, captured: Captured) -> None:
        """Show how it goes; see `capture`."""
        self.captured = captured
        if self._live and captured.seconds >= self._next_line:
            self._next_line = captured.seconds + LIVE
            line = f"{captured.seconds:6.1f} s  {captured.bytes / 1e6:.2f} MB"
            typer.echo(f"\r{line}{updates(captured)}\x1b[K", nl=False, err=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._live:
            typer.echo("\r\x1b[K", nl=False, err=True)


def report(captured: Captured, as_json: bool) -> None:
    """Say what was recorded."""
    if as_json:
        typer.echo(json.dumps(summary(captured)))
        return
    size = f"{captured.bytes / 1e6:.2f} MB{updates(captured)} in {captured.seconds:.1f} s"
    screen = f"{captured.width}x{captured.height}"
    typer.echo(f"{captured.path}: {size} of {captured.server!r}, {screen} ({captured.ended})")


def summary(captured: Captured) -> dict[str, Any]:
    """Return what `--json` prints."""
    said = {**asdict(captured), "path": str(captured.path)}
    del said["quiet_since"]
    return said


def updates(captured: Captured) -> str:
    """Return how many updates there were, if that is known."""
    return "" if captured.updates is None else f", {captured.updates} updates"
