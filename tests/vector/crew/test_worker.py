import asyncio

import pytest

from auniverse.errors import UsageError
from auniverse.vector.crew.orders import Begin, Opened, Refused, Withdraw
from auniverse.vector.crew.shard import NOTHING_KNOWN
from auniverse.vector.crew.worker import Worker


class Listening(Worker):
    """A worker that writes down what it is told."""

    async def __aenter__(self):
        self.sent = []
        return self

    async def __aexit__(self, *failure):
        pass

    async def lost(self):
        await asyncio.Event().wait()

    def _send(self, orders):
        self.sent.append(orders)


def test_orders_of_one_turn_of_the_loop_go_together():
    async def main():
        async with Listening("x", print) as worker:
            first, second = Begin([]), Withdraw()
            worker.tell(first)
            worker.tell(second)
            await asyncio.sleep(0)
            worker.tell(first)
            await asyncio.sleep(0)
            assert worker.sent == [[first, second], [first]]

    asyncio.run(main())


def test_its_first_word_is_whether_it_opened():
    async def main():
        heard = []
        async with Listening("x", heard.append) as worker, Listening("y", print) as other:
            opened = Opened({}, NOTHING_KNOWN)
            worker._take(opened)
            worker._take("more")
            assert await worker.opened == opened
            assert heard == ["more"]
            other._take(Refused(UsageError("no")))
            with pytest.raises(UsageError, match="no"):
                await other.opened

    asyncio.run(main())
