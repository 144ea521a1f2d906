"""The remotes of a worker, which are kept in another process: what is to be done is asked there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from auniverse.address import Remote
from auniverse.remotes import Fleet

from .orders import Ask, Doing, Place, Told

NOTHING_KNOWN = Doing(None, "", "")


class FarFleet(Fleet):
    """A fleet that somebody else keeps.

    Of how its remotes are doing it knows what it was last told; `refresh` asks.

    Args:
        places: Name the remotes.
        say: Sends an `Ask` to whoever keeps them.
    """

    def __init__(self, places: Iterable[Place], say: Callable[[Ask], None]) -> None:
        super().__init__(())
        self._known: dict[str, Doing] = {}
        self.enter(places)
        self._say = say
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._count = 0

    def enter(self, places: Iterable[Place]) -> None:
        """Know the remotes of more slots."""
        for place in places:
            self.append(place.remote)
            if place.kept:
                self._known[place.remote.name] = Doing(True, "", "")

    def can_replace(self, remote: Remote) -> bool:
        """Tell whether the remote can be replaced."""
        return remote.name in self._known

    def alive(self, remote: Remote) -> bool | None:
        """Return whether the remote still ran when last asked; None: nobody there knows."""
        return self._doing(remote).alive

    def log_tail(self, remote: Remote) -> str:
        """Return the last lines of the remote's log, as of then."""
        return self._doing(remote).log_tail

    def cause_of_death(self, remote: Remote) -> str:
        """Return how the remote ended, "" if it had not."""
        return self._doing(remote).cause_of_death

    def _doing(self, remote: Remote) -> Doing:
        return self._known.get(remote.name, NOTHING_KNOWN)

    async def refresh(self, remote: Remote) -> None:
        """Ask how the remote is doing."""
        if remote.name in self._known:
            self._known[remote.name] = await self._ask("describe", remote)

    async def replace(self, remote: Remote) -> Remote:
        """As `Fleet.replace`, there."""
        new: Remote = await self._ask("replace", remote)
        for place, old in enumerate(self):
            if old.name == new.name:
                self[place] = new
        self._known[new.name] = Doing(True, "", "")
        return new

    async def pause(self, remote: Remote) -> None:
        """As `Fleet.pause`, there."""
        await self._ask("pause", remote)

    async def resume(self, remote: Remote) -> None:
        """As `Fleet.resume`, there."""
        await self._ask("resume", remote)

    async def _ask(self, what: str, remote: Remote) -> Any:
        self._count += 1
        number = self._count
        self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._say(Ask(number, what, remote))
            return await self._asked[number]
        finally:
            del self._asked[number]

    def hear(self, told: Told) -> None:
        """What was asked for is done."""
        asked = self._asked.get(told.number)
        if asked is None or asked.done():
            return
        if told.error is not None:
            asked.set_exception(told.error)
        else:
            asked.set_result(told.value)
