"""How a slot gets its remote back: how often, how soon, and whether it is the same one.

Theory of operation. Each slot has one task, its keeper, which opens a session, waits until it is
lost, and opens the next. A remote that may live is connected to again; one that has ended, or that
does not answer in the time it took at first, is replaced by whoever started it, if anybody here
did. Pauses between tries grow, with jitter, and their number is limited. Nothing of that touches
the other slots: all of it is waiting, but for a few calls on the loop.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

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
#: A remote that could be replaced has so many seconds to come back, and so many times the time of
#: its first opening.
LEAST_PATIENCE, PATIENCE = 1.0, 1.5


@dataclass(slots=True)
class Budget:
    """Tries of one slot: exponential pauses with jitter, then no more.

    A remote that lived for `forgive` seconds, or was played to an episode's end, has its earlier
    losses forgiven. One that lived for longer than the pause that is next was no trouble to open:
    it is counted, and pauses begin anew.

    Attributes:
        tries: Losses in a row that are answered with another try.
        pause: Seconds before the first try; it doubles up to `longest`.
    """

    tries: int = 5
    pause: float = 0.5
    longest: float = 10.0
    forgive: float = 60.0
    jitter: Callable[[], float] = random.random
    _losses: int = 0
    _doublings: int = 0

    def spend(self, error: AuniverseError, lived: float) -> float | None:
        """Return the seconds to wait before the next try, None if there is none.

        Args:
            error: Why the remote was lost, or did not come.
            lived: Seconds for which it had been open; infinite if an episode was played.
        """
        if lived >= self.forgive:
            self._losses = 0
        self._losses += 1
        if not retryable(error) or self._losses > self.tries:
            return None
        if lived > self._pause:
            self._doublings = 0
        pause = self._pause
        self._doublings = min(self._doublings + 1, 100)  # who tries for ever doubles past any float
        return pause * (0.5 + self.jitter() / 2)

    @property
    def _pause(self) -> float:
        return min(self.pause * 2.0**self._doublings, self.longest)


def retryable(error: AuniverseError) -> bool:
    """Tell whether another try may help."""
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
        budget = Budget(self._tries)
        pause: float | None = 0.0
        while pause is not None:
            await asyncio.sleep(pause)
            await self.running.wait()
            fresh = slot.lacks_remote
            try:
                if fresh:
                    await slot.replace_remote()
                began, episodes = loop.time(), slot.episodes
                patience = None if fresh else self._patience(slot)
                async with self._open_session(slot, patience) as session:
                    came = loop.time()
                    slot.opening_s = slot.opening_s or came - began
                    slot.attach(session, came)
                    self._wake()
                    error = await session.lost()
                    lived = math.inf if slot.episodes > episodes else loop.time() - came
                    pause = await self._note_loss(slot, budget, error, lived)
            except AuniverseError as failure:
                pause = self._note_failure(slot, budget, failure, fresh=fresh)

    def _patience(self, slot: Slot) -> float | None:
        """Return the seconds that a remote has to answer; None: as many as the session gives."""
        if slot.opening_s and slot.fleet.can_replace(slot.remote):
            return LEAST_PATIENCE + PATIENCE * slot.opening_s
        return None

    async def _note_loss(
        self, slot: Slot, budget: Budget, error: AuniverseError, lived: float
    ) -> float | None:
        """Take a lost session from its slot; return the pause before the next try, None for no."""
        fleet, remote = slot.fleet, slot.remote
        if isinstance(error, ConnectionLostError) and fleet.alive(remote):
            await asyncio.sleep(OBITUARY)
        await fleet.refresh(remote)
        slot.lacks_remote = fleet.can_replace(remote) and fleet.alive(remote) is False
        return self._end(slot, error, budget.spend(error, lived))

    def _note_failure(
        self, slot: Slot, budget: Budget, error: AuniverseError, *, fresh: bool
    ) -> float | None:
        """Note that a session did not open, on a `fresh` remote or on the one before."""
        slot.lacks_remote = slot.fleet.can_replace(slot.remote)
        if slot.lacks_remote and slot.opening_s and not fresh and retryable(error):
            return 0.0  # still the same loss, and there is another way
        return self._end(slot, error, budget.spend(error, 0.0))

    def _end(self, slot: Slot, error: AuniverseError, pause: float | None) -> float | None:
        slot.detach(error, dead=pause is None)
        self._wake()
        return pause
