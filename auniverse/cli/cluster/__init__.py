"""`auniverse cluster`: remotes on machines of AWS, or on a swarm of one's own."""

from __future__ import annotations

import typer

from ..report import reported
from .down import down
from .scale import scale
from .start import start
from .status import status
from .stop import stop
from .template import template
from .up import up

cluster = typer.Typer(
    name="cluster",
    help="Remotes on machines of AWS, or on a swarm of your own (docs/cluster.md).",
    no_args_is_help=True,
)
cluster.command("up")(reported(up))
cluster.command("status")(reported(status))
cluster.command("scale")(reported(scale))
cluster.command("start")(reported(start))
cluster.command("stop")(reported(stop))
cluster.command("down")(reported(down))
cluster.command("template")(reported(template))

__all__ = ["cluster"]
