"""Who is asked, for what, how often, and when it is enough."""

import asyncio

import pytest

from auniverse.errors import RemoteError
from auniverse.links import Stopwatch
from auniverse.vector.crew.asking import Asking
from auniverse.vector.crew.orders import Collect, Patience, Withdraw
from auniverse.vector.times import Times

from .told import LOST, answer, attach, result, shard_of


class Scene:
    """Two shards of two slots, all of them sent to, and somebody who waits for them."""

    def __init__(self):
        self.wake = asyncio.Event()
        self.shards = [shard_of(0, 1), shard_of(2, 3)]
        self.workers = [attach(shard) for shard in self.shards]
        self.slots = [slot for shard in self.shards for slot in shard.slots.values()]
        times = Times(asyncio.get_running_loop().time, Stopwatch())
        self.asking = Asking(self.wake, times, self.shards, lambda: 7, 0.01)
        for slot in self.slots:
            slot.send([], 0.0)

    def asked(self, number):
        """The newest question to a worker, and how many there were."""
        asked = [order for order in self.workers[number].orders if isinstance(order, Collect)]
        return (asked[-1] if asked else None), len(asked)

    async def answer(self, number, *slots, lost=()):
        question, _ = self.asked(number)
        results = [result(slot) for slot in slots]
        answer(self.shards[number], *results, number=question.number, lost=lost)
        self.wake.set()
        for _ in range(4):
            await asyncio.sleep(0)

    async def begin(self, min_envs=None, timeout=None):
        waiting = self.asking.for_results(self.slots, min_envs, timeout)
        self.waiting = asyncio.create_task(waiting)
        for _ in range(4):
            await asyncio.sleep(0)


def scene(play):
    async def main():
        await play(Scene())

    asyncio.run(main())


def test_whoever_plays_is_waited_for_and_asked_once():
    async def play(scene):
        await scene.begin()
        question, count = scene.asked(0)
        assert question == Collect(1, [0, 1], Patience.PLAYING, None, 7)
        await scene.answer(0, 1)
        assert not scene.waiting.done(), "the other worker did not speak yet"
        await scene.answer(1)
        assert await scene.waiting == [scene.slots[1]]
        assert (count, scene.asked(0)[1], scene.asked(1)[1]) == (1, 1, 1)

    scene(play)


def test_if_nobody_plays_the_first_who_does_is_awaited():
    async def play(scene):
        await scene.begin()
        await scene.answer(0)
        await scene.answer(1)
        assert [scene.asked(n)[0].patience for n in (0, 1)] == [Patience.SOME] * 2
        await scene.answer(1, 2)
        assert await scene.waiting == [scene.slots[2]]
        assert scene.workers[0].orders[-1] == Withdraw()

    scene(play)


def test_so_many_are_enough_and_those_who_spoke_are_asked_for_the_rest():
    async def play(scene):
        await scene.begin(min_envs=3)
        assert scene.asked(0)[0].patience is Patience.SOME
        await scene.answer(0, 0)
        assert scene.asked(0)[0].slots == [1]
        await scene.answer(1, 2)
        await scene.answer(0, 1)
        assert await scene.waiting == scene.slots[:3]

    scene(play)


def test_all_are_waited_for_by_the_workers_themselves():
    async def play(scene):
        await scene.begin(min_envs=4)
        assert scene.asked(1)[0].patience is Patience.ALL
        await scene.answer(0, 0, 1)
        await scene.answer(1, 2, 3)
        assert await scene.waiting == scene.slots

    scene(play)


def test_a_worker_that_says_nothing_delays_nobody_past_the_deadline():
    async def play(scene):
        await scene.begin(timeout=0.0)
        assert scene.asked(0)[0].seconds == 0.0
        await scene.answer(0, 0)
        assert await scene.waiting == [scene.slots[0]]
        assert scene.workers[1].orders[-1] == Withdraw()

    scene(play)


@pytest.mark.parametrize("lockstep", [True, False])
def test_a_worker_that_is_mute_does_not_play_but_in_lockstep(lockstep):
    async def play(scene):
        scene.asking.lockstep = lockstep
        await scene.begin()
        await scene.answer(0, 0, 1)
        assert not scene.waiting.done()
        scene.workers[1].mute = True
        scene.wake.set()
        for _ in range(4):
            await asyncio.sleep(0)
        assert scene.waiting.done() != lockstep
        if lockstep:
            await scene.answer(1, 2, 3)
        assert await scene.waiting == scene.slots[: 4 if lockstep else 2]

    scene(play)


def test_if_nothing_can_come_the_error_of_the_first_is_raised():
    async def play(scene):
        await scene.begin()
        for number in (0, 1):
            for slot in scene.shards[number].slots.values():
                slot.detach(LOST, dead=True)
                slot._unreported = False
            await scene.answer(number)
        with pytest.raises(RemoteError, match="gone"):
            await scene.waiting

    scene(play)


def test_the_end_of_a_slot_is_raised_if_that_is_wanted():
    async def play(scene):
        scene.asking.raises = True
        await scene.begin()
        scene.slots[3].detach(LOST, dead=True)
        scene.wake.set()
        with pytest.raises(RemoteError, match="gone"):
            await scene.waiting

    scene(play)


def test_a_reset_ends_when_all_have_spoken():
    async def play(scene):
        scene.waiting = asyncio.create_task(scene.asking.for_episodes(scene.slots))
        await asyncio.sleep(0)
        assert scene.asked(0)[0].patience is Patience.RESET
        await scene.answer(0, 0, 1, lost={1: (LOST, False)})
        await scene.answer(1, 2, 3)
        await scene.waiting
        assert [slot.absent for slot in scene.slots] == [False, True, False, False]

    scene(play)


def test_a_cancelled_wait_withdraws_its_questions():
    async def play(scene):
        await scene.begin()
        scene.waiting.cancel()
        await asyncio.wait((scene.waiting,))
        assert [worker.orders[-1] for worker in scene.workers] == [Withdraw()] * 2
        await scene.answer(0, 0)
        assert scene.slots[0].ready(0.0), "an answer that was on its way is kept"

    scene(play)
