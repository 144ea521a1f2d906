"""When a batch is ready, and what to wait for until then."""

from __future__ import annotations

import asyncio

from auniverse.errors import UsageError

from .slot import NEVER, Slot


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
    alive = [slot for slot in pending if slot in ready or not slot.dead]
    if not alive:
        lost = next((slot for slot in pending if slot.error), None)
        raise lost.final_error() if lost else UsageError("recv without send")
    if min_envs is not None:
        return len(ready) >= max(1, min(min_envs, len(alive)))
    if lockstep:
        return bool(ready) and all(slot in ready or slot.session is None for slot in alive)
    return bool(ready) and all(slot in ready or not slot.live for slot in alive)


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
