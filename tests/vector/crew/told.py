"""A worker that writes down what it is told, and shards without a pool around them."""

from auniverse.address import Remote
from auniverse.errors import WorkerLostError
from auniverse.remotes import Fleet
from auniverse.vector import Frames, Pace, Result
from auniverse.vector.crew.orders import Answer, News, Opened
from auniverse.vector.crew.shard import FarSlot, Shard
from auniverse.vector.crew.worker import Worker

NEWS = News((2, 3), None, {"faults": 1, "slots": [{"faults": 1}, {"faults": 0}]})
LOST = WorkerLostError("gone")


class Told(Worker):
    def __init__(self):
        self.orders = []

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
    return Shard(
        0, [FarSlot(i, Remote("a", 1, 2), None, Pace(), frames, Fleet([])) for i in indices]
    )


def attach(shard, errors=(None, None)):
    worker = Told()
    shard.attach(worker, Opened(list(errors), [False, False], NEWS))
    return worker


def answer(shard, *results, number=0, begun=0, lost=()):
    return shard.hear(Answer(number, begun, list(results), dict(lost), NEWS, None))


def result(place, reward=1.0):
    return Result(place, reward, False, False, {"valid": True})
