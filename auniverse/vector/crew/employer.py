"""Keeps workers on shards, as a healer keeps sessions in slots."""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Callable

from auniverse.errors import AuniverseError

from ..heal import Budget
from ..slot import Slot
from .orders import Open
from .shard import FarSlot, Shard
from .worker import Worker


class Employer:
    """Keeps workers on shards.

    Args:
        hire: Gives a worker for a shard.
        opening: Gives the first order to a shard's worker.
        changed: Called whenever a shard got its worker, or with None lost it.
        tries: See `Budget`.

    Attributes:
        running: Cleared while the pool is paused: nobody comes back meanwhile.
    """

    def __init__(
        self,
        hire: Callable[[Shard], Worker],
        opening: Callable[[Shard], Open],
        changed: Callable[[Shard, Worker | None], None],
        tries: int,
    ) -> None:
        self.running = asyncio.Event()
        self.running.set()
        self._hire = hire
        self._opening = opening
        self._changed = changed
        self._tries = tries

    async def keep(self, slot: Slot) -> None:
        """Keep a worker on the slot's shard for as long as its budget lasts.

        The first slot of a shard stands for all of them.
        """
        assert isinstance(slot, FarSlot)
        if slot.place == 0:
            await self._keep(slot.shard)

    async def _keep(self, shard: Shard) -> None:
        loop = asyncio.get_running_loop()
        budget = Budget(self._tries)
        pause: float | None = 0.0
        while pause is not None:
            await asyncio.sleep(pause)
            await self.running.wait()
            came = loop.time()
            error: AuniverseError
            try:
                async with self._hire(shard) as worker:
                    shard.hired = worker
                    worker.tell(self._opening(shard))
                    losing = loop.create_task(worker.lost())
                    try:
                        await asyncio.wait((worker.opened, losing), return_when=FIRST_COMPLETED)
                        if worker.opened.done():
                            came = loop.time()
                            shard.attach(worker, worker.opened.result())
                            self._changed(shard, worker)
                        error = await losing
                    finally:
                        losing.cancel()
            except AuniverseError as failure:
                error = failure
            pause = budget.spend(error, loop.time() - came)
            for one in shard.slots:
                one.causes[type(error).__name__] += 1
            shard.detach(error, dead=pause is None)
            self._changed(shard, None)
