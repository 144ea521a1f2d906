"""`auniverse pull`: a runtime's image, from where its name says."""

from __future__ import annotations

from typing import Annotated

import typer

from .image import get_image


def pull(
    runtime: Annotated[str, typer.Argument(help="Whose image, such as gym-core.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object as stdout's last line.")
    ] = False,
) -> None:
    """Pull the image of a runtime into the engine."""
    from auniverse.remotes import docker
    from auniverse.runtimes import runtime as find_runtime

    found = find_runtime(runtime)
    get_image(lambda engine, show: docker.pull(engine, found, show), as_json)
