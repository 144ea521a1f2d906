"""`auniverse build`: a runtime's image, made by the engine from the installed package."""

from __future__ import annotations

from typing import Annotated

import typer

from .image import print_image
from .line import Line


def build(
    runtime: Annotated[str, typer.Argument(help="Whose image, such as gym-core.")],
    anew: Annotated[
        bool, typer.Option("--anew", help="Also where nothing has changed since the last time.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object as stdout's last line.")
    ] = False,
) -> None:
    """Build the image of a runtime; what it is built from comes with auniverse."""
    import asyncio

    from auniverse.links import run as run_loop
    from auniverse.remotes import docker
    from auniverse.runtimes import runtime as find_runtime

    found = find_runtime(runtime)

    async def work() -> tuple[docker.Image, float]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with docker.open_engine() as engine:
            image = await docker.build(engine, found, line.show, anew=anew)
        return image, loop.time() - begun

    with Line() as line:
        image, seconds = run_loop(work())
    print_image(image, seconds, as_json)
