"""Some slots of a pool that are one worker's, as the pool's process sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from auniverse.errors import AuniverseError
from auniverse.session import InputEvent

from ..batch import Result
from ..shared import Handle
from ..slot import Slot
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
    Opened,
    Order,
    Patience,
    Place,
    Rest,
    Tried,
    Withdraw,
)
from .stats import add
from .worker import Worker

NOTHING_KNOWN = News((0, 0), None, {})
#: The number of an errand whose end nobody awaits.
NOBODY_WAITS = 0
_NOTHING_COUNTED: Mapping[str, Any] = MappingProxyType({})


class FarSlot(Slot):
    """A slot whose session lives with a worker.

    It goes back and forth as any slot does; what it owes is what the worker answers, or the fault
    of having lost the worker.

    Attributes:
        shard: The part of the pool that it belongs to.
        arrived: A result that the agent did not take yet.
        seed: Of the episode that was asked for and did not begin yet.
        begun: As many `Begin` the worker must have seen for its results to count.
        absent: There is no session, as far as we know.
        known: What its worker last said that it has counted.
        past: What workers before it have counted.
        screen: Where its whole screen is, if in memory that we can look into.
    """

    shard: Shard
    arrived: Result | None = None
    seed: int | None = None
    begun = 0
    absent = True
    known = past = _NOTHING_COUNTED
    screen: Handle | None = None

    def send(self, events: Iterable[InputEvent], now: float) -> None:
        """Have the worker act."""
        self.pending = True
        self.shard.act(self.index, list(events))

    def begin_reset(self, seed: int | None, now: float, env_id: str | None = None) -> None:
        """Have the worker begin an episode. Results that it gave before count no more."""
        self.env_id = env_id or self.env_id
        self.started = self.pending = True
        self.seed = seed
        self.arrived = None
        self.shard.begin(self)

    def pause(self, now: float) -> None:
        """As `Slot.pause`; the worker's slot, too."""
        super().pause(now)
        self.shard.tell(Rest([self.index], True))

    def resume(self, now: float) -> None:
        """As `Slot.resume`; the worker's slot, too."""
        super().resume(now)
        self.shard.tell(Rest([self.index], False))

    def ready(self, now: float) -> bool:
        """Tell whether the slot can give its result now."""
        return not self.paused and (self.arrived is not None or self._unreported)

    @property
    def place(self) -> Place:
        """What a worker must know to have the slot."""
        return Place(self.index, self.remote, self.env_id, self.fleet.can_replace(self.remote))

    def stats(self) -> dict[str, Any]:
        """Return its counters: here, and at its workers so far."""
        return add(add(self.past, super().stats()), self.known)

    def try_out(self, tried: Tried) -> None:
        """Its worker has tried the remote."""
        self.tried = True
        self.begun = 0
        self.dead = tried.dead
        self.absent = tried.error is not None
        self.error = tried.error or self.error
        self.remote = tried.remote or self.remote

    def detach(self, error: AuniverseError, *, dead: bool) -> None:
        """The worker is gone, and its remote with it."""
        self.past, self.known = add(self.past, self.known), _NOTHING_COUNTED
        self.screen = None
        self.absent = True
        super().detach(error, dead=dead)

    @property
    def lost_for_good(self) -> bool:
        """Whether it is dead, and nobody was told."""
        fault = self.arrived is not None and "fault" in self.arrived.info
        return self.dead and (self._unreported or fault)

    def final_error(self) -> AuniverseError:
        """As `Slot.final_error`, with what the worker knows of it."""
        if self.arrived is not None:
            self.result(0.0)
        return super().final_error()

    def result(self, now: float) -> Result:
        """Give what arrived, else the fault."""
        self.pending = False
        if self.arrived is None:
            return self._fault_result()
        result, self.arrived = self.arrived, None
        self._loss = result.info.get("fault", self._loss)
        return result


class Shard:
    """Some slots, their worker while there is one, and what it last said.

    Attributes:
        slots: By index.
        hired: The worker, also while it opens.
        answered: The worker has nothing more to say in this round of asking.
        news: What it said of itself.
    """

    def __init__(self, number: int, slots: Iterable[FarSlot] = ()) -> None:
        self.number = number
        self.slots: dict[int, FarSlot] = {}
        self.worker: Worker | None = None
        self.hired: Worker | None = None
        self.asked: int | None = None
        self.answered = False
        self.news = NOTHING_KNOWN
        self._begun = 0
        self._count = 0
        self._errands: dict[int, asyncio.Future[None]] = {}
        for slot in slots:
            self._take_in(slot)

    def _take_in(self, slot: FarSlot) -> None:
        slot.shard = self
        self.slots[slot.index] = slot

    # -- its worker ----------------------------------------------------------------------------

    def attach(self, worker: Worker, opened: Opened) -> None:
        """A worker is there; what was playing before begins anew."""
        self.worker = worker
        self._begun = 0
        self._note(opened.news)
        self._try_out(opened.tried)
        if late := [slot for slot in self.slots.values() if slot.index not in opened.tried]:
            self._tell_enter(late)
        for slot in self.slots.values():
            if slot.index in opened.tried and slot.pending and not slot.started:
                self.act(slot.index, [])

    def detach(self, error: AuniverseError, *, dead: bool) -> None:
        """The worker is gone."""
        self.worker = self.hired = self.asked = None
        self.news = NOTHING_KNOWN
        for errand in self._errands.values():
            if not errand.done():
                errand.set_result(None)
        for slot in self.slots.values():
            slot.detach(error, dead=dead)

    @property
    def mute(self) -> bool:
        """Whether the worker left unanswered whether it lives, so far."""
        return self.worker is not None and self.worker.mute

    # -- who is in it --------------------------------------------------------------------------

    def enter(self, slots: Iterable[FarSlot]) -> None:
        """Take slots in; without a worker they wait for one."""
        slots = list(slots)
        for slot in slots:
            self._take_in(slot)
        if self.worker is not None:
            self._tell_enter(slots)

    def _tell_enter(self, slots: Iterable[FarSlot]) -> None:
        self.tell(Enter([slot.place for slot in slots]))

    def entered(self, entered: Entered) -> None:
        """The worker has tried the remotes of slots that came later."""
        self._note(entered.news)
        self._try_out(entered.tried)

    def _try_out(self, tried: dict[int, Tried]) -> None:
        for index in tried.keys() & self.slots.keys():
            self.slots[index].try_out(tried[index])
        if gone := sorted(tried.keys() - self.slots.keys()):  # they left meanwhile
            self.tell(Leave(NOBODY_WAITS, gone))
        there = [self.slots[index] for index in tried if index in self.slots]
        self._tell_begin([slot for slot in there if slot.started])

    async def leave(self, slots: Iterable[FarSlot]) -> None:
        """Let slots go, and wait until their sessions are closed."""
        gone = [slot.index for slot in slots if self.slots.pop(slot.index, None)]
        await self.have_done(lambda number: Leave(number, gone))

    async def have_done(self, errand: Callable[[int], Leave | Freeze]) -> None:
        """Have the worker do something that takes time; if there is none, nothing is to be done.

        Args:
            errand: Gives the order, given its number.

        Raises:
            AuniverseError: It could not be done.
        """
        if self.worker is None:
            return
        self._count += 1
        number = self._count
        self._errands[number] = asyncio.get_running_loop().create_future()
        try:
            self.tell(errand(number))
            await self._errands[number]
        finally:
            del self._errands[number]

    def done(self, done: Done) -> None:
        """An errand is done."""
        future = self._errands.get(done.number)
        if future is None or future.done():
            return
        if done.error is not None:
            future.set_exception(done.error)
        else:
            future.set_result(None)

    # -- orders --------------------------------------------------------------------------------

    def act(self, index: int, events: list[InputEvent]) -> None:
        """Act in a slot; without a worker that is nothing."""
        self.tell(Act([(index, events)]))

    def begin(self, slot: FarSlot) -> None:
        """Begin an episode in a slot; without a worker it begins when there is one."""
        if self.worker is not None and slot.tried:
            self._tell_begin([slot])

    def _tell_begin(self, slots: list[FarSlot]) -> None:
        if not slots:
            return
        self._begun += 1
        for slot in slots:
            slot.begun = self._begun
        self.tell(Begin([(slot.index, slot.seed, slot.env_id) for slot in slots]))

    def ask(
        self, slots: list[FarSlot], patience: Patience, seconds: float | None, block: int
    ) -> None:
        """Ask for results of slots."""
        self._count += 1
        self.asked = self._count
        indices = [slot.index for slot in slots]
        self.tell(Collect(self._count, indices, patience, seconds, block))

    def withdraw(self) -> None:
        """Nobody waits any more for what was asked for."""
        if self.asked is not None:
            self.asked = None
            self.tell(Withdraw())

    def tell(self, order: Order) -> None:
        """Send an order, if somebody is there."""
        if self.worker is not None:
            self.worker.tell(order)

    # -- answers -------------------------------------------------------------------------------

    def hear(self, answer: Answer) -> list[FarSlot | None]:
        """Take an answer; return whose the results are, None for one that counts no more."""
        self._note(answer.news)
        if answer.number == self.asked:
            self.asked = None
            self.answered = True
        for index, (error, dead) in answer.lost.items():
            if slot := self.slots.get(index):
                slot.absent, slot.error, slot.dead = True, error, dead
        taken: list[FarSlot | None] = []
        for result in answer.results:
            slot = self.slots.get(result.slot)
            if slot is None or answer.begun < slot.begun:
                taken.append(None)
                continue
            slot.absent = result.slot in answer.lost
            if "fault" not in result.info:
                slot.seed = None
            slot.arrived = result
            taken.append(slot)
        return taken

    def _note(self, news: News) -> None:
        self.news = news
        for index, stats in news.stats.items():
            if slot := self.slots.get(index):
                slot.known = stats
        for index, screen in (news.screens or {}).items():
            if slot := self.slots.get(index):
                slot.screen = screen
