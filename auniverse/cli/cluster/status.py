"""`auniverse cluster status`: what there is, what it does, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import (
    AsJson,
    HostKey,
    ManagerAt,
    Region,
    SomeStack,
    User,
    find_way,
    in_words,
    print_json,
)

if TYPE_CHECKING:
    from auniverse.cluster import Estimate


def status(
    stack: SomeStack = None,
    identity: Annotated[
        str | None,
        typer.Option("-i", "--identity", help="Your SSH key: then the swarm is asked, too."),
    ] = None,
    region: Region = None,
    manager: ManagerAt = None,
    user: User = "",
    hostkey: HostKey = "",
    as_json: AsJson = False,
) -> None:
    """Show a cluster's machines, hours and costs, and with a key its nodes and remotes."""
    from auniverse.links import run as run_loop

    async def work() -> dict[str, Any]:
        found: dict[str, Any] = {}
        if stack is not None:
            found |= await of_stack(stack, region)
        if identity is not None or manager is not None or stack is None:
            gate, _, _ = await find_way(
                stack,
                identity=identity or "",
                region=region,
                manager=manager,
                user=user,
                hostkey=hostkey,
            )
            found |= await of_swarm(gate, stack or "")
        return found

    result = run_loop(work())
    if as_json:
        print_json(result)
    else:
        print_tables(result)


async def of_stack(stack: str, region: str | None) -> dict[str, Any]:
    """Return what AWS knows of a cluster, as JSON values but for its times."""
    from datetime import UTC, datetime

    from auniverse import cluster

    cloud = cluster.Cloud(region)
    there = await cluster.the_stack(cloud, stack)
    found = await cluster.machines(cloud, there)
    now = datetime.now(UTC)
    return {
        "stack": there.name,
        "region": cloud.region,
        "status": there.status,
        "expires": there.parameters.get("Expires", "never"),
        "workers_wanted": int(there.parameters.get("Workers", 0)),
        "machines": [
            {**each._asdict(), "hours": round((now - each.launched).total_seconds() / 3600, 2)}
            for each in found
        ],
        "estimate": cluster.estimate(found, cloud.region, now)._asdict(),
    }


async def of_swarm(gate: Any, stack: str) -> dict[str, Any]:
    """Return what the manager of a swarm knows, as JSON values."""
    from auniverse import cluster
    from auniverse.remotes import swarm

    async with cluster.open_swarm(gate, stack) as (_, manager):
        nodes, remotes = await swarm.status(manager)
        running = [seen.remote for seen in remotes if seen.remote and seen.state == "running"]
        distance = await cluster.measure(gate, running)
        return {
            "nodes": [node._asdict() for node in nodes],
            "remotes": [
                {**seen._asdict(), "remote": str(seen.remote) if seen.remote else None}
                for seen in remotes
            ],
            "latency_s": distance._asdict(),
        }


#: What is shown of each, for people.
TABLES = {
    "machines": ("id", "role", "type", "state", "spot", "private", "public", "hours"),
    "nodes": ("name", "role", "state", "availability", "address"),
    "remotes": ("name", "runtime", "client_id", "state", "node", "remote", "reason"),
}


def print_tables(result: dict[str, Any]) -> None:
    """Print all of it for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False)
    if not console.is_terminal:  # there is no edge to fold at
        console.width = 250
    if "stack" in result:
        words = ("stack", "region", "status", "expires")
        typer.echo("   ".join(f"{word}: {result[word]}" for word in words))
    for name, columns in TABLES.items():
        if name in result:
            table = Table(box=None, pad_edge=False, title=name, title_justify="left")
            for column in columns:
                table.add_column(column, overflow="fold")
            for row in result[name]:
                table.add_row(*(str(row[column]) for column in columns))
            console.print(table)
    if "estimate" in result:
        from auniverse.cluster import Estimate

        typer.echo(costs_in_words(Estimate(**result["estimate"])))
    if result.get("remotes"):
        typer.echo(in_words(result["latency_s"]))


def costs_in_words(found: Estimate) -> str:
    """Return an estimate as a sentence."""
    where = "" if found.exact else f", at the prices of {found.where}: this region's may be higher"
    unknown = f"; no price is known for {', '.join(found.unknown)}" if found.unknown else ""
    return (
        f"{found.an_hour:.2f} {found.currency} an hour, about {found.so_far:.2f} {found.currency} "
        f"for {found.hours:.1f} machine hours so far (an estimate from public tables of "
        f"{found.as_of}{where}; without traffic, and without "
        f"machines that are gone{unknown})"
    )
