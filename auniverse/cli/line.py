"""What takes long, in one line: rewritten on a terminal, else line after line on stderr."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from types import TracebackType

import typer

#: Columns of the line: what is longer is cut.
WIDTH = 100


class Line:
    """A line on stderr while something takes long; a context manager, which takes it away."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            typer.echo("\r\x1b[K", nl=False, err=True)

    def show(self, text: str) -> None:
        """Show what happens now."""
        if self._live:
            typer.echo(f"\r{text[:WIDTH]}\x1b[K", nl=False, err=True)
        else:
            typer.echo(text, err=True)


def states_line(states: Mapping[str, str]) -> str:
    """Return what each of some remotes does now, in one line; of many, how many do what."""
    line = ", ".join(f"{name}: {state}" for name, state in states.items())
    if len(line) > WIDTH:
        line = ", ".join(f"{n} {state}" for state, n in Counter(states.values()).items())
    return line
