"""`auniverse cluster scale`: more or fewer workers, more or fewer remotes, more time."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auniverse.errors import UsageError

from .options import (
    AsJson,
    Direct,
    HostKey,
    ManagerAt,
    Region,
    SomeStack,
    User,
    find_way,
    in_words,
    print_json,
    tell,
    url_of,
)

if TYPE_CHECKING:
    from auniverse.address import Remote
    from auniverse.cluster import Cloud, Gate, Stack
    from auniverse.remotes import docker, swarm


def scale(
    stack: SomeStack = None,
    identity: Annotated[
        str | None,
        typer.Option("-i", "--identity", help="Your SSH key: the emptiest workers end first."),
    ] = None,
    region: Region = None,
    workers: Annotated[
        int | None, typer.Option(min=0, max=1000, help="How many workers there shall be.")
    ] = None,
    ttl: Annotated[
        float | None, typer.Option(help="Hours from now until all of it ends by itself.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option("-r", "--runtime", help="Whose remotes -n counts.")
    ] = None,
    n: Annotated[int | None, typer.Option("-n", min=1, help="How many remotes.")] = None,
    manager: ManagerAt = None,
    user: User = "",
    hostkey: HostKey = "",
    direct: Direct = False,
    as_json: AsJson = False,
) -> None:
    """Change how many workers a cluster has, how many remotes, or how long it lasts."""
    from auniverse.links import run as run_loop

    if workers is None and ttl is None and n is None:
        raise UsageError("say what shall change: --workers, --ttl, or -r and -n")
    if (n is None) != (runtime is None):
        raise UsageError("-r and -n go together: so many remotes of that runtime")
    if (workers is not None or ttl is not None) and stack is None:
        raise UsageError("--workers and --ttl are for clusters on AWS: --stack names one")
    if n is not None and stack is not None and identity is None and manager is None:
        raise UsageError("-n is asked of the swarm: -i names your SSH key")

    async def work() -> dict[str, Any]:
        found: dict[str, Any] = {}
        async with AsyncExitStack() as entered:
            told = None
            cloud: Cloud | None = None
            there: Stack | None = None
            if identity is not None or manager is not None:
                from auniverse import cluster

                gate, cloud, there = await find_way(
                    stack,
                    identity=identity or "",
                    region=region,
                    manager=manager,
                    user=user,
                    hostkey=hostkey,
                )
                opening = cluster.open_swarm(gate, stack or "", direct=direct)
                engine, told = await entered.enter_async_context(opening)
            if stack is not None and (workers is not None or ttl is not None):
                found |= await change(stack, region, workers, ttl, told, cloud, there)
            if n is not None and runtime is not None:
                assert told is not None
                remotes = await more(gate, engine, told, runtime, n)
                remotes, distance = await cluster.found_at(gate, remotes, direct=direct)
                found["remotes"] = [url_of(remote) for remote in remotes]
                found["latency_s"] = distance._asdict()
        return found

    result = run_loop(work())
    if as_json:
        print_json(result)
        return
    for word, value in result.items():
        if word == "remotes":
            typer.echo(f"Remotes:\n{','.join(value)}")
        elif word == "latency_s":
            typer.echo(in_words(value), err=True)
        else:
            typer.echo(f"{word}: {value}")


async def more(
    gate: Gate, engine: docker.Engine, manager: swarm.Swarm, runtime: str, n: int
) -> list[Remote]:
    """Let a runtime have so many remotes; workers that came since get the image of those there."""
    from auniverse import cluster
    from auniverse.remotes import swarm

    name = await cluster.provide_image(
        gate,
        engine,
        manager,
        runtime,
        docker_image=await swarm.image_of(manager, runtime),
        registry=None,
        progress=tell,
    )
    return await swarm.scale(manager, runtime, n, docker_image=name, progress=tell)


async def change(
    stack: str,
    region: str | None,
    workers: int | None,
    ttl: float | None,
    manager: swarm.Swarm | None,
    cloud: Cloud | None,
    there: Stack | None,
) -> dict[str, Any]:
    """Change a stack; return what it is then, as JSON values."""
    from datetime import UTC, datetime

    from auniverse import cluster

    cloud = cloud or cluster.Cloud(region)
    there = there or await cluster.the_stack(cloud, stack)
    cluster.check_usable(there)
    if ttl is not None:
        there = await cluster.set_expiry(cloud, there, ttl, datetime.now(UTC), tell)
    if workers is not None:
        there = await cluster.set_workers(cloud, there, workers, tell, manager)
    return {
        "stack": there.name,
        "status": there.status,
        "workers": int(there.parameters["Workers"]),
        "expires": there.parameters["Expires"],
    }
