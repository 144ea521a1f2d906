"""When a batch is ready, and what to wait for until then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from auniverse.errors import AuniverseError, UsageError

from .slot import NEVER, Slot
from .times import Times

#: Seconds. An event loop waits for whole milliseconds, rounded up: whoever gives up half of one
#: early is in time on average.
ROUNDING = 0.0005
#: Seconds. What making a batch may be foreseen to take; the first one, in fresh memory, takes more.
MOST_FORESEEN = 0.005
#: What the newest batch counts in what the next one is foreseen to take.
NEWEST = 1 / 8


def give_up_at(now: float, timeout: float | None, making: float = 0.0) -> float:
    """Return the `loop.time()` at which a wait of so many seconds is over.

    Args:
        now: Its begin.
        timeout: When who waits wants a batch; None: when it is complete.
        making: Seconds that it takes to make one of what there is then.
    """
    return NEVER if timeout is None else now + max(timeout - ROUNDING - making, 0.0)


class Waiting:
    """A pool that waits for its slots, by its watch.

    Args:
        wake: Set whenever something arrives.
        times: The watch.

    Attributes:
        lockstep: Whether they play in lock-step.
        raises: Whether the end of a slot is raised.
        making: Seconds that it takes to make a batch, as far as can be foreseen.
    """

    def __init__(self, wake: asyncio.Event, times: Times) -> None:
        self._wake = wake
        self._times = times
        self.lockstep = False
        self.raises = False
        self.making = 0.0

    def made(self, seconds: float) -> None:
        """Learn that it took so many seconds to make a batch."""
        self.making += NEWEST * (min(seconds, MOST_FORESEEN) - self.making)

    async def for_results(
        self, pending: list[Slot], min_envs: int | None, timeout: float | None
    ) -> list[Slot]:
        """Wait for enough of the slots that owe a result; return those that have it.

        Raises:
            RemoteError: See `enough` and `refuse_exhausted`.
        """
        clock = asyncio.get_running_loop().time
        give_up = give_up_at(clock(), timeout, self.making)
        await self._by_the_watch(asyncio.sleep(0))  # sockets are read even if nobody has to wait
        while True:
            now = clock()
            if self.raises:
                refuse_exhausted(pending)
            ready = [slot for slot in pending if slot.ready(now)]
            if enough(pending, ready, min_envs, lockstep=self.lockstep) or now >= give_up:
                return ready
            await self._by_the_watch(until_news(pending, self._wake, give_up))

    async def for_episodes(self, chosen: list[Slot]) -> list[Slot]:
        """Wait until slots show the first frame of an episode; those without a session do not.

        Returns:
            Those of them that are still in the pool.

        Raises:
            RemoteError: None of them has a session; or see `refuse_exhausted`.
            UsageError: All were removed.
        """
        clock = asyncio.get_running_loop().time
        while not all(slot.gone or slot.ready(clock()) or slot.session is None for slot in chosen):
            await self._by_the_watch(until_news(chosen, self._wake, NEVER))
        return self._begun(chosen)

    def _begun(self, chosen: list[Slot]) -> list[Slot]:
        if self.raises:
            refuse_exhausted(chosen)
        left = [slot for slot in chosen if not slot.gone]
        if all(slot.absent for slot in left):
            raise why_none(left or chosen)
        return left

    async def _by_the_watch(self, news: Awaitable[None]) -> None:
        self._times.turn("waiting")
        try:
            await news
        finally:
            self._times.turn("stepping")


def enough(pending: list[Slot], ready: list[Slot], min_envs: int | None, *, lockstep: bool) -> bool:
    """Tell whether `recv` may return.

    Args:
        pending: The slots that owe a result.
        ready: Those of them that have it.
        min_envs: How many are enough; None: all that play. In lock-step nothing else moves on, so
            that those that reset are waited for too.
        lockstep: Whether they play in lock-step.

    Raises:
        RemoteError: All are dead; the error of the first.
        UsageError: All were removed.
    """
    there = set(ready)
    alive = [slot for slot in pending if slot in there or not slot.dead]
    if not alive:
        raise why_none(pending)
    if min_envs is not None:
        return len(ready) >= max(1, min(min_envs, len(alive)))
    if lockstep:
        return bool(ready) and all(slot in there or slot.session is None for slot in alive)
    return bool(ready) and all(slot in there or not slot.live for slot in alive)


def why_none(slots: list[Slot]) -> AuniverseError:
    """Return the error for slots of which none has a remote."""
    lost = next((slot for slot in slots if slot.error), None)
    return lost.final_error() if lost else UsageError("all that were waited for were removed")


def refuse_exhausted(slots: list[Slot]) -> None:
    """Raise a RemoteError if a slot was given up and nobody was told."""
    for slot in slots:
        if slot.lost_for_good:
            raise slot.final_error()


async def until_news(slots: list[Slot], wake: asyncio.Event, until: float) -> None:
    """Wait for the next moment at which one of `slots` may have become ready.

    Args:
        slots: Those that are waited for.
        wake: Set whenever something arrives.
        until: No longer than until this `loop.time()`.
    """
    until = min(until, *(slot.next_time for slot in slots))
    if all(slot.ticking for slot in slots):
        await asyncio.sleep(until - asyncio.get_running_loop().time())
        return
    wake.clear()
    try:
        async with asyncio.timeout_at(None if until == NEVER else until):
            await wake.wait()
    except TimeoutError:
        return
