"""A worker that writes down what it is told, and shards without a pool around them."""

import asyncio

from auniverse.address import Remote
from auniverse.errors import WorkerLostError
from auniverse.remotes import Fleet
from auniverse.vector import Frames, Pace, Result
from auniverse.vector.crew.orders import Answer, News, Opened, Tried
from auniverse.vector.crew.shard import FarSlot, Shard
from auniverse.vector.crew.worker import Worker

NEWS = News((2, 3), None, {4: {"faults": 1}, 5: {"faults": 0}})
LOST = WorkerLostError("gone")


class Told(Worker):
    def __init__(self):
        self.orders = []
        self.name = "worker 0"
        self.spoke = asyncio.Event()
        self.heard_at = 0.0
        self.mute = self.frozen = False

    async def __aenter__(self):
        return self

    async def __aexit__(self, *failure):
        pass

    async def lost(self):
        return LOST

    def tell(self, order):
        self.orders.append(order)

    def _send(self, orders):
        pass


def shard_of(*indices):
    frames = Frames(8)
    return Shard(0, [far_slot(i, frames) for i in indices])


def far_slot(index, frames=None):
    fleet = Fleet([])
    return FarSlot(index, Remote("a", 1, 2), None, Pace(), frames or Frames(8), fleet)


def opened(indices, errors=()):
    errors = [*errors, *[None] * len(indices)]
    return Opened({i: Tried(error, False) for i, error in zip(indices, errors, strict=False)}, NEWS)


def attach(shard, errors=()):
    worker = Told()
    shard.attach(worker, opened(list(shard.slots), errors))
    return worker


def answer(shard, *results, number=0, begun=0, lost=()):
    return shard.hear(Answer(number, begun, list(results), dict(lost), NEWS, None))


def result(slot, reward=1.0):
    return Result(slot, reward, False, False, {"valid": True})
