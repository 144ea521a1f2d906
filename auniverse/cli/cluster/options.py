"""What the commands of a cluster have in common: their options, and how they tell what happens."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from auniverse.errors import UsageError

if TYPE_CHECKING:
    from auniverse.address import Remote
    from auniverse.cluster import Cloud, Gate, Stack

StackName = Annotated[str, typer.Option("-s", "--stack", help="The cluster's name.")]
SomeStack = Annotated[
    str | None, typer.Option("-s", "--stack", help="The cluster's name.  [or --manager]")
]
Identity = Annotated[
    str, typer.Option("-i", "--identity", help="Your SSH key, such as my-ec2-key.pem.")
]
Region = Annotated[
    str | None,
    typer.Option(help="Of AWS.  [default: as AWS is configured here, else us-west-2]"),
]
Runtime = Annotated[str, typer.Option("-r", "--runtime", help="What they run, such as gym-core.")]
ManagerAt = Annotated[
    str | None,
    typer.Option(
        "--manager", help="[user@]host[:port] of a manager: a swarm of your own, or another way in."
    ),
]
User = Annotated[str, typer.Option(help="Who comes by SSH.  [default: as the image has it]")]
HostKey = Annotated[
    str, typer.Option("--hostkey", help="SHA256:... of the manager, if you know it.")
]
Direct = Annotated[
    bool,
    typer.Option("--direct", help="Reach them without the manager, over TLS (--remotes-cidr)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object as stdout's last line.")]


def tell(name: str, state: str) -> None:
    """Say what happens to what, on a line of its own."""
    typer.echo(f"{name}: {state}", err=True)


def ask(question: str) -> bool:
    """Ask somebody at the terminal; where nobody is, the answer is no."""
    return sys.stdin.isatty() and typer.confirm(question, err=True)


def print_json(found: dict[str, Any]) -> None:
    """Print a result as one line."""
    typer.echo(json.dumps(found, default=str))


async def find_way(
    stack: str | None,
    *,
    identity: str,
    region: str | None,
    manager: str | None,
    user: str,
    hostkey: str,
) -> tuple[Gate, Cloud | None, Stack | None]:
    """Return the way to the swarm that the options mean, and its stack if it has one.

    Raises:
        UsageError: They mean none.
        ProvisionError: It cannot be used.
        RemoteError: It cannot be reached, or not be trusted.
    """
    from dataclasses import replace

    from auniverse import cluster

    if stack is None and manager is None:
        raise UsageError("say which swarm: --stack NAME, or --manager me@host for one of your own")
    trust = cluster.Trust(ask=ask)
    cloud = found = None
    if stack is not None:
        cloud = cluster.Cloud(region)
        found = await cluster.the_stack(cloud, stack)
        cluster.check_usable(found)
    if manager is None:
        assert cloud is not None
        assert found is not None
        gate = await cluster.gate_of(
            cloud, found, identity=identity, user=user, hostkey=hostkey, trust=trust
        )
        return gate, cloud, found
    gate = cluster.gate_to(manager, identity=identity, hostkey=hostkey, trust=trust)
    if cloud is not None and found is not None:
        there = tuple(await cluster.machines(cloud, found))
        gate = replace(gate, cloud=cloud, machines=there)
    return gate, cloud, found


def in_words(latency: Mapping[str, float | None]) -> str:
    """Return for people what `auniverse.cluster.Distance` has under the name of each way."""

    def words(seconds: float | None) -> str:
        return "nobody answers" if seconds is None else f"{seconds * 1e3:.0f} ms"

    return (
        f"A new connection hears a remote's screen after: through the manager "
        f"{words(latency['tunnel'])}, directly {words(latency['direct'])}"
    )


def url_of(remote: Remote) -> str:
    """Return a remote's address with its passwords."""
    secrets = {"vnc_password": remote.vnc_password, "rewarder_password": remote.rewarder_password}
    words = [f"{word}={quote(value, safe='')}" for word, value in secrets.items() if value]
    return f"{remote}{'&' if remote.route.query() else '?'}{'&'.join(words)}"
