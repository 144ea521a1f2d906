"""Some slots of a pool that are one worker's, as the pool's process sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from auniverse.errors import AuniverseError
from auniverse.session import InputEvent

from ..batch import Result
from ..slot import Slot
from .orders import Act, Answer, Begin, Collect, News, Opened, Order, Patience, Rest, Withdraw
from .stats import add
from .worker import Worker

NOTHING_KNOWN = News((0, 0), None, {})


class FarSlot(Slot):
    """A slot whose session lives with a worker.

    It goes back and forth as any slot does; what it owes is what the worker answers, or the fault
    of having lost the worker.

    Attributes:
        shard: The part of the pool that it belongs to.
        place: Its number there.
        arrived: A result that the agent did not take yet.
        seed: Of the episode that was asked for and did not begin yet.
        begun: As many `Begin` the worker must have seen for its results to count.
        absent: There is no session, as far as we know.
    """

    shard: Shard
    place: int
    arrived: Result | None = None
    seed: int | None = None
    begun = 0
    absent = True

    def send(self, events: Iterable[InputEvent], now: float) -> None:
        """Have the worker act."""
        self.pending = True
        self.shard.act(self.place, list(events))

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
        self.shard.tell(Rest([self.place], True))

    def resume(self, now: float) -> None:
        """As `Slot.resume`; the worker's slot, too."""
        super().resume(now)
        self.shard.tell(Rest([self.place], False))

    def ready(self, now: float) -> bool:
        """Tell whether the slot can give its result now."""
        return not self.paused and (self.arrived is not None or self._unreported)

    @property
    def lost_for_good(self) -> bool:
        """Whether it is dead, and nobody was told."""
        fault = self.arrived is not None and "fault" in self.arrived.info
        return self.dead and (self._unreported or fault)

    def final_error(self) -> AuniverseError:
        """As `Slot.final_error`, with what the worker knows of it."""
        known = self.shard.known_of(self)
        self.causes += Counter(known.get("causes", {}))
        if self.arrived is not None:
            self._loss = self.arrived.info["fault"]
            self.arrived = None
        return super().final_error()

    def result(self, now: float) -> Result:
        """Give what arrived, else the fault."""
        self.pending = False
        if self.arrived is None:
            return self._fault_result()
        result, self.arrived = self.arrived, None
        return result


class Shard:
    """Some slots, their worker while there is one, and what it last said.

    Attributes:
        slots: In order; the first is the worker's number 0.
        hired: The worker, also while it opens.
        answered: The worker has nothing more to say in this round of asking.
        news: What it said of itself.
        past: The stats of workers that are gone, added up.
    """

    def __init__(self, number: int, slots: list[FarSlot]) -> None:
        self.number = number
        self.slots = slots
        self.worker: Worker | None = None
        self.hired: Worker | None = None
        self.asked: int | None = None
        self.answered = False
        self.news = NOTHING_KNOWN
        self.past: dict[str, Any] = {}
        self._begun = 0
        self._count = 0
        for place, slot in enumerate(slots):
            slot.shard, slot.place = self, place

    @property
    def first(self) -> int:
        """The pool's number of its first slot."""
        return self.slots[0].index

    # -- its worker ----------------------------------------------------------------------------

    def attach(self, worker: Worker, opened: Opened) -> None:
        """A worker is there; what was playing before begins anew."""
        self.worker = worker
        self.news = opened.news
        self._begun = 0
        for slot, error, dead in zip(self.slots, opened.errors, opened.dead, strict=True):
            slot.tried = True
            slot.dead = dead
            slot.absent = error is not None
            slot.error = error or slot.error
            slot.begun = 0
        for slot, remote in zip(self.slots, opened.remotes or (), strict=False):
            slot.remote = remote
        self._tell_begin([slot for slot in self.slots if slot.started])
        for slot in self.slots:
            if slot.pending and not slot.started:
                self.act(slot.place, [])

    def detach(self, error: AuniverseError, *, dead: bool) -> None:
        """The worker is gone."""
        self.worker = self.hired = self.asked = None
        if self.news.stats:
            self.past = add(self.past, self.news.stats) if self.past else self.news.stats
        self.news = NOTHING_KNOWN
        for slot in self.slots:
            slot.absent = True
            slot.detach(error, dead=dead)

    # -- orders --------------------------------------------------------------------------------

    def act(self, place: int, events: list[InputEvent]) -> None:
        """Act in a slot; without a worker that is nothing."""
        self.tell(Act([(place, events)]))

    def begin(self, slot: FarSlot) -> None:
        """Begin an episode in a slot; without a worker it begins when there is one."""
        if self.worker is not None:
            self._tell_begin([slot])

    def _tell_begin(self, slots: list[FarSlot]) -> None:
        self._begun += 1
        for slot in slots:
            slot.begun = self._begun
        self.tell(Begin([(slot.place, slot.seed, slot.env_id) for slot in slots]))

    def ask(
        self, slots: list[FarSlot], patience: Patience, seconds: float | None, block: int
    ) -> None:
        """Ask for results of slots."""
        self._count += 1
        self.asked = self._count
        places = [slot.place for slot in slots]
        self.tell(Collect(self._count, places, patience, seconds, block))

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
        self.news = answer.news
        if answer.number == self.asked:
            self.asked = None
            self.answered = True
        for place, (error, dead) in answer.lost.items():
            slot = self.slots[place]
            slot.absent, slot.error, slot.dead = True, error, dead
        taken: list[FarSlot | None] = []
        for result in answer.results:
            slot = self.slots[result.slot]
            if answer.begun < slot.begun:
                taken.append(None)
                continue
            slot.absent = result.slot in answer.lost
            if "fault" not in result.info:
                slot.seed = None
            slot.arrived = result._replace(slot=slot.index)
            taken.append(slot)
        return taken

    def known_of(self, slot: FarSlot) -> dict[str, Any]:
        """Return the worker's counters of a slot."""
        rows: list[dict[str, Any]] = self.news.stats.get("slots", [])
        return rows[slot.place] if rows else {}
