"""A worker's pool: an ordinary one, on its share of the remotes, that does what orders say.

It knows nothing of how orders come and answers go.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from auniverse.address import Remote
from auniverse.errors import AuniverseError
from auniverse.remotes import Fleet

from ..batch import Result
from ..heal import Healer
from ..members import Members
from ..pool import SessionPool
from ..shared import Handle, allocate_shared, can_share, share
from ..slot import Slot
from ..waiting import give_up_at, until_news
from .memory import Pixels, SharedBlocks
from .orders import (
    Act,
    Answer,
    Begin,
    Collect,
    Done,
    Enter,
    Entered,
    Freeze,
    Leave,
    News,
    Open,
    Opened,
    Patience,
    Rest,
    Settle,
    Tried,
    Withdraw,
)


class Share(SessionPool):
    """A pool that does what orders say. It opens even if none of its remotes can be reached.

    Args:
        remotes: The share.
        order: The first order.
        file: The descriptor of the file that pixels go to; None: they go into the answers.
    """

    def __init__(self, remotes: Fleet, order: Open, *, file: int | None = None) -> None:
        self._first = [place.slot for place in order.places]
        env_ids = [place.env_id for place in order.places]
        super().__init__(remotes, env_id=env_ids, **order.options)
        self.frames.grow(max(self._first) + 1)
        self._begun = 0
        self._collecting: asyncio.Task[Answer] | None = None
        self._errands: set[asyncio.Task[Any]] = set()
        self._shared = None if file is None else SharedBlocks(file)
        self._seen: dict[int, weakref.ref[Any]] = {}  # the screens that the other side knows of
        self._can_show = self._shared is not None and can_share()
        if self._shared is not None:
            self.frames.blocks = self._shared
        if self._can_show:
            self.frames.keep_screens_in(allocate_shared)
        self._obey: dict[type, Callable[[Any], asyncio.Task[Any] | None]] = {
            Settle: self._settle,
            Begin: self._begin,
            Act: self._act,
            Rest: self._rest,
            Withdraw: self._withdraw,
            Collect: self._begin_collecting,
            Enter: lambda order: self._run(self._enter(order)),
            Leave: lambda order: self._run(self._leave(order)),
            Freeze: lambda order: self._run(self._freeze(order)),
        }

    def _indices(self, count: int) -> Sequence[int]:
        return self._first

    def _members_of(self, slots: list[Slot], retries: int) -> Members:
        self._healer = Healer(self._session, self._wake.set, retries)
        return Members(slots, self._healer, self._wake, least=0)

    async def __aexit__(self, *failure: object) -> None:
        self._withdraw()
        errands = list(self._errands)
        for errand in errands:
            errand.cancel()
        try:
            if errands:
                await asyncio.wait(errands)
        finally:
            await super().__aexit__(*failure)

    def opened(self) -> Opened:
        """Return how opening went."""
        return Opened(self._tried(self._slots), self._news())

    def obey(self, order: Any) -> asyncio.Task[Any] | None:
        """Carry an order out; what takes time gives what there is to say then, to be awaited.

        The answer of a `Collect` that is withdrawn, or whose place another takes, is cancelled.
        """
        return self._obey[type(order)](order)

    def _run(self, errand: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task

    # -- who is in it --------------------------------------------------------------------------

    async def _enter(self, order: Enter) -> Entered:
        remotes = [place.remote for place in order.places]
        indices = [place.slot for place in order.places]
        new = self._slots_for(remotes, [place.env_id for place in order.places], indices)
        self.frames.grow(max(indices) + 1)
        try:
            await self._members.add(new)
        except AuniverseError as error:  # the caller is to blame
            return Entered(dict.fromkeys(indices, Tried(error, dead=True)), self._news())
        return Entered(self._tried(new), self._news())

    def remotes_of(self, indices: Iterable[int]) -> list[Remote]:
        """Return the remotes of those of some slots that are here."""
        slots = self._by_index()
        return [slots[index].remote for index in indices if index in slots]

    async def _leave(self, order: Leave) -> Done:
        await self.remove([index for index in order.slots if index in self.env_ids])
        return Done(order.number)

    async def _freeze(self, order: Freeze) -> Done:
        (slot,) = self._members.chosen([order.slot])
        try:
            await (slot.fleet.pause if order.on else slot.fleet.resume)(slot.remote)
        except AuniverseError as error:
            return Done(order.number, error)
        return Done(order.number)

    def _tried(self, slots: Iterable[Slot]) -> dict[int, Tried]:
        return {slot.index: Tried(slot.error if slot.absent else None, slot.dead) for slot in slots}

    # -- orders --------------------------------------------------------------------------------

    def _settle(self, order: Settle) -> None:
        self.frames.settle(order.size)
        if self._shared is not None:
            self._shared.settle((order.rows, *self.observation_shape))

    def _begin(self, order: Begin) -> None:
        self._begun += 1
        slots, now = self._by_index(), self._now()
        for index, seed, env_id in order.episodes:
            if slot := slots.get(index):
                slot.begin_reset(seed, now, env_id)

    def _act(self, order: Act) -> None:
        slots, now = self._by_index(), self._now()
        for index, events in order.actions:
            if slot := slots.get(index):
                slot.send(events, now)

    def _rest(self, order: Rest) -> None:
        slots, now = self._by_index(), self._now()
        for index in order.slots:
            if slot := slots.get(index):
                (slot.pause if order.on else slot.resume)(now)
        (self._healer.running.clear if order.on else self._healer.running.set)()
        self._wake.set()

    def _withdraw(self, order: Withdraw | None = None) -> None:
        if self._collecting is not None:
            self._collecting.cancel()
            self._collecting = None

    def _by_index(self) -> dict[int, Slot]:
        """Return the slots; one that left meanwhile may still be spoken of."""
        return {slot.index: slot for slot in self._slots}

    def _begin_collecting(self, order: Collect) -> asyncio.Task[Answer]:
        self._withdraw()
        self._collecting = asyncio.get_running_loop().create_task(self._collect(order))
        return self._collecting

    # -- answers -------------------------------------------------------------------------------

    async def _collect(self, order: Collect) -> Answer:
        wanted = set(order.slots)
        slots = [slot for slot in self._slots if slot.index in wanted and slot.pending]
        give_up = give_up_at(self._now(), order.seconds)
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
        stats = {slot.index: slot.stats() for slot in self._slots}
        screens = self._new_screens() if self._can_show else None
        return News(self.frames.size, self.v1, stats, self.frames.stopwatch.seconds, screens)

    def _new_screens(self) -> dict[int, Handle] | None:
        """Return where the screens are that opened since last asked."""
        new = {}
        for index in self.env_ids:
            screen = self.frames.panes[index].screen
            known = self._seen.get(index)
            if screen is not None and (known is None or known() is not screen):
                self._seen[index] = weakref.ref(screen)
                new[index] = share(screen)
        return new or None
