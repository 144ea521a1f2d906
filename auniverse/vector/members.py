"""Who is in a pool: slots come, are kept, stand still, and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from auniverse.errors import UsageError

from .breaks import Break
from .heal import Healer
from .slot import Slot


class Members:
    """The slots of a pool, and the task of each, its keeper.

    The keepers live in this object's task group, from `open` to `close`.

    Args:
        slots: Those of the beginning, by ascending index.
        healer: Keeps sessions in them.
        wake: Set by whatever happens to one of them.

    Attributes:
        slots: Those of now, by ascending index.
        rest: The break, if there is one.
    """

    def __init__(self, slots: list[Slot], healer: Healer, wake: asyncio.Event) -> None:
        self.slots = slots
        self.rest = Break(healer.running)
        self._keep: Callable[[Slot], Coroutine[Any, Any, None]] = healer.keep
        self._wake = wake
        self._tasks = asyncio.TaskGroup()
        self._keepers: dict[Slot, asyncio.Task[None]] = {}

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
            await self._come(self.slots)
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
            await self._come(slots)
        except BaseException:
            await self.remove(slots)
            raise

    async def remove(self, slots: list[Slot]) -> None:
        """Let slots go, and wait until their sessions are closed."""
        self.slots = [slot for slot in self.slots if slot not in slots]
        keepers = [self._keepers.pop(slot) for slot in slots if slot in self._keepers]
        for keeper in keepers:
            keeper.cancel()
        for slot in slots:
            slot.dead = True
        self._wake.set()
        if keepers:
            await asyncio.wait(keepers)

    async def resume(self) -> None:
        """End the break."""
        await self.rest.end(self.slots, asyncio.get_running_loop().time())
        self._wake.set()

    async def _come(self, slots: list[Slot]) -> None:
        for slot in slots:
            self._keepers[slot] = self._tasks.create_task(self._keep(slot))
        while not all(slot.tried for slot in slots):
            self._wake.clear()
            await self._wake.wait()
        errors = [slot.error for slot in slots if slot.error is not None]
        for error in errors:
            if isinstance(error, UsageError):
                raise error
        if errors and all(slot.session is None for slot in slots):
            raise errors[0]
