"""`auniverse build`: a runtime's image, made by the engine from the installed package."""

from __future__ import annotations

from typing import Annotated

import typer

from .image import get_image


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
    from auniverse.remotes import docker
    from auniverse.runtimes import runtime as find_runtime

    found = find_runtime(runtime)
    get_image(lambda engine, show: docker.build(engine, found, show, anew=anew), as_json)
