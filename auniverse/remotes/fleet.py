"""The remotes of one launch, how each is doing, and what can be done about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from auniverse.address import Remote
from auniverse.errors import UsageError


class Keeper(Protocol):
    """Whoever keeps one remote running."""

    @property
    def alive(self) -> bool:
        """Whether it still runs; one that is paused does."""

    @property
    def log_tail(self) -> str:
        """The last lines of its log."""

    @property
    def cause_of_death(self) -> str:
        """How it ended, such as "killed by signal 9"; "" while it lives or if nobody knows."""

    async def refresh(self) -> None:
        """Learn whether it still runs, for a moment: such news come after the connections' end."""

    async def replace(self) -> Remote:
        """End what is left of it and start another in its place, under the same `Remote.name`.

        Raises:
            ProvisionError: The other one did not start; this may be tried again.
        """

    async def pause(self) -> None:
        """Freeze it; one that has ended, or is frozen, stays as it is."""

    async def resume(self) -> None:
        """Let it run on; one that has ended, or runs, stays as it is."""

    async def stop(self) -> None:
        """End it for good. Twice is once."""


#: Starts so many more remotes: all, or none and a ProvisionError.
Start: TypeAlias = Callable[[int], Awaitable[Sequence[tuple[Remote, Keeper]]]]


class Fleet(list[Remote]):
    """A list of remotes that also knows what this machine knows about them.

    A keeper is looked up by `Remote.name`, which is unique in a fleet and the same after a
    replacement: a `Remote` from before it still stands for its place.

    Args:
        remotes: The remotes, in order.
        keepers: Who keeps them running, by `Remote.name`; empty for remotes that were given by
            address, of which nothing more is known.
        start: Starts more of them; None: nobody here can.
    """

    def __init__(
        self,
        remotes: Iterable[Remote],
        keepers: Mapping[str, Keeper] | None = None,
        start: Start | None = None,
    ) -> None:
        super().__init__(remotes)
        self._keepers = dict(keepers or {})
        self._start = start

    # -- what is known -------------------------------------------------------------------------

    def alive(self, remote: Remote) -> bool | None:
        """Return whether the remote still runs; None: nobody here knows."""
        keeper = self._keepers.get(remote.name)
        return keeper.alive if keeper else None

    def log_tail(self, remote: Remote) -> str:
        """Return the last lines of the remote's log, "" if nobody here has it."""
        keeper = self._keepers.get(remote.name)
        return keeper.log_tail if keeper else ""

    def cause_of_death(self, remote: Remote) -> str:
        """Return how the remote ended, "" while it lives or if nobody here knows."""
        keeper = self._keepers.get(remote.name)
        return keeper.cause_of_death if keeper else ""

    def can_replace(self, remote: Remote) -> bool:
        """Tell whether somebody here keeps the remote: it can be replaced, paused and ended."""
        return remote.name in self._keepers

    async def refresh(self, remote: Remote) -> None:
        """Learn how the remote is doing, if anybody here can."""
        if (keeper := self._keepers.get(remote.name)) is not None:
            await keeper.refresh()

    # -- what can be done ----------------------------------------------------------------------

    async def replace(self, remote: Remote) -> Remote:
        """End what is left of a remote; return another one, which takes its place in this list.

        Raises:
            ProvisionError: The other one did not start; this may be tried again.
            UsageError: Nobody here keeps the remote.
        """
        new = await self._keeper(remote).replace()
        for place, old in enumerate(self):
            if old.name == new.name:
                self[place] = new
        return new

    async def pause(self, remote: Remote) -> None:
        """Freeze a remote; UsageError: nobody here keeps it."""
        await self._keeper(remote).pause()

    async def resume(self, remote: Remote) -> None:
        """Let a remote run on; UsageError: nobody here keeps it."""
        await self._keeper(remote).resume()

    async def grow(self, n: int) -> list[Remote]:
        """Start `n` more remotes, put them at the end of this list and return them.

        Raises:
            ProvisionError: One did not start; then none is there.
            UsageError: Nobody here can start more.
        """
        if self._start is None:
            raise UsageError("these remotes were given by address: more must be given as well")
        if n < 1:
            raise UsageError(f"a fleet grows by 1 or more, not by {n!r}")
        started = await self._start(n)
        self._keepers |= {remote.name: keeper for remote, keeper in started}
        self += (new := [remote for remote, _ in started])
        return new

    async def shrink(self, remotes: Iterable[Remote]) -> None:
        """End some remotes and take them off this list; UsageError: nobody here keeps one."""
        keepers = {remote.name: self._keeper(remote) for remote in remotes}
        self[:] = [remote for remote in self if remote.name not in keepers]
        async with asyncio.TaskGroup() as group:
            for name, keeper in keepers.items():
                del self._keepers[name]
                group.create_task(_end(keeper))

    def _keeper(self, remote: Remote) -> Keeper:
        try:
            return self._keepers[remote.name]
        except KeyError:
            raise UsageError(f"{remote} was given by address: nobody here keeps it") from None


async def _end(keeper: Keeper) -> None:
    await keeper.stop()
