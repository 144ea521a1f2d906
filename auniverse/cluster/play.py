"""Remotes on a cluster: started, counted, stopped, and how far away they are."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

from auniverse.address import Remote, Route
from auniverse.errors import ConnectError, ProvisionError, RemoteError
from auniverse.links import knock
from auniverse.remotes import docker, swarm
from auniverse.runtimes import runtime as find_runtime

from .nodes import list_nodes, own_node
from .reach import Gate, open_manager, open_node
from .shipping import Progress, have_pulled, stream_image

#: Remotes whose distance is measured, each on another node if there are so many.
_KNOCKS = 5


class Distance(NamedTuple):
    """Seconds until a new connection hears a remote's screen; medians over some remotes.

    Attributes:
        tunnel: Through the manager.
        direct: To the node itself; None: nobody answers there.
    """

    tunnel: float | None
    direct: float | None


@asynccontextmanager
async def open_swarm(
    gate: Gate, stack: str = "", *, direct: bool = False
) -> AsyncIterator[tuple[docker.Engine, swarm.Swarm]]:
    """Give the engine of a swarm's manager, and the manager; see `open_manager`.

    Args:
        gate: The way there.
        stack: The name of the cluster, for remedies; "": it is no stack.
        direct: Whether remotes that are started there are to be reached without the manager, too:
            then they speak TLS only.

    Raises:
        ProvisionError: The engine manages no swarm.
    """
    async with open_manager(gate) as engine:
        await swarm.check_manager(engine.docker, gate.route.jump)
        yield engine, swarm.Swarm(engine.docker, gate.route, stack=stack, tls=direct)


async def provide_image(
    gate: Gate,
    engine: docker.Engine,
    manager: swarm.Swarm,
    runtime: str,
    *,
    docker_image: str | None,
    registry: str | None,
    progress: Progress,
) -> str:
    """See to it that the nodes that take remotes can have a runtime's image; return its name.

    Args:
        gate: The way to the swarm.
        engine: Its manager's.
        manager: The manager.
        runtime: Whose image.
        docker_image: Takes its place. If its name begins with a registry, nodes that lack it pull
            it from there.
        registry: It is pushed there, and all nodes pull it; None: it is streamed to those without
            it, from this machine's engine.
        progress: Told what happens to which node.

    Raises:
        ProvisionError: It is nowhere, or something refuses it.
        RemoteError: A node cannot be reached.
        UsageError: There is no such runtime, or it has no image.
    """
    name = docker.name_of(find_runtime(runtime), docker_image)
    if registry is not None:
        async with docker.open_engine() as here:
            name = await docker.push_image(
                here, name, registry, lambda line: progress(registry, line)
            )
    nodes = [node for node in await list_nodes(manager) if node.takes_tasks]
    if not nodes:
        raise ProvisionError(
            "the swarm has no node that takes remotes: has a worker joined? "
            "(`auniverse cluster status`; `auniverse cluster scale --workers 2`)"
        )
    own = await own_node(manager)

    @asynccontextmanager
    async def opened(address: str) -> AsyncIterator[docker.Engine]:
        if any(node.id == own and node.address == address for node in nodes):
            yield engine
        else:
            async with open_node(gate, address) as other:
                yield other

    places = {node.name: node.address for node in nodes}
    if docker.registry_of(name):
        await have_pulled(name, places, opened, progress, anew=registry is not None)
    else:
        await stream_image(name, places, opened, progress)
    return name


async def measure(gate: Gate, remotes: Sequence[Remote]) -> Distance:
    """Measure how far away remotes are, through the manager and directly."""
    chosen = list({remote.host: remote for remote in reversed(remotes)}.values())[:_KNOCKS]
    direct = [outside(gate, remote) for remote in chosen]
    return Distance(await _median(chosen, 10.0), await _median(direct, 2.0))


async def _median(remotes: Sequence[Remote], timeout: float) -> float | None:
    async def hear(remote: Remote) -> float | None:
        try:
            return await knock(remote, timeout=timeout)
        except RemoteError:
            return None

    heard = await asyncio.gather(*map(hear, remotes))
    found = [seconds for seconds in heard if seconds is not None]
    return statistics.median(found) if found else None


def outside(gate: Gate, remote: Remote) -> Remote:
    """Return a remote as it is reached without the manager, at its node's public address.

    Inside TLS if it speaks that, and known by its certificate; otherwise in the clear.
    """
    host = gate.public_of(remote.host) or remote.host
    return replace(remote, host=host, route=Route(pin=remote.route.pin))


async def found_at(
    gate: Gate, remotes: Sequence[Remote], *, direct: bool
) -> tuple[list[Remote], Distance]:
    """Return remotes as an agent reaches them, and how far away they are either way.

    Args:
        gate: The way to their swarm.
        remotes: As they are reached through its manager.
        direct: Whether the agent goes without the manager.

    Raises:
        ConnectError: It cannot.
    """
    distance = await measure(gate, remotes)
    if not direct:
        return list(remotes), distance
    there = [outside(gate, remote) for remote in remotes]
    if distance.direct is None:
        raise ConnectError(
            "it runs, and nobody answers without the manager",
            remote=str(there[0]),
            remedy="ports 32768 to 60999 of the nodes must be open to this machine (`auniverse "
            "cluster up --remotes-cidr YOUR.ADDRESS/32`); without --direct all goes through SSH",
        )
    return there, distance
