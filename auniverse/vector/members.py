"""Who is in a pool: slots come, are kept, stand still, and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

from auniverse.errors import UsageError

from .breaks import Break
from .slot import Slot

Kept = TypeVar("Kept", contravariant=True)


class Healing(Protocol[Kept]):
    """Whoever keeps sessions in slots, or workers on shards."""

    running: asyncio.Event

    async def keep(self, kept: Kept, /) -> None:
        """Keep one there for as long as that can be."""


class Members:
    """The slots of a pool, and the task of each, its keeper.

    The keepers live in this object's task group, from `open` to `close`.

    Args:
        slots: Those of the beginning, by ascending index.
        healer: Keeps sessions in them.
        wake: Set by whatever happens to one of them.
        least: Of slots that come together, so many must get a session, or none is taken in.

    Attributes:
        slots: Those of now, by ascending index.
        rest: The break, if there is one.
    """

    def __init__(
        self, slots: list[Slot], healer: Healing[Any], wake: asyncio.Event, least: int = 1
    ) -> None:
        self.slots = slots
        self.rest = Break(healer.running)
        self._keep: Callable[[Any], Coroutine[Any, Any, None]] = healer.keep
        self._wake = wake
        self._least = least
        self._tasks = asyncio.TaskGroup()
        self._keepers: dict[object, asyncio.Task[None]] = {}

    @property
    def indices(self) -> list[int]:
        """The indices of the slots, ascending."""
        return [slot.index for slot in self.slots]

    def chosen(self, indices: Iterable[int] | None) -> list[Slot]:
        """Return some slots, all for None.

        Raises:
            UsageError: There is no such slot.
        """
        if indices is None:
            return list(self.slots)
        slots = {slot.index: slot for slot in self.slots}
        try:
            return [slots[index] for index in indices]
        except (KeyError, TypeError) as error:
            known = ", ".join(map(str, slots)) or "none"
            raise UsageError(f"env_ids are {known}") from error

    async def open(self) -> None:
        """Start the keepers and wait until each has tried; raises as `add`."""
        await self._tasks.__aenter__()
        try:
            self._begin(self.slots)
            await self.tried(self.slots)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the keepers, and a break before them."""
        try:
            if self.rest.on:
                await self.resume()
        finally:
            for keeper in self._keepers.values():
                keeper.cancel()
            await self._tasks.__aexit__(None, None, None)

    async def add(self, slots: list[Slot]) -> None:
        """Take slots in.

        Raises:
            AuniverseError: None of them got a session, or the call is to blame; none is in then.
        """
        self.slots = sorted([*self.slots, *slots], key=lambda slot: slot.index)
        try:
            self._begin(slots)
            await self.tried(slots)
        except BaseException:
            await self.remove(slots)
            raise

    async def remove(self, slots: list[Slot]) -> None:
        """Let slots go, and wait until their sessions are closed."""
        self.slots = [slot for slot in self.slots if slot not in slots]
        for slot in slots:
            slot.dead = slot.gone = True
        self._wake.set()
        try:
            await self._end(slots)
        finally:
            for slot in slots:
                slot.session = None
            self._wake.set()

    async def resume(self) -> None:
        """End the break."""
        await self.rest.end(self.slots, asyncio.get_running_loop().time())
        self._wake.set()

    async def tried(self, slots: list[Slot]) -> None:
        """Wait until each of some slots has tried to get a session, or was let go.

        Raises:
            AuniverseError: Too few of them got one, or the call is to blame.
        """
        while not all(slot.tried or slot.dead for slot in slots):
            self._wake.clear()
            await self._wake.wait()
        errors = [slot.error for slot in slots if slot.error is not None]
        for error in errors:
            if isinstance(error, UsageError):
                raise error
        if errors and sum(not slot.absent for slot in slots) < self._least:
            raise errors[0]

    def _begin(self, slots: Iterable[Slot]) -> None:
        """Have sessions kept in slots."""
        for slot in slots:
            self._employ(slot)

    async def _end(self, slots: Iterable[Slot]) -> None:
        """Have the sessions of slots closed."""
        await self._dismiss(slots)

    def _employ(self, kept: object) -> None:
        self._keepers[kept] = self._tasks.create_task(self._keep(kept))

    async def _dismiss(self, kept: Iterable[object]) -> None:
        keepers = [self._keepers.pop(one) for one in kept if one in self._keepers]
        for keeper in keepers:
            keeper.cancel()
        if keepers:
            await asyncio.wait(keepers)
