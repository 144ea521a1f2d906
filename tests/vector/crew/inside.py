"""A pool whose workers are in the test's own event loop, with the same orders and answers."""

import asyncio
import pickle
from functools import partial

from auniverse.errors import WorkerLostError
from auniverse.vector.crew import Crew
from auniverse.vector.crew.__main__ import Worker as Inner
from auniverse.vector.crew.worker import Worker


class Inside(Worker):
    """What a process would do, without one; all that is said goes through a pickle."""

    def __init__(self, name, file, hear):
        super().__init__(name, hear)
        self._file = file
        self._inner = None
        self._work = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *failure):
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def lost(self):
        await asyncio.get_running_loop().create_future()
        return WorkerLostError("never")

    def _send(self, orders):
        orders = pickle.loads(pickle.dumps(orders))
        if self._inner is None:
            self._inner = Inner(orders.pop(0), self._file, self._say)
            self._work = self._loop.create_task(self._inner.run())
        self._inner.hear(orders)

    def _say(self, message):
        self._loop.call_soon(self._take, pickle.loads(pickle.dumps(message)))


class InsideCrew(Crew):
    def __init__(self, remotes, **options):
        super().__init__(remotes, workers=2, **options)

    def _hire(self, shard):
        return Inside(f"worker {shard.number}", self._file, partial(self._hear, shard))
