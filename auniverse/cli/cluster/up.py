"""`auniverse cluster up`: machines of AWS that form a swarm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from auniverse.errors import UsageError

from .options import AsJson, HostKey, ManagerAt, Region, StackName, User, ask, print_json, tell

#: Seconds that machines may take to boot and join.
PATIENCE = 600.0


def up(
    stack: StackName,
    key: Annotated[
        str | None,
        typer.Option(help="The EC2 key pair's name.  [default: the identity file's]"),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option("-i", "--identity", help="Its private key: then all is awaited by SSH."),
    ] = None,
    region: Region = None,
    workers: Annotated[int, typer.Option(min=0, max=1000, help="Machines for remotes.")] = 2,
    instance_type: Annotated[str, typer.Option(help="What they are.")] = "c6i.xlarge",
    manager_type: Annotated[str, typer.Option(help="What the manager is.")] = "t3.small",
    image: Annotated[
        str, typer.Option(help="amazon-linux, debian, or an SSM parameter that holds an AMI.")
    ] = "amazon-linux",
    disk: Annotated[int, typer.Option(min=8, max=1024, help="GiB on each worker.")] = 30,
    spot: Annotated[bool, typer.Option("--spot", help="Cheaper workers that may vanish.")] = False,
    ssh_cidr: Annotated[str, typer.Option(help="From where SSH is let in.")] = "0.0.0.0/0",
    remotes_cidr: Annotated[
        str, typer.Option(help="From where remotes are reached without SSH.  [default: nowhere]")
    ] = "",
    vpc: Annotated[str, typer.Option(help="The network.  [default: the region's own]")] = "",
    subnets: Annotated[str, typer.Option(help="Of it, with commas between.")] = "",
    network: Annotated[
        bool, typer.Option("--network", help="Make a network first; `down` deletes it.")
    ] = False,
    ttl: Annotated[float | None, typer.Option(help="Hours until all of it ends by itself.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for all of it; may be repeated.")
    ] = None,
    manager: ManagerAt = None,
    user: User = "",
    hostkey: HostKey = "",
    as_json: AsJson = False,
) -> None:
    """Bring a cluster up: one manager, and workers that join it by themselves."""
    from datetime import UTC, datetime

    from auniverse import cluster
    from auniverse.links import run as run_loop
    from auniverse.remotes import swarm

    if key is None and identity is None:
        raise UsageError("--key names the EC2 key pair that opens the nodes (or -i its file)")
    plan = cluster.Plan(
        key=key or Path(identity or "").stem,
        workers=workers,
        instance_type=instance_type,
        manager_type=manager_type,
        image=image,
        disk=disk,
        spot=spot,
        ssh_cidr=ssh_cidr,
        remotes_cidr=remotes_cidr,
        vpc=vpc,
        subnets=tuple(subnets.split(",")) if subnets else (),
        ttl=ttl,
        tags=tags_from(tag or []),
    )

    async def work() -> dict[str, Any]:
        cloud = cluster.Cloud(region)
        made = await cluster.bring_up(cloud, stack, plan, datetime.now(UTC), tell, network=network)
        nodes: list[swarm.Node] = []
        if identity is not None:
            gate = await cluster.await_gate(
                cloud,
                made,
                identity=identity,
                user=user,
                hostkey=hostkey,
                manager=manager,
                trust=cluster.Trust(ask=ask),
                progress=tell,
                timeout=PATIENCE,
            )
            async with cluster.open_swarm(gate, stack) as (_, told):
                nodes = await cluster.wait_for_workers(told, workers, tell, timeout=PATIENCE)
        found = await cluster.machines(cloud, made)
        return {
            "stack": made.name,
            "region": cloud.region,
            "status": made.status,
            "expires": made.parameters.get("Expires", "never"),
            "machines": [machine._asdict() for machine in found],
            "nodes": [node._asdict() for node in nodes],
        }

    result = run_loop(work())
    if as_json:
        print_json(result)
        return
    typer.echo(f"The cluster {stack} is up in {result['region']}; it expires: {result['expires']}")
    typer.echo(
        f"auniverse cluster start -s {stack} --region {result['region']} "
        f"-i {identity or key + '.pem' if key else identity} -r gym-core -n 2",
        err=True,
    )


def tags_from(words: list[str]) -> dict[str, str]:
    """Read KEY=VALUE.

    Raises:
        UsageError: One is something else.
    """
    tags = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise UsageError(f"--tag {word!r}: the form is KEY=VALUE")
        tags[name] = value
    return tags
