"""`auniverse down`: containers of ours, ended by hand."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated

import typer

from .engine import ask_engine


def down(
    runtime: Annotated[
        str | None, typer.Argument(help="Only those that run this.  [default: all]")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="Only those of this client.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Those that are in use, too.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON list of their names on stdout.")
    ] = False,
) -> None:
    """End the containers that were started here and that nobody uses. Others are left alone."""
    from auniverse.remotes import docker
    from auniverse.runtimes import runtime as find_runtime

    if runtime is not None:
        find_runtime(runtime)

    ended = ask_engine(partial(docker.end_kept, runtime=runtime, client_id=client_id, force=force))
    typer.echo(json.dumps(ended) if as_json else "\n".join(ended) or "none")
