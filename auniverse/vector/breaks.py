"""A break in which the remotes of a pool stand still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from auniverse.address import Remote
from auniverse.errors import AuniverseError, UsageError
from auniverse.remotes import Fleet

from .slot import Slot


class Break:
    """Whether a pool has one.

    Args:
        running: Cleared while there is one.

    Attributes:
        on: Whether there is one.
    """

    def __init__(self, running: asyncio.Event) -> None:
        self.on = False
        self._running = running

    async def begin(self, slots: Iterable[Slot], now: float) -> None:
        """Let slots and their remotes stand still.

        Raises:
            UsageError: Nobody here keeps one of the remotes, so nothing happened.
            ProvisionError: One cannot be frozen; then all run on.
        """
        slots = list(slots)
        for slot in slots:
            if not slot.fleet.can_replace(slot.remote):
                raise UsageError(
                    f"slot {slot.index}: {slot.remote} was given by address, so nobody here can "
                    "let it stand still; only lock-step does"
                )
        self.on = True
        if not slots:
            return
        self._running.clear()
        for slot in slots:
            slot.pause(now)
        try:
            await _tell(slots, lambda fleet, remote: fleet.pause(remote))
        except BaseException:
            await self.end(slots, now)
            raise

    async def end(self, slots: Iterable[Slot], now: float) -> None:
        """Let slots and their remotes run on."""
        frozen = [slot for slot in slots if slot.paused]
        try:
            await _tell(frozen, lambda fleet, remote: fleet.resume(remote))
        finally:
            self.on = False
            for slot in frozen:
                slot.resume(now)
            self._running.set()


async def _tell(
    slots: Iterable[Slot], what: Callable[[Fleet, Remote], Coroutine[Any, Any, None]]
) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for slot in slots:
                group.create_task(what(slot.fleet, slot.remote))
    except* AuniverseError as failures:
        raise failures.exceptions[0] from None
