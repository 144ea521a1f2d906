"""Slots go to the worker that has the fewest, and a worker without slots ends."""

import asyncio

import pytest

from auniverse.errors import UsageError
from auniverse.vector.crew.employer import Employer
from auniverse.vector.crew.orders import Done, Enter, Entered, Leave, Open, Tried
from auniverse.vector.crew.staff import Staff

from .told import NEWS, Told, far_slot, opened


class Willing(Told):
    """It opens at once, whatever it is given, and does what takes time when it is told so."""

    def __init__(self, shard):
        super().__init__()
        self.shard = shard
        self.opened = asyncio.get_running_loop().create_future()
        self.opened.set_result(opened(list(shard.slots)))

    async def lost(self):
        await asyncio.Event().wait()

    def tell(self, order):
        super().tell(order)
        if isinstance(order, Leave):
            self.shard.done(Done(order.number))


def staffed(scenario, slots=3, workers=2):
    async def main():
        wake, dismissed = asyncio.Event(), []
        employer = Employer(
            Willing, lambda shard: Open([], {}), lambda shard: wake.set(), 0, silence=None
        )
        first = [far_slot(index) for index in range(slots)]
        staff = Staff(first, employer, wake, workers, dismissed.append)
        await staff.open()
        await scenario(staff, wake, dismissed)
        await staff.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def parts(staff):
    return [sorted(shard.slots) for shard in staff.shards]


async def add(staff, wake, *indices, error=None):
    """Add slots whose remotes the workers find to be there, or not."""
    adding = asyncio.create_task(staff.add([far_slot(index) for index in indices]))
    for _ in range(5):
        await asyncio.sleep(0)
    for shard in staff.shards:
        for order in shard.worker.orders if shard.worker else ():
            if isinstance(order, Enter):
                tried = {place.slot: Tried(error, error is not None) for place in order.places}
                shard.entered(Entered(tried, NEWS))
    wake.set()
    await adding


def test_neighbours_stay_together_and_who_comes_later_goes_where_there_are_fewest():
    async def scenario(staff, wake, dismissed):
        assert parts(staff) == [[0, 1], [2]]
        await add(staff, wake, 3, 4, 5)
        assert parts(staff) == [[0, 1, 3], [2, 4, 5]]
        assert staff.indices == [0, 1, 2, 3, 4, 5]
        assert not any(slot.absent for slot in staff.slots)

    staffed(scenario)


def test_there_are_as_many_workers_as_wanted_once_there_are_slots_for_them():
    async def scenario(staff, wake, dismissed):
        assert parts(staff) == [[0]]
        await add(staff, wake, 1, 2, 3)
        assert parts(staff) == [[0, 1], [2], [3]]
        assert [shard.number for shard in staff.shards] == [0, 1, 2]

    staffed(scenario, slots=1, workers=3)


def test_who_leaves_is_told_and_a_worker_without_slots_ends():
    async def scenario(staff, wake, dismissed):
        here, there = staff.shards
        worker = here.worker
        await staff.remove(staff.chosen([0, 2]))
        assert worker.orders[-1] == Leave(1, [0])
        assert parts(staff) == [[1]]
        assert dismissed == [1]
        assert staff.indices == [1]
        assert there not in staff.shards
        await add(staff, wake, 0)
        assert parts(staff) == [[1], [0]]

    staffed(scenario)


def test_whom_nobody_reaches_is_not_taken_in():
    async def scenario(staff, wake, dismissed):
        with pytest.raises(UsageError, match="no lock-step"):
            await add(staff, wake, 7, error=UsageError("no lock-step there"))
        assert parts(staff) == [[0, 1], [2]]
        assert staff.indices == [0, 1, 2]

    staffed(scenario)
