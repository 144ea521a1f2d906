"""`auniverse demo`: four games at once, and a film of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    seconds: Annotated[float, typer.Option(min=1, help="How long to play.")] = 10.0,
    out: Annotated[Path, typer.Option(help="Where the pictures go.")] = Path("out"),
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="A live table, where there is a terminal.")
    ] = True,
) -> None:
    """Play four different games at once, and leave a film and a contact sheet."""
    from auniverse.links import run as run_loop

    from .film import require_video
    from .show import show

    require_video()
    paths = run_loop(show(seconds, out, live=live and sys.stdout.isatty()))
    for path in paths:
        typer.echo(f"{path}  ({path.stat().st_size / 1e3:.0f} kB)")
