"""The command line: one file, one command.

A command reads its options, calls the rooms below and prints. What is heavy (rich, gymnasium,
numpy, the games) is imported inside the commands, so that `auniverse --help` answers at once.
"""

from __future__ import annotations

import signal

import typer

from .build import build
from .cluster import cluster
from .demo import demo
from .doctor import doctor
from .down import down
from .fetch import fetch
from .images import images
from .info import info
from .list import list_envs
from .new import new
from .ps import ps
from .pull import pull
from .record import record
from .report import reported
from .run import run
from .serve import serve
from .up import up

app = typer.Typer(
    name="auniverse",
    help="Environments on remote screens: pixels in, keys out, many at once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("list")(reported(list_envs))
app.command("info")(reported(info))
app.command("run")(reported(run))
app.command("serve")(reported(serve))
app.command("record")(reported(record))
app.command("new")(reported(new))
app.command("build")(reported(build))
app.command("images")(reported(images))
app.command("fetch")(reported(fetch))
app.command("pull")(reported(pull))
app.command("up")(reported(up))
app.command("ps")(reported(ps))
app.command("down")(reported(down))
app.add_typer(cluster, name="cluster")
app.command("demo")(reported(demo))
app.command("doctor")(reported(doctor))


def main() -> None:
    """Run the command line; SIGTERM ends it in order, as Ctrl-C does."""
    # Scripts have what they run in the background ignore Ctrl-C; event loops that are told so at
    # their start would not hear of SIGTERM either.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    app()


__all__ = ["app", "main"]
