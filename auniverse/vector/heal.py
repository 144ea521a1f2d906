"""How a slot gets its remote back: how often, how soon, and whether it is the same one.

Theory of operation. Each slot has one task, its keeper, which opens a session, waits until it is
lost, and opens the next. A remote that may live is connected to again; one that has ended, or that
does not answer in the time it took at first, is replaced by whoever started it, if anybody here
did. Pauses between tries grow, with jitter, and their number is limited. Nothing of that touches
the other slots: all of it is waiting, but for a few calls on the loop.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from auniverse.errors import (
    AuniverseError,
    ConnectionLostError,
    MissingDependencyError,
    ProvisionError,
    RemoteError,
)
from auniverse.session import Session

from .slot import Slot

#: Seconds between the end of a process's connections and the news of its own end: the kernel closes
#: the former first.
OBITUARY = 0.02
#: A remote that could be replaced has so many times the time of its first opening to come back,
#: and seconds.
PATIENCE, LEAST_PATIENCE = 4.0, 1.0


@dataclass(slots=True)
class Budget:
    """Tries of one slot: exponential pauses with jitter, then no more.

    A remote that lived for `forgive` seconds has its earlier losses forgiven.

    Attributes:
        tries: Losses in a row that are answered with another try.
        pause: Seconds before the first try; it doubles up to `longest`.
        causes: Losses by the name of their error, over the life of the slot.
    """

    tries: int = 5
    pause: float = 0.5
    longest: float = 10.0
    forgive: float = 60.0
    causes: Counter[str] = field(default_factory=Counter)
    jitter: Callable[[], float] = random.random
    _losses: int = 0

    def spend(self, error: AuniverseError, lived: float) -> float | None:
        """Return the seconds to wait before the next try, None if there is none.

        Args:
            error: Why the remote was lost, or did not come.
            lived: Seconds for which it had been open.
        """
        self.causes[type(error).__name__] += 1
        if lived >= self.forgive:
            self._losses = 0
        self._losses += 1
        if not _retryable(error) or self._losses > self.tries:
            return None
        pause = min(self.pause * 2.0 ** (self._losses - 1), self.longest)
        return float(pause * (0.5 + self.jitter() / 2))


def _retryable(error: AuniverseError) -> bool:
    if isinstance(error, RemoteError):
        return error.retryable
    return isinstance(error, ProvisionError) and not isinstance(error, MissingDependencyError)


class Healer:
    """Keeps sessions in slots.

    Args:
        open_session: Makes the session of a slot; a timeout for its opening may be given.
        wake: Called whenever a slot got or lost its session.
        tries: See `Budget`.

    Attributes:
        running: Cleared while the pool is paused: nobody comes back meanwhile.
    """

    def __init__(
        self,
        open_session: Callable[[Slot, float | None], Session],
        wake: Callable[[], None],
        tries: int,
    ) -> None:
        self.running = asyncio.Event()
        self.running.set()
        self._open_session = open_session
        self._wake = wake
        self._tries = tries

    async def keep(self, slot: Slot) -> None:
        """Keep a session in a slot for as long as its budget lasts."""
        loop = asyncio.get_running_loop()
        budget = Budget(self._tries, causes=slot.causes)
        pause: float | None = 0.0
        while pause is not None:
            await asyncio.sleep(pause)
            await self.running.wait()
            try:
                if slot.lacks_remote:
                    await slot.replace_remote()
                began = loop.time()
                async with self._open_session(slot, self._patience(slot)) as session:
                    came = loop.time()
                    slot.opening_s = slot.opening_s or came - began
                    slot.attach(session, came)
                    self._wake()
                    error = await session.lost()
                    pause = await self._note_loss(slot, budget, error, loop.time() - came)
            except AuniverseError as failure:
                pause = await self._note_loss(slot, budget, failure, None)

    def _patience(self, slot: Slot) -> float | None:
        """Return the seconds that a remote has to answer; None: as many as the session gives."""
        if slot.opening_s and slot.fleet.can_replace(slot.remote):
            return LEAST_PATIENCE + PATIENCE * slot.opening_s
        return None

    async def _note_loss(
        self, slot: Slot, budget: Budget, error: AuniverseError, lived: float | None
    ) -> float | None:
        """Take the session from a slot; return the pause before the next try, None for no more."""
        fleet, remote = slot.fleet, slot.remote
        if isinstance(error, ConnectionLostError) and fleet.alive(remote):
            await asyncio.sleep(OBITUARY)
        slot.lacks_remote = fleet.can_replace(remote) and (
            lived is None or fleet.alive(remote) is False
        )
        pause = budget.spend(error, lived or 0.0)
        slot.detach(error, dead=pause is None)
        self._wake()
        return pause
