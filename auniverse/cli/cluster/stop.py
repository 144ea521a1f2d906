"""`auniverse cluster stop`: the remotes of a cluster, ended."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    AsJson,
    HostKey,
    Identity,
    ManagerAt,
    Region,
    SomeStack,
    User,
    find_way,
    print_json,
)


def stop(
    stack: SomeStack = None,
    identity: Identity = "",
    runtime: Annotated[
        str | None, typer.Option("-r", "--runtime", help="Only those.  [default: all]")
    ] = None,
    region: Region = None,
    manager: ManagerAt = None,
    user: User = "",
    hostkey: HostKey = "",
    as_json: AsJson = False,
) -> None:
    """End remotes, with their secrets and their network; the machines go on."""
    from auniverse import cluster
    from auniverse.links import run as run_loop
    from auniverse.remotes import swarm

    async def work() -> int:
        gate, _, _ = await find_way(
            stack, identity=identity, region=region, manager=manager, user=user, hostkey=hostkey
        )
        async with cluster.open_swarm(gate, stack or "") as (_, told):
            return await swarm.stop(told, runtime=runtime)

    ended = run_loop(work())
    if as_json:
        print_json({"ended": ended})
    else:
        typer.echo(f"Environments stopped: {ended}")
