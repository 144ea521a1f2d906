"""A worker's pool: an ordinary one, on its share of the remotes, that does what orders say.

It knows nothing of how orders come and answers go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from auniverse.remotes import Fleet

from ..batch import Result
from ..counters import add_up
from ..heal import Healer
from ..members import Members
from ..pool import SessionPool
from ..slot import NEVER, Slot
from ..waiting import until_news
from .memory import Pixels, SharedBlocks
from .orders import (
    Act,
    Answer,
    Begin,
    Collect,
    News,
    Opened,
    Patience,
    Rest,
    Settle,
    Withdraw,
)


class Share(SessionPool):
    """A pool that does what orders say. It opens even if none of its remotes can be reached.

    Args:
        remotes: The share.
        file: The descriptor of the file that pixels go to; None: they go into the answers.
        options: As for `SessionPool`.
    """

    def __init__(
        self,
        remotes: Fleet,
        *,
        file: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(remotes, **options)
        self._begun = 0
        self._collecting: asyncio.Task[Answer] | None = None
        self._shared = None if file is None else SharedBlocks(file)
        if self._shared is not None:
            self.frames.blocks = self._shared
        self._obey: dict[type, Callable[[Any], None]] = {
            Settle: self._settle,
            Begin: self._begin,
            Act: self._act,
            Rest: self._rest,
            Withdraw: self._withdraw,
        }

    def _members_of(self, slots: list[Slot], retries: int) -> Members:
        self._healer = Healer(self._session, self._wake.set, retries)
        return Members(slots, self._healer, self._wake, least=0)

    async def __aexit__(self, *failure: object) -> None:
        self._withdraw()
        await super().__aexit__(*failure)

    def opened(self) -> Opened:
        """Return how opening went."""
        slots = self._slots
        errors = [slot.error if slot.absent else None for slot in slots]
        return Opened(errors, [slot.dead for slot in slots], self._news())

    def obey(self, order: Any) -> asyncio.Task[Answer] | None:
        """Carry an order out; a `Collect` gives its answer, to be awaited.

        The answer of one that is withdrawn, or whose place another takes, is cancelled.
        """
        if isinstance(order, Collect):
            self._withdraw()
            self._collecting = asyncio.get_running_loop().create_task(self._collect(order))
            return self._collecting
        self._obey[type(order)](order)
        return None

    # -- orders --------------------------------------------------------------------------------

    def _settle(self, order: Settle) -> None:
        self.frames.settle(order.size)
        if self._shared is not None:
            ours = slice(order.first, order.first + self.num_envs)
            self._shared.settle((order.rows, *self.observation_shape), ours)

    def _begin(self, order: Begin) -> None:
        self._begun += 1
        now = self._now()
        for index, seed, env_id in order.episodes:
            self._slots[index].begin_reset(seed, now, env_id)

    def _act(self, order: Act) -> None:
        now = self._now()
        for index, events in order.actions:
            self._slots[index].send(events, now)

    def _rest(self, order: Rest) -> None:
        now = self._now()
        for index in order.slots:
            slot = self._slots[index]
            (slot.pause if order.on else slot.resume)(now)
        (self._healer.running.clear if order.on else self._healer.running.set)()
        self._wake.set()

    def _withdraw(self, order: Withdraw | None = None) -> None:
        if self._collecting is not None:
            self._collecting.cancel()
            self._collecting = None

    # -- answers -------------------------------------------------------------------------------

    async def _collect(self, order: Collect) -> Answer:
        slots = [slot for index in order.slots if (slot := self._slots[index]).pending]
        give_up = NEVER if order.seconds is None else self._now() + order.seconds
        await asyncio.sleep(0)  # let the sockets be read even if nobody ever has to wait
        while True:
            now = self._now()
            ready = [slot for slot in slots if slot.ready(now)]
            if self._suffices(order.patience, slots, ready) or now >= give_up:
                break
            await until_news(slots, self._wake, give_up)
        if self._unsettled:  # there is no place for pixels yet: tell their size and be asked again
            return Answer(order.number, self._begun, [], {}, self._news(), None)
        lost = {slot.index: (slot.error, slot.dead) for slot in slots if slot.absent}
        if order.patience is Patience.RESET:
            ready = [slot for slot in slots if slot in ready or slot.absent]
        results, pixels = self._give(ready, order.block, now)
        return Answer(order.number, self._begun, results, lost, self._news(), pixels)

    def _suffices(self, patience: Patience, slots: list[Slot], ready: list[Slot]) -> bool:
        if patience is Patience.RESET or (patience is Patience.PLAYING and self.lockstep):
            return all(slot in ready or slot.absent for slot in slots)
        if patience is Patience.PLAYING:
            return all(slot in ready or not slot.live for slot in slots)
        alive = [slot for slot in slots if slot in ready or not slot.dead]
        return len(ready) >= (len(alive) if patience is Patience.ALL else min(1, len(alive)))

    def _give(
        self, slots: list[Slot], block: int, now: float
    ) -> tuple[list[Result], Pixels | None]:
        results = [slot.result(now) for slot in slots]
        indices = [slot.index for slot in slots]
        first = {result.slot for result in results if result.info["reset"]}
        if self._shared is None:
            return results, self.frames.rows(indices, first)
        if self._shared.settled:
            self._shared.current = block
            self.frames.snapshot(indices, first)
        return results, None

    @property
    def _unsettled(self) -> bool:
        return self._shared is not None and not self._shared.settled and any(self.frames.size)

    def _news(self) -> News:
        return News(self.frames.size, self.v1, add_up(self._slots), self.frames.stopwatch.seconds)
