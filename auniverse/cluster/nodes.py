"""The nodes of a swarm as its manager knows them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from auniverse.errors import ProvisionError
from auniverse.remotes import docker, swarm

#: Seconds between two looks at nodes that are awaited.
PAUSE = 2.0


async def list_nodes(manager: swarm.Swarm) -> list[swarm.Node]:
    """Return the nodes of a swarm, managers first.

    Raises:
        ProvisionError: The manager does not answer.
    """
    nodes = (await swarm.status(manager)).nodes
    return sorted(nodes, key=lambda node: (node.role, node.name, node.id))


async def own_node(manager: swarm.Swarm) -> str:
    """Return the id of the node that the manager itself is."""
    with docker.speaking("cannot ask the manager who it is"):
        return str((await manager.docker.system.info())["Swarm"]["NodeID"])


async def drain(manager: swarm.Swarm, node: swarm.Node) -> None:
    """Place nothing on a node any more; what runs there goes elsewhere.

    Raises:
        ProvisionError: The manager refuses.
    """
    with docker.speaking(f"cannot drain {node.name}"):
        seen = await manager.docker.nodes.inspect(node_id=node.id)
        await manager.docker.nodes.update(
            node_id=node.id,
            version=seen["Version"]["Index"],
            spec={**seen["Spec"], "Availability": "drain"},
        )


async def forget_lost(manager: swarm.Swarm) -> list[str]:
    """Take workers off the list that are gone for good; return their names.

    Raises:
        ProvisionError: The manager refuses.
    """
    lost = [
        node
        for node in await list_nodes(manager)
        if node.role == "worker" and node.state == "down" and node.availability == "drain"
    ]
    for node in lost:
        with docker.speaking(f"cannot forget {node.name}"):
            await manager.docker.nodes.remove(node_id=node.id, force=True)
    return [node.name for node in lost]


async def wait_for_workers(
    manager: swarm.Swarm, n: int, progress: Callable[[str, str], None], *, timeout: float
) -> list[swarm.Node]:
    """Wait until so many workers are ready, and tell about each as it comes.

    Raises:
        ProvisionError: They did not all come in time.
    """
    told: set[str] = set()
    ready: list[swarm.Node] = []
    try:
        async with asyncio.timeout(timeout):
            while True:
                nodes = await list_nodes(manager)
                ready = [node for node in nodes if node.role == "worker" and node.state == "ready"]
                for node in ready:
                    if node.id not in told:
                        told.add(node.id)
                        progress(node.name, f"joined ({len(told)} of {n})")
                if len(ready) >= n:
                    return ready
                await asyncio.sleep(PAUSE)
    except TimeoutError as error:
        raise ProvisionError(
            f"{len(ready)} of {n} workers have joined after {timeout:g} s: the consoles of the "
            "others tell why (`aws ec2 get-console-output`)"
        ) from error
