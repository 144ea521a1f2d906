"""A pool whose sessions are other processes' work; see the top of the room."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import AuniverseError, UsageError
from auniverse.remotes import Fleet
from auniverse.rewarder import V1
from auniverse.rfb import snapshot

from ..batch import Batch
from ..blocks import allocate_here
from ..members import Members
from ..pool import SessionPool
from ..shared import allocate_shared, attach, can_share
from ..slot import Slot
from ..view import View
from ..wishes import EnvIds
from .asking import Asking
from .employer import Employer
from .memory import ROOM, Batches, nameless_file
from .orders import Answer, Ask, Doing, Done, Entered, Open, Settle, Told
from .process import WorkerProcess
from .shard import FarSlot, Shard
from .staff import Staff
from .worker import Worker


async def _describe(fleet: Fleet, remote: Remote) -> Doing:
    await fleet.refresh(remote)
    return Doing(fleet.alive(remote), fleet.log_tail(remote), fleet.cause_of_death(remote))


#: What a worker may have done by the fleet.
ERRANDS: dict[str, Callable[[Fleet, Remote], Awaitable[object]]] = {
    "replace": Fleet.replace,
    "pause": Fleet.pause,
    "resume": Fleet.resume,
    "describe": _describe,
}


class Crew(SessionPool):
    """A pool whose sessions are shared out among workers; made by `SessionPool(..., workers=k)`.

    Args:
        remotes: As for `SessionPool`.
        workers: How many; there are never more than remotes.
        env_id: As for `SessionPool`.
        options: Anything else that `SessionPool` takes; it must be possible to pickle it.
    """

    slot_kind = FarSlot
    _looks_into_workers: ClassVar[bool] = can_share()
    #: Seconds past a deadline for which the answers of workers are waited for. They keep the
    #: deadline themselves; this is for their way back.
    grace: ClassVar[float] = 0.0015
    #: Seconds for which a worker may say nothing, whatever is said of remotes.
    least_silence: ClassVar[float] = 5.0

    def __init__(
        self,
        remotes: Sequence[Remote],
        *,
        workers: int | None = None,
        env_id: EnvIds = None,
        **options: Any,
    ) -> None:
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise UsageError(f"workers={workers!r}: a number of processes, 1 or more")
        self._workers = workers
        silence = options.get("silence", self.least_silence)
        self._silence = None if silence is None else max(silence, self.least_silence)
        super().__init__(remotes, env_id=env_id, **options)
        shared = options.pop("shared_memory", False)
        self._memory_options: dict[str, Any] = {
            "allocate": allocate_shared if shared else allocate_here,
            "copy": options.pop("copy", False),
        }
        options.pop("on_exhausted", None)  # that, too, is for the side that the agent sees
        self._worker_options = options
        self._rows = len(remotes) + ROOM
        self._batches: Batches | None = None
        self._file = -1
        asking = Asking(self._wake, self._times, self._shards, self._current_block, self.grace)
        asking.lockstep, asking.raises = self._waiting.lockstep, self._waiting.raises
        self._waiting = asking
        self._errands: set[asyncio.Task[None]] = set()

    # -- opening and closing -------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._file = nameless_file()
        try:
            await super().__aenter__()
        except BaseException:
            self._close_file()
            raise
        self._settle()
        return self

    async def __aexit__(self, *failure: object) -> None:
        errands = list(self._errands)
        for errand in errands:
            errand.cancel()
        try:
            if errands:
                await asyncio.wait(errands)
            await super().__aexit__(*failure)
        finally:
            self._close_file()

    def _close_file(self) -> None:
        self._batches = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _members_of(self, slots: list[Slot], retries: int) -> Members:
        employer = Employer(self._hire, self._opening, self._changed, retries, self._silence)
        staff = Staff(slots, employer, self._wake, self._workers, self._dismissed)
        self._shards = staff.shards
        return staff

    def _hire(self, shard: Shard) -> Worker:
        """Return a worker for a shard; what it says goes to `_hear`."""
        return WorkerProcess(f"worker {shard.number}", self._file, partial(self._hear, shard))

    def _opening(self, shard: Shard) -> Open:
        places = [shard.slots[index].place for index in sorted(shard.slots)]
        return Open(places, self._worker_options)

    def _changed(self, shard: Shard) -> None:
        """A shard got its worker, or lost it, or does not hear from it."""
        if shard.worker is not None and not shard.mute and self._batches is not None:
            self._tell_settled(shard)
        self._wake.set()

    def _dismissed(self, number: int) -> None:
        """A shard is no more."""

    # -- what workers say ----------------------------------------------------------------------

    def _hear(self, shard: Shard, message: object) -> None:
        if isinstance(message, Answer):
            self._take(shard, message)
        elif isinstance(message, Entered):
            shard.entered(message)
            self._wake.set()
        elif isinstance(message, Done):
            shard.done(message)
        elif isinstance(message, Ask):
            errand = asyncio.get_running_loop().create_task(self._do(shard, message))
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    def _take(self, shard: Shard, answer: Answer) -> None:
        slots = shard.hear(answer)
        watch = self.frames.stopwatch  # the busiest worker is the one that is waited for
        watch.seconds = max(watch.seconds, answer.news.decoding)
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
        self._wake.set()

    async def _do(self, shard: Shard, ask: Ask) -> None:
        worker = shard.hired  # it may not be open yet
        value: object = None
        failure: AuniverseError | None = None
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
        shape = (self._rows, *self.observation_shape)
        self._batches = Batches(self._file, shape, **self._memory_options)
        for shard in self._shards:
            self._tell_settled(shard)

    def _tell_settled(self, shard: Shard) -> None:
        shard.tell(Settle(self.frames.size, self._rows))

    def _gather(self, slots: Sequence[Slot]) -> Batch:
        now = self._now()
        indices = [slot.index for slot in slots]
        self._times.turn("copying")
        if self._batches is None:
            pixels: NDArray[np.uint8] = np.zeros((len(slots), *self.observation_shape), np.uint8)
        else:
            for slot in cast(Sequence[FarSlot], slots):
                if slot.arrived is None:  # the fault of having lost a worker shows what was last
                    self._batches.write(slot.index)
            pixels = self._batches.take(indices, whole=len(indices) == self.num_envs)
        self._times.turn("stepping")
        self._returned = indices
        return Batch(pixels, [slot.result(now) for slot in slots])

    def _current_block(self) -> int:
        return 0 if self._batches is None else self._batches.current

    # -- what it is ----------------------------------------------------------------------------

    def screen(self, slot: int) -> NDArray[np.uint8]:
        """As `SessionPool.screen`, through memory that the slot's worker shares.

        Raises:
            UsageError: There is no such memory, and the view does not show all.
        """
        (far,) = cast(list[FarSlot], self._members.chosen([slot]))
        if self._looks_into_workers:
            with suppress(UsageError):  # its worker has just ended
                if far.screen is not None:
                    return snapshot(attach(far.screen))
            return np.zeros((0, 0, 3), np.uint8)
        if self._batches is not None and self.frames.view == View():
            return self._batches.newest(slot)
        raise UsageError("what is seen of the screens is all that comes here: take view=None")

    @property
    def v1(self) -> V1 | None:
        """What the first remote says of itself beyond protocol v0."""
        return next((shard.news.v1 for shard in self._shards if shard.news.v1), None)

    # -- who is in it --------------------------------------------------------------------------

    async def add(self, remotes: Sequence[Remote], env_id: EnvIds = None) -> list[int]:
        """As `SessionPool.add`; they go to the workers that have the fewest.

        Raises:
            RemoteError: As there.
            UsageError: There is no room for so many (see `ROOM`).
        """
        if self.num_envs + len(remotes) > self._rows:
            raise UsageError(
                f"the shared memory has room for {self._rows} slots: open another pool"
            )
        return await super().add(remotes, env_id)

    def _forget(self, slot: int) -> None:
        super()._forget(slot)
        if self._batches is not None:
            self._batches.forget(slot)
