"""Keeps workers on shards, as a healer keeps sessions in slots."""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Callable

from auniverse.errors import AuniverseError, WorkerLostError
from auniverse.session import Silence

from ..heal import Budget
from .orders import Open
from .shard import Shard
from .worker import Worker

FROZEN = "is it stopped, or does this machine lack memory or cores? A longer silence= waits longer"


class Employer:
    """Keeps workers on shards.

    Args:
        hire: Gives a worker for a shard.
        opening: Gives the first order to a shard's worker.
        changed: Called whenever a shard got its worker or lost it, or does not know about it.
        tries: See `Budget`.
        silence: Seconds without a word after which a worker is lost; None: it may be silent.

    Attributes:
        running: Cleared while the pool is paused: nobody comes back meanwhile.
    """

    def __init__(
        self,
        hire: Callable[[Shard], Worker],
        opening: Callable[[Shard], Open],
        changed: Callable[[Shard], None],
        tries: int,
        silence: float | None,
    ) -> None:
        self.running = asyncio.Event()
        self.running.set()
        self._hire = hire
        self._opening = opening
        self._changed = changed
        self._tries = tries
        self._silence = silence

    async def keep(self, shard: Shard) -> None:
        """Keep a worker on a shard for as long as its budget lasts."""
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
                    losing = loop.create_task(self._lost(shard, worker))
                    try:
                        await asyncio.wait((worker.opened, losing), return_when=FIRST_COMPLETED)
                        if worker.opened.done():
                            came = loop.time()
                            shard.attach(worker, worker.opened.result())
                            self._changed(shard)
                        error = await losing
                    finally:
                        losing.cancel()
                        await asyncio.wait((losing,))
            except AuniverseError as failure:
                error = failure
            pause = budget.spend(error, loop.time() - came)
            shard.detach(error, dead=pause is None)
            self._changed(shard)

    async def _lost(self, shard: Shard, worker: Worker) -> WorkerLostError:
        """Wait until a worker is lost, or silent for too long; return why."""
        loop = asyncio.get_running_loop()
        ends = [loop.create_task(worker.lost()), loop.create_task(self._listen(shard, worker))]
        try:
            done, _ = await asyncio.wait(ends, return_when=FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)

    async def _listen(self, shard: Shard, worker: Worker) -> WorkerLostError:
        """Wait until a worker is frozen; return the error that says so."""
        try:
            async with asyncio.timeout(worker.boot):
                await worker.spoke.wait()
        except TimeoutError:
            return self._freeze(worker, f"did not start within {worker.boot:g} s")
        silence = None if self._silence is None else Silence(self._silence)
        while silence is None:
            await asyncio.get_running_loop().create_future()
        while True:
            await asyncio.sleep(silence.beat)
            if silence.listen((worker,)) is not None:
                return self._freeze(worker, f"answered nothing for {silence.limit:g} s")
            if not worker.mute and silence.left_unanswered(worker):
                worker.mute = True
                self._changed(shard)

    def _freeze(self, worker: Worker, what: str) -> WorkerLostError:
        worker.frozen = True
        return WorkerLostError(f"{worker.name} {what}", remedy=FROZEN)
