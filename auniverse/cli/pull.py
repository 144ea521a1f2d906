"""`auniverse pull`: a runtime's image, from where its name says."""

from __future__ import annotations

from typing import Annotated

import typer

from .image import print_image
from .line import Line


def pull(
    runtime: Annotated[str, typer.Argument(help="Whose image, such as gym-core.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object as stdout's last line.")
    ] = False,
) -> None:
    """Pull the image of a runtime into the engine."""
    import asyncio

    from auniverse.links import run as run_loop
    from auniverse.remotes import docker
    from auniverse.runtimes import runtime as find_runtime

    found = find_runtime(runtime)

    async def work() -> tuple[docker.Image, float]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with docker.open_engine() as engine:
            image = await docker.pull(engine, found, line.show)
        return image, loop.time() - begun

    with Line() as line:
        image, seconds = run_loop(work())
    print_image(image, seconds, as_json)
