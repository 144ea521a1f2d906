"""The nodes of a swarm as its manager knows them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from auniverse.errors import ProvisionError
from auniverse.remotes import docker

#: Seconds between two looks at nodes that are awaited.
PAUSE = 2.0


class Node(NamedTuple):
    """A node of a swarm.

    Attributes:
        id: The swarm's name for it.
        name: Its host name.
        address: Where other nodes reach it.
        role: "manager" or "worker".
        state: "ready", "down", ...
        availability: "active", "pause" or "drain".
        processors: How many it has.
        memory: Bytes that it has.
    """

    id: str
    name: str
    address: str
    role: str
    state: str
    availability: str
    processors: float
    memory: int

    @property
    def takes_remotes(self) -> bool:
        """Whether remotes can be placed there."""
        return self.state == "ready" and self.availability == "active"


async def list_nodes(engine: docker.Engine) -> list[Node]:
    """Return the nodes of the swarm that an engine manages, managers first.

    Raises:
        ProvisionError: It does not answer, or manages none.
    """
    with docker.speaking("cannot list the swarm's nodes"):
        found = [_read(node) for node in await engine.docker.nodes.list()]
    return sorted(found, key=lambda node: (node.role, node.name, node.id))


async def own_node(engine: docker.Engine) -> str:
    """Return the id of the node that an engine itself is."""
    with docker.speaking("cannot ask the manager who it is"):
        return str((await engine.docker.system.info())["Swarm"]["NodeID"])


async def drain(engine: docker.Engine, node: Node) -> None:
    """Place nothing on a node any more; what runs there goes elsewhere.

    Raises:
        ProvisionError: The manager refuses.
    """
    with docker.speaking(f"cannot drain {node.name}"):
        seen = await engine.docker.nodes.inspect(node_id=node.id)
        await engine.docker.nodes.update(
            node_id=node.id,
            version=seen["Version"]["Index"],
            spec={**seen["Spec"], "Availability": "drain"},
        )


async def forget_lost(engine: docker.Engine) -> list[str]:
    """Take workers off the list that are gone for good; return their names.

    Raises:
        ProvisionError: The manager refuses.
    """
    lost = [
        node
        for node in await list_nodes(engine)
        if node.role == "worker" and node.state == "down" and node.availability == "drain"
    ]
    for node in lost:
        with docker.speaking(f"cannot forget {node.name}"):
            await engine.docker.nodes.remove(node_id=node.id, force=True)
    return [node.name for node in lost]


async def wait_for_workers(
    engine: docker.Engine, n: int, progress: Callable[[str, str], None], *, timeout: float
) -> list[Node]:
    """Wait until so many workers are ready, and tell about each as it comes.

    Raises:
        ProvisionError: They did not all come in time.
    """
    told: set[str] = set()
    ready: list[Node] = []
    try:
        async with asyncio.timeout(timeout):
            while True:
                nodes = await list_nodes(engine)
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


def _read(seen: dict[str, Any]) -> Node:
    resources = seen["Description"]["Resources"]
    return Node(
        id=seen["ID"],
        name=seen["Description"]["Hostname"],
        address=seen["Status"].get("Addr", ""),
        role=seen["Spec"]["Role"],
        state=seen["Status"]["State"],
        availability=seen["Spec"]["Availability"],
        processors=resources.get("NanoCPUs", 0) / 1e9,
        memory=resources.get("MemoryBytes", 0),
    )
