"""`auniverse up`: containers that go on after the command, for whoever plays them next."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .engine import ask_engine
from .line import Line
from .ps import print_kept

#: Whose remotes they are unless somebody else is named.
CLIENT_ID = "up"


def up(
    runtime: Annotated[str, typer.Argument(help="What they run, such as gym-core.")],
    n: Annotated[int, typer.Option("-n", min=1, help="How many there shall be.")] = 1,
    client_id: Annotated[str, typer.Option(help="Whose remotes they are.")] = CLIENT_ID,
    lease: Annotated[
        float, typer.Option(min=1, help="They end after so many seconds without a client.")
    ] = 3600.0,
    screen: Annotated[str, typer.Option(help="WIDTHxHEIGHT, or 'native'.")] = "1024x768",
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON list on stdout, with addresses and passwords.")
    ] = False,
) -> None:
    """See to it that so many remotes are up; those that run already are counted in."""
    from auniverse.links import run as run_loop
    from auniverse.remotes import docker, launch

    def show(name: str, state: str) -> None:
        if name == "by hand":
            typer.echo(f"by hand: {state}", err=True)
        else:
            line.show(f"{name}: {state}")

    async def start() -> None:
        async with launch(
            runtime,
            n,
            backend="docker",
            client_id=client_id,
            lease=lease,
            screen=screen,
            progress=show,
        ):
            pass

    with Line() as line:
        run_loop(start())
    found = [
        kept
        for kept in ask_engine(docker.list_kept)
        if (kept.runtime, kept.client_id) == (runtime, client_id)
    ]
    if as_json:
        typer.echo(json.dumps([kept._asdict() for kept in found], indent=1))
    else:
        print_kept(found)
        typer.echo(f"auniverse run ID --remotes docker:{n} --client-id {client_id}", err=True)
