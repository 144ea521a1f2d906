"""An image that a command gets: what happens meanwhile, then its name, size and time."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import typer

from .engine import ask_engine
from .line import Line
from .report import print_rows

if TYPE_CHECKING:
    from auniverse.remotes import docker

    #: Gets an image into an engine, and tells what happens line by line.
    Getting: TypeAlias = Callable[[docker.Engine, Callable[[str], None]], Awaitable[docker.Image]]


def get_image(getting: Getting, as_json: bool) -> None:
    """Have an image built or pulled, show how that goes, and print the image.

    Raises:
        ProvisionError: There is no engine, or the image cannot be had.
    """
    import asyncio

    async def timed(engine: docker.Engine) -> tuple[docker.Image, float]:
        now = asyncio.get_running_loop().time
        begun = now()
        return await getting(engine, line.show), now() - begun

    with Line() as line:
        image, seconds = ask_engine(timed)
    print_image(image, seconds, as_json)


def print_image(image: docker.Image, seconds: float, as_json: bool) -> None:
    """Print an image, for people or as one line of JSON."""
    if as_json:
        typer.echo(json.dumps({**image._asdict(), "seconds": round(seconds, 3)}))
        return
    print_rows(
        [
            ("image", image.name),
            ("id", image.id),
            ("size", f"{image.size / 1e6:.0f} MB"),
            ("took", f"{seconds:.1f} s"),
        ]
    )
