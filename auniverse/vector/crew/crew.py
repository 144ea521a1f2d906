"""A pool whose sessions are other processes' work; see the top of the room."""

from __future__ import annotations

import asyncio
import os
from asyncio import FIRST_COMPLETED
from collections.abc import Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import (
    AuniverseError,
    ProvisionError,
    RemoteError,
    UsageError,
    WorkerLostError,
)
from auniverse.remotes import Fleet
from auniverse.rewarder import V1

from ..batch import Batch
from ..heal import Budget
from ..pool import SessionPool
from ..slot import NEVER, Slot
from .memory import Batches, nameless_file
from .orders import Answer, Ask, Open, Opened, Patience, Settle, Told
from .process import WorkerProcess
from .shard import FarSlot, Shard
from .stats import add
from .worker import Worker

#: What a worker may have done by the fleet.
ERRANDS = {"replace": Fleet.replace, "pause": Fleet.pause, "resume": Fleet.resume}


class Crew(SessionPool):
    """A pool whose sessions are shared out among workers; made by `SessionPool(..., workers=k)`.

    Args:
        remotes: As for `SessionPool`.
        workers: How many; there are never more than remotes.
        env_id: As for `SessionPool`.
        options: Anything else that `SessionPool` takes; it must be possible to pickle it.
    """

    slot_kind = FarSlot
    #: Seconds past a deadline for which the answers of workers are waited for. They keep the
    #: deadline themselves; this is for their way back.
    grace: ClassVar[float] = 0.0015

    def __init__(
        self,
        remotes: Sequence[Remote],
        *,
        workers: int | None = None,
        env_id: str | Sequence[str | None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(remotes, env_id=env_id, **options)
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise UsageError(f"workers={workers!r}: a number of processes, 1 or more")
        self._fleet = remotes if isinstance(remotes, Fleet) else Fleet(remotes)
        self._worker_options = options
        slots = cast(list[FarSlot], self._slots)
        parts = np.array_split(np.arange(len(slots)), min(workers, len(slots)))
        self._shards = [
            Shard(number, [slots[index] for index in part]) for number, part in enumerate(parts)
        ]
        self._batches: Batches | None = None
        self._file = -1
        self._errands: set[asyncio.Task[None]] = set()

    # -- opening and closing -------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._file = nameless_file()
        await super().__aenter__()
        self._settle()
        return self

    async def _close(self) -> None:
        for errand in self._errands:
            errand.cancel()
        try:
            await super()._close()
        finally:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _keepings(self) -> Iterable[Coroutine[Any, Any, None]]:
        return (self._keep_worker(shard) for shard in self._shards)

    async def _keep_worker(self, shard: Shard) -> None:
        """Keep a worker on a shard for as long as its budget lasts."""
        loop = asyncio.get_running_loop()
        budget = Budget()
        ever_opened = False
        while True:
            opened_at = loop.time()
            error: AuniverseError
            try:
                async with self._hire(shard) as worker:
                    worker.tell(self._open_order(shard))
                    losing = loop.create_task(worker.lost())
                    try:
                        await asyncio.wait((worker.opened, losing), return_when=FIRST_COMPLETED)
                        if worker.opened.done():
                            opened_at = loop.time()
                            self._attach(shard, worker, worker.opened.result())
                            ever_opened = True
                        error = await losing
                    finally:
                        losing.cancel()
            except AuniverseError as refusal:
                error = refusal
            if ever_opened and isinstance(error, ProvisionError):
                error = WorkerLostError(f"could not be started again: {error}")
            pause = None
            if isinstance(error, RemoteError):
                pause = budget.spend(error, loop.time() - opened_at)
            shard.detach(error, dead=pause is None)
            self._wake.set()
            if pause is None:
                return
            await asyncio.sleep(pause)

    def _hire(self, shard: Shard) -> Worker:
        """Return a worker for a shard; what it says goes to `_hear`."""
        return WorkerProcess(f"worker {shard.number}", self._file, partial(self._hear, shard))

    def _open_order(self, shard: Shard) -> Open:
        remotes = [slot.remote for slot in shard.slots]
        return Open(
            remotes,
            [slot.env_id for slot in shard.slots],
            [self._fleet.can_replace(remote) for remote in remotes],
            self._worker_options,
        )

    def _attach(self, shard: Shard, worker: Worker, opened: Opened) -> None:
        shard.attach(worker, opened)
        if self._batches is not None:
            self._tell_settled(shard)
        self._wake.set()

    # -- what workers say ----------------------------------------------------------------------

    def _hear(self, shard: Shard, message: object) -> None:
        if isinstance(message, Answer):
            self._take(shard, message)
        elif isinstance(message, Ask):
            errand = asyncio.get_running_loop().create_task(self._do(shard, message))
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    def _take(self, shard: Shard, answer: Answer) -> None:
        slots = shard.hear(answer)
        if self._batches is None and any(answer.news.size):
            self._settle()
            shard.answered = False
        for row, slot in enumerate(slots):
            if slot is None or self._batches is None:
                continue
            if answer.pixels is None:
                self._batches.note(slot.index)
            else:
                self._batches.write(slot.index, answer.pixels[row])
        for result in answer.results:
            fault = result.info.get("fault")
            if fault is not None and not fault["log_tail"]:  # we may have it
                fault["log_tail"] = self._fleet.log_tail(shard.slots[result.slot].remote)
        self._wake.set()

    async def _do(self, shard: Shard, ask: Ask) -> None:
        worker, value, failure = shard.worker, None, None
        try:
            value = await ERRANDS[ask.what](self._fleet, ask.remote)
        except AuniverseError as error:
            failure = error
        if isinstance(value, Remote):
            for slot in self._slots:
                if slot.remote.name == value.name:
                    slot.remote = value
        if worker is not None:
            worker.tell(Told(ask.number, value, failure))

    # -- the batch -----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Give batches their shape once a screen is known; it stays."""
        sizes = [shard.news.size for shard in self._shards]
        size = max(height for height, _ in sizes), max(width for _, width in sizes)
        if self._batches is not None or not any(size):
            return
        self.frames.settle(size)
        self._batches = Batches(self._file, (self.num_envs, *self.observation_shape))
        for shard in self._shards:
            self._tell_settled(shard)

    def _tell_settled(self, shard: Shard) -> None:
        shard.tell(Settle(self.frames.size, self.num_envs, shard.first))

    def _gather(self, slots: Sequence[Slot]) -> Batch:
        now = self._now()
        indices = [slot.index for slot in slots]
        if self._batches is None:
            pixels: NDArray[np.uint8] = np.zeros((len(slots), *self.observation_shape), np.uint8)
        else:
            for slot in cast(Sequence[FarSlot], slots):
                if slot.arrived is None:  # the fault of having lost a worker shows what was last
                    self._batches.write(slot.index)
            pixels = self._batches.take(indices)
        self._returned = indices
        return Batch(pixels, [slot.result(now) for slot in slots])

    # -- what it is ----------------------------------------------------------------------------

    @property
    def v1(self) -> V1 | None:
        """What the first remote says of itself beyond protocol v0."""
        return next((shard.news.v1 for shard in self._shards if shard.news.v1), None)

    def stats(self) -> dict[str, Any]:
        """Return counters since opening, as of the newest answer of each worker."""
        found = super().stats()
        slots = found["slots"]
        for shard in self._shards:
            rows = slice(shard.first, shard.first + len(shard.slots))
            if shard.past:
                found = add(shard.past, {**found, "slots": slots[rows]})
                slots[rows] = found["slots"]
            if shard.news.stats:
                found = add({**found, "slots": slots[rows]}, shard.news.stats)
                slots[rows] = found["slots"]
        return {**found, "slots": slots}

    # -- the agent's calls ---------------------------------------------------------------------

    async def reset(
        self,
        seed: int | Sequence[int | None] | None = None,
        env_ids: Iterable[int] | None = None,
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """As `SessionPool.reset`."""
        self._require_open()
        chosen = self._chosen(env_ids)
        self._begin_reset(chosen, seed)
        await self._wait(chosen, Patience.RESET, len(chosen), NEVER)
        errors = [slot.error for slot in chosen if slot.absent]
        if len(errors) == len(chosen) and errors[0] is not None:
            raise errors[0]
        batch = self._gather(chosen)
        return batch.observations, batch.infos

    async def recv(self, min_envs: int | None = None, timeout: float | None = None) -> Batch:
        """As `SessionPool.recv`."""
        self._require_open()
        pending = [slot for slot in self._slots if slot.pending]
        if not pending:
            raise UsageError("recv without send")
        give_up = NEVER if timeout is None else self._now() + timeout
        patience, least = Patience.PLAYING, 1
        if min_envs is not None:
            least = max(1, min_envs)
            everybody = min_envs >= sum(not slot.dead for slot in pending)
            patience = Patience.ALL if everybody else Patience.SOME
        await self._wait(pending, patience, least, give_up)
        return self._gather([slot for slot in pending if slot.ready(0.0)])

    async def _wait(
        self, slots: list[Slot], patience: Patience, least: int, give_up: float
    ) -> None:
        """Ask workers for results until there are enough, or it is too late.

        Args:
            slots: Whose results.
            patience: What each worker is asked for.
            least: How many results are enough, where it is a matter of number.
            give_up: `loop.time()` at which it is too late.

        Raises:
            RemoteError: None can come any more; the error of the first slot that died.
        """
        for shard in self._shards:
            shard.answered = False
        try:
            while True:
                ready = [slot for slot in slots if slot.ready(0.0)]
                owing = {
                    shard: [slot for slot in shard.slots if slot in slots and slot not in ready]
                    for shard in self._shards
                    if shard.worker is not None
                }
                owing = {shard: theirs for shard, theirs in owing.items() if theirs}
                if patience is Patience.PLAYING and not ready and _silent(owing):
                    patience = Patience.SOME  # nobody plays: wait for the first who does
                if self._suffice(patience, slots, ready, least, owing):
                    return
                now = self._now()
                if now >= give_up and (_silent(owing) or now >= give_up + self.grace):
                    return
                self._ask(owing, patience, give_up, now)
                await self._pause(slots, give_up + self.grace)
        finally:
            for shard in self._shards:
                shard.withdraw()

    def _suffice(
        self,
        patience: Patience,
        slots: Sequence[Slot],
        ready: list[Slot],
        least: int,
        owing: Iterable[Shard],
    ) -> bool:
        if patience is Patience.RESET:
            return _silent(owing)
        alive = sum(slot in ready or not slot.dead for slot in slots)
        if not alive:
            error = next((slot.error for slot in slots if slot.error), None)
            raise error or UsageError("recv without send")
        if patience is Patience.PLAYING:
            return bool(ready) and _silent(owing)
        return len(ready) >= min(least, alive)

    def _ask(
        self,
        owing: dict[Shard, list[FarSlot]],
        patience: Patience,
        give_up: float,
        now: float,
    ) -> None:
        seconds = None if give_up == NEVER else max(0.0, give_up - now)
        block = 0 if self._batches is None else self._batches.current
        again = patience in (Patience.SOME, Patience.ALL) and now < give_up
        for shard, slots in owing.items():
            if shard.asked is None and (again or not shard.answered):
                shard.ask(slots, patience, seconds, block)


def _silent(shards: Iterable[Shard]) -> bool:
    """Tell whether all of them have said what there is to say."""
    return all(shard.answered and shard.asked is None for shard in shards)
