"""Workers are hired again as long as the budget lasts, and the first slot stands for its shard."""

import asyncio

from auniverse.errors import UsageError, WorkerLostError
from auniverse.vector.crew.employer import Employer
from auniverse.vector.crew.orders import Open

from .told import LOST, Told, opened, shard_of

ORDER = Open([], {})


class Mortal(Told):
    """It opens at once and is lost when it is told so."""

    def __init__(self, refusal=None):
        super().__init__()
        self.opened = asyncio.get_running_loop().create_future()
        self.end = asyncio.Event()
        if refusal is None:
            self.opened.set_result(opened([0, 1]))
        else:
            self.opened.set_exception(refusal)

    async def lost(self):
        await self.end.wait()
        return LOST


def employed(scenario, tries=5, refusal=None, silence=None):
    async def main():
        shard, hired, changes = shard_of(0, 1), [], asyncio.Queue()

        def hire(shard):
            hired.append(Mortal(refusal))
            return hired[-1]

        def changed(shard):
            changes.put_nowait(shard.worker)

        employer = Employer(hire, lambda shard: ORDER, changed, tries, silence)
        keeper = asyncio.create_task(employer.keep(shard))
        await scenario(shard, hired, changes, employer, keeper)
        keeper.cancel()
        await asyncio.wait([keeper])
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_lost_worker_is_followed_by_another():
    async def scenario(shard, hired, changes, employer, keeper):
        assert await changes.get() is hired[0] is shard.worker
        assert hired[0].orders[0] == ORDER
        assert shard.hired is hired[0]
        hired[0].end.set()
        assert await changes.get() is None
        assert shard.worker is shard.hired is None
        assert [slot.error for slot in shard.slots.values()] == [LOST, LOST]
        assert not any(slot.dead for slot in shard.slots.values())
        assert await changes.get() is hired[1] is shard.worker
        assert shard.slots[0].causes == {"WorkerLostError": 1}
        assert len(hired) == 2, "one worker for both slots"

    employed(scenario)


def test_the_budget_ends():
    async def scenario(shard, hired, changes, employer, keeper):
        assert await changes.get() is hired[0]
        hired[0].end.set()
        assert await changes.get() is None
        await asyncio.wait([keeper])
        assert all(slot.dead for slot in shard.slots.values())

    employed(scenario, tries=0)


def test_who_refuses_for_the_callers_fault_is_not_asked_again():
    async def scenario(shard, hired, changes, employer, keeper):
        assert await changes.get() is None
        await asyncio.wait([keeper])
        assert isinstance(shard.slots[0].error, UsageError)
        assert shard.slots[1].dead

    employed(scenario, refusal=UsageError("no"))


def test_nobody_is_hired_while_the_pool_rests():
    async def scenario(shard, hired, changes, employer, keeper):
        employer.running.clear()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not hired
        employer.running.set()
        assert await changes.get() is hired[0]

    employed(scenario)


class Still(Mortal):
    """It answers so many questions whether it lives."""

    answers = 3
    boot = 60.0

    def __init__(self, refusal=None):
        super().__init__(refusal)
        self.asked = 0
        self.spoke.set()

    def probe(self):
        self.asked += 1
        if self.asked <= self.answers:
            self.heard_at += 1.0
            self.mute = False


def test_a_worker_that_says_nothing_any_more_is_lost(monkeypatch):
    async def scenario(shard, hired, changes, employer, keeper):
        assert await changes.get() is hired[0]
        assert await changes.get() is hired[0]
        assert shard.mute, "it is not waited for"
        assert await changes.get() is None
        assert hired[0].frozen
        assert hired[0].asked > Still.answers
        error = shard.slots[0].error
        assert isinstance(error, WorkerLostError)
        assert "answered nothing for 0.05 s" in str(error)

    monkeypatch.setitem(globals(), "Mortal", Still)
    employed(scenario, silence=0.05)


def test_one_that_never_starts_is_lost_too(monkeypatch):
    class Stillborn(Mortal):
        boot = 0.01

        def __init__(self, refusal=None):
            super().__init__(refusal)
            self.opened = asyncio.get_running_loop().create_future()

    async def scenario(shard, hired, changes, employer, keeper):
        assert await changes.get() is None
        assert "did not start within 0.01 s" in str(shard.slots[0].error)

    monkeypatch.setitem(globals(), "Mortal", Stillborn)
    employed(scenario)
