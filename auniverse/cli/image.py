"""How an image is shown: its name, size, and how long it took to get."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from .report import print_rows

if TYPE_CHECKING:
    from auniverse.remotes import docker


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
