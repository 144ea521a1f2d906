"""`auniverse images`: those that `auniverse build` made, how large they are, what they took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from .engine import ask_engine

if TYPE_CHECKING:
    from auniverse.remotes import docker


def images(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list on stdout.")] = False,
) -> None:
    """List the images that the engine has of our runtimes: their sizes and build times."""
    from auniverse.remotes import docker

    found = ask_engine(docker.list_built)
    if as_json:
        typer.echo(json.dumps([built._asdict() for built in found], indent=1))
    else:
        typer.echo("\n".join(table(found)))


def table(found: list[docker.Built]) -> list[str]:
    """Return the lines of a table as Markdown has them."""
    rows = [("image", "size", "built in", "up to date"), ("---", "---", "---", "---")]
    for built in found:
        seconds = "" if built.seconds is None else f"{built.seconds:.0f} s"
        current = "yes" if built.current else "no"
        rows.append((built.name, f"{built.size / 1e6:.0f} MB", seconds, current))
    return [f"| {' | '.join(row)} |" for row in rows]
