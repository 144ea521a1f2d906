"""Remotes of a swarm that outlive who started them: what a command line asks for.

They belong to a client by its id; a launch with the same `client_id` takes them as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from auniverse.address import Remote
from auniverse.errors import UsageError
from auniverse.runtimes import Runtime
from auniverse.runtimes import runtime as find_runtime

from ..docker.images import name_of
from ..docker.recipe import Recipe
from .board import Board, Service
from .reach import Swarm
from .roster import Progress, Roster
from .sight import Node
from .wanted import ENV_ID, TLS, Wanted

#: Whose remotes they are unless somebody is named.
CLIENT_ID = "cluster"


class Seen(NamedTuple):
    """One remote, as its swarm sees it.

    Attributes:
        name: Its name, such as "gym-core-3".
        service: The name of its service.
        runtime: What it runs.
        client_id: Whose it is.
        state: What the swarm says of it: "running", "pending", "preparing", "failed", ...
        node: The name of the node that it is on; "": of none yet.
        reason: Why it does not run, in the swarm's words; "" if it does.
        remote: Where it is reached, with its passwords; None: nowhere yet, or it is not of this
            owner (another user, or another machine, has its key).
    """

    name: str
    service: str
    runtime: str
    client_id: str
    state: str
    node: str
    reason: str
    remote: Remote | None


class Status(NamedTuple):
    """What a swarm has.

    Attributes:
        nodes: Its nodes, by name.
        remotes: Our kind of services on it, whoever owns them, by runtime and number.
    """

    nodes: list[Node]
    remotes: list[Seen]


async def start(
    manager: Swarm,
    runtime: str,
    n: int,
    *,
    client_id: str = CLIENT_ID,
    env_id: str | None = None,
    screen: str = "1024x768",
    lease: float | None = None,
    timeout: float | None = None,
    docker_image: str | None = None,
    constraints: Sequence[str] = (),
    progress: Progress = lambda name, state: None,
) -> list[Remote]:
    """Start `n` remotes and leave them running; those that the client had of the runtime end first.

    Args:
        manager: Of the swarm.
        runtime: What they run, a name of `runtimes.yml`.
        n: How many, 1 or more.
        client_id: Whose they are.
        env_id: The environment to begin with; None: the first reset says.
        screen: The size of their screens, such as "1024x768", or "native".
        lease: Seconds without any client, after which one ends itself; None: never.
        timeout: Seconds that each may take to boot; None: as `runtimes.yml` says.
        docker_image: Takes the place of the runtime's image.
        constraints: Which nodes they may be placed on, such as "node.role==worker".
        progress: Called with a remote's name and what it does now: "creating", then the states of
            its task ("pending", "preparing", "running", ...), then "ready".

    Returns:
        All of them, in order, each ready to be played.

    Raises:
        ProvisionError: Not all can be placed, or get ready; the message says what to do, and none
            is left.
        UsageError: An argument is wrong, such as an `UnknownRuntimeError`.
    """
    await stop(manager, client_id=client_id, runtime=runtime)
    return await scale(
        manager,
        runtime,
        n,
        client_id=client_id,
        env_id=env_id,
        screen=screen,
        lease=lease,
        timeout=timeout,
        docker_image=docker_image,
        constraints=constraints,
        progress=progress,
    )


async def scale(
    manager: Swarm,
    runtime: str,
    n: int,
    *,
    client_id: str = CLIENT_ID,
    env_id: str | None = None,
    screen: str | None = None,
    lease: float | None = None,
    timeout: float | None = None,
    docker_image: str | None = None,
    constraints: Sequence[str] = (),
    progress: Progress = lambda name, state: None,
) -> list[Remote]:
    """See to it that a client has `n` remotes of a runtime; those that run well are left alone.

    Arguments, result and errors are those of `start`; what is not said is as it is for those that
    run. Where too few can be placed, those that were there before are left; where there are too
    many, the last ones end.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise UsageError(f"the number of remotes must be 1 or more, not {n!r}")
    found: Runtime = find_runtime(runtime)
    there = await _of(manager, client_id, found.name)
    labels = there[0].labels if there else {}
    recipe = Recipe(
        runtime=found,
        image=name_of(found, docker_image or (there[0].image if there else None)),
        env_id=env_id or labels.get(ENV_ID),
        screen=screen or labels.get("screen", "1024x768"),
        lease=lease,
        client_id=client_id,
        owner=manager.owner.name,
    )
    wanted = Wanted(recipe, tuple(constraints), manager.tls or TLS in labels)
    roster = Roster(manager, wanted, timeout or found.boot, keep=True, progress=progress)
    try:
        return [remote for remote, _ in await roster.open(n, whole=True)]
    finally:
        await roster.close()


async def status(manager: Swarm) -> Status:
    """Return what a swarm has: its nodes, and its remotes.

    Raises:
        ProvisionError: The manager does not answer.
    """
    board = Board(manager)
    sight = await board.look()
    remotes = []
    for service in await board.services():
        task = sight.current(service.id)
        node = sight.nodes.get(task.node) if task else None
        remotes.append(
            Seen(
                name=service.remote_name,
                service=service.name,
                runtime=service.runtime,
                client_id=service.client_id,
                state=task.state if task else "new",
                node=node.name if node else "",
                reason=task.error if task else "",
                remote=board.remote(service, task) if task else None,
            )
        )
    return Status(sorted(sight.nodes.values(), key=lambda node: node.name), remotes)


async def image_of(manager: Swarm, runtime: str, *, client_id: str = CLIENT_ID) -> str | None:
    """Return what the remotes that a client has of a runtime are made of; None: it has none.

    Raises:
        ProvisionError: The manager does not answer.
    """
    there = await _of(manager, client_id, runtime)
    return there[0].image if there else None


async def stop(
    manager: Swarm, *, client_id: str | None = CLIENT_ID, runtime: str | None = None
) -> int:
    """End remotes of this owner, with their secrets, and wait until their containers are gone.

    Args:
        manager: Of the swarm.
        client_id: Whose; None: everybody's.
        runtime: Those that run this; None: whatever they run.

    Returns:
        How many there were.

    Raises:
        ProvisionError: The manager does not answer, or refuses.
    """
    ended = await _of(manager, client_id, runtime)
    await Board(manager).remove(ended)
    return len(ended)


async def _of(manager: Swarm, client_id: str | None, runtime: str | None) -> list[Service]:
    """Return this owner's services of a client and a runtime; None: of any."""
    return [
        service
        for service in await Board(manager).services(owner=manager.owner.name)
        if client_id in (None, service.client_id) and runtime in (None, service.runtime)
    ]
