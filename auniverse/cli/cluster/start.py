"""`auniverse cluster start`: remotes on a cluster, and the line that plays them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .options import (
    AsJson,
    Direct,
    HostKey,
    Identity,
    ManagerAt,
    Region,
    Runtime,
    SomeStack,
    User,
    find_way,
    in_words,
    print_json,
    tell,
    url_of,
)


def start(
    runtime: Runtime,
    stack: SomeStack = None,
    identity: Identity = "",
    n: Annotated[int, typer.Option("-n", min=1, help="How many remotes.")] = 1,
    region: Region = None,
    manager: ManagerAt = None,
    user: User = "",
    hostkey: HostKey = "",
    registry: Annotated[
        str | None,
        typer.Option(help="Images go there, and nodes pull them.  [default: streamed over SSH]"),
    ] = None,
    docker_image: Annotated[
        str | None, typer.Option(help="Takes the place of the runtime's image.")
    ] = None,
    env_id: Annotated[str | None, typer.Option(help="What they begin with.")] = None,
    screen: Annotated[str, typer.Option(help="WIDTHxHEIGHT, or 'native'.")] = "1024x768",
    direct: Direct = False,
    as_json: AsJson = False,
) -> None:
    """Start remotes and print how they are reached; those of the runtime that run end first."""
    from auniverse import cluster
    from auniverse.errors import ConnectError
    from auniverse.links import run as run_loop
    from auniverse.remotes import swarm

    async def work() -> dict[str, Any]:
        gate, _, _ = await find_way(
            stack, identity=identity, region=region, manager=manager, user=user, hostkey=hostkey
        )
        async with cluster.open_swarm(gate, stack or "", direct=direct) as (engine, told):
            name = await cluster.provide_image(
                gate,
                engine,
                told,
                runtime,
                docker_image=docker_image,
                registry=registry,
                progress=tell,
            )
            remotes = await swarm.start(
                told,
                runtime,
                n,
                env_id=env_id,
                screen=screen,
                docker_image=name,
                progress=tell,
            )
            try:
                remotes, distance = await cluster.found_at(gate, remotes, direct=direct)
            except ConnectError:
                await swarm.stop(told, runtime=runtime)
                raise
        return {
            "remotes": [
                {"name": remote.name, "address": str(remote), "url": url_of(remote)}
                for remote in remotes
            ],
            "line": ",".join(url_of(remote) for remote in remotes),
            "latency_s": distance._asdict(),
        }

    result = run_loop(work())
    if as_json:
        print_json(result)
        return
    typer.echo("Environments started.", err=True)
    typer.echo(in_words(result["latency_s"]), err=True)
    typer.echo(f"Remotes:\n{result['line']}")
