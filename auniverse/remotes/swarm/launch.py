"""Services of a swarm as remotes, for as long as a context lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from auniverse.address import Remote
from auniverse.errors import UsageError
from auniverse.runtimes import runtime as find_runtime

from ..docker.images import name_of
from ..docker.recipe import Recipe
from ..fleet import Fleet
from .berth import Berth
from .reach import open_manager
from .roster import Progress, Roster
from .wanted import Wanted


class SwarmFleet(Fleet):
    """Remotes in a swarm, which knows more of them than we do: it is asked when one was lost."""

    async def refresh(self, remote: Remote) -> None:
        """Ask the swarm how the remote is doing; unanswered, what was known stays."""
        keeper = self._keepers.get(remote.name)
        if isinstance(keeper, Berth):
            await keeper.refresh()


@asynccontextmanager
async def launch(
    runtime: str,
    n: int = 1,
    *,
    env_id: str | None = None,
    screen: str = "1024x768",
    lease: float | None = 60.0,
    timeout: float = 60.0,
    client_id: str | None = None,
    docker_image: str | None = None,
    warm: int = 0,
    manager: str = "",
    constraints: Sequence[str] = (),
    progress: Progress = lambda name, state: None,
) -> AsyncIterator[Fleet]:
    """Run `n` services of a swarm for as long as the context lasts; with a `client_id`, longer.

    Args:
        runtime: What they run.
        n: How many.
        env_id: The environment to begin with; None: the first reset says.
        screen: The size of their screens, such as "1024x768", or "native".
        lease: Seconds without a client, after which one ends itself; None: never.
        timeout: Seconds that each may take to boot.
        client_id: Then they go on after the context, for the runtime's `keep` seconds without a
            client, and are taken again by the next launch with the same id.
        docker_image: Takes the place of the runtime's image.
        warm: 0: a swarm keeps no spare ones.
        manager: A manager's address (see `open_manager`); "": the engine of `DOCKER_HOST`.
        constraints: Which nodes they may be placed on, such as "node.role==worker".
        progress: See `Progress`.

    Raises:
        RemoteNotReadyError: One did not get ready in time.
        ProvisionError: The engine manages no swarm, or not all can be placed; the message says why
            and what helps.
        UsageError: An argument is wrong.
    """
    if warm:
        raise UsageError("warm=: a swarm keeps no spare remotes; it places others by itself")
    found = find_runtime(runtime)
    async with open_manager(manager) as chosen:
        recipe = Recipe.of_launch(
            found,
            name_of(found, docker_image),
            chosen.owner,
            env_id=env_id,
            screen=screen,
            lease=lease,
            client_id=client_id,
        )
        wanted = Wanted(recipe, tuple(constraints), chosen.tls)
        roster = Roster(chosen, wanted, timeout, keep=client_id is not None, progress=progress)
        try:
            started = await roster.open(n)
            keepers = {remote.name: keeper for remote, keeper in started}
            yield SwarmFleet((remote for remote, _ in started), keepers, roster.start)
        finally:
            await roster.close()
