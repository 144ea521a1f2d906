"""What the pool knows of a worker's slots: whose results count, and what is told anew."""

import pytest

from auniverse.vector.crew.orders import Act, Begin, Collect, Patience, Withdraw

from .told import LOST, NEWS, answer, attach, result, shard_of


@pytest.fixture
def shard():
    return shard_of(4, 5)


def test_slots_go_by_their_indices_in_the_pool(shard):
    worker = attach(shard)
    first, second = shard.slots.values()
    second.send([("x",)], 0.0)
    shard.ask([second], Patience.ALL, 1.5, 3)
    assert worker.orders[-2:] == [Act([(5, [("x",)])]), Collect(1, [5], Patience.ALL, 1.5, 3)]
    assert answer(shard, result(5), number=1) == [second]
    assert shard.asked is None
    assert shard.answered
    assert second.ready(0.0)
    assert second.result(0.0).slot == 5
    assert not first.ready(0.0)
    assert not second.pending


def test_what_was_answered_before_a_reset_counts_no_more(shard):
    attach(shard)
    slot = shard.slots[4]
    slot.send([], 0.0)
    begun = shard._begun
    slot.begin_reset(3, 0.0)
    assert answer(shard, result(4), begun=begun) == [None]
    assert not slot.ready(0.0)
    assert answer(shard, result(4), begun=begun + 1) == [slot]
    slot.begin_reset(4, 0.0)
    assert not slot.ready(0.0), "nor does what had arrived"


def test_a_lost_worker_is_one_fault_of_each_slot_that_is_told_once(shard):
    attach(shard)
    for slot in shard.slots.values():
        slot.begin_reset(None, 0.0)
    answer(shard, result(4), begun=shard._begun)
    shard.detach(LOST, dead=False)
    first, second = shard.slots.values()
    assert first.result(0.0).reward == 1.0, "what had arrived before is not lost"
    for slot in (first, second):
        slot.send([], 0.0)
        fault = slot.result(0.0)
        assert fault.truncated
        assert fault.info["fault"]["type"] == "WorkerLostError"
        slot.send([], 0.0)
        assert not slot.ready(0.0)


def test_a_new_worker_begins_what_was_playing_and_goes_on_with_what_is_owed(shard):
    attach(shard)
    first, second = shard.slots.values()
    first.begin_reset(7, 0.0)
    second.send([], 0.0)
    shard.detach(LOST, dead=False)
    second.send([], 0.0)  # nobody is there to be told
    worker = attach(shard, [None, LOST])
    assert worker.orders == [Begin([(4, 7, None)]), Act([(5, [])])]
    assert (first.absent, second.absent) == (False, True)
    answer(shard, result(4), begun=1)
    assert first.arrived


def test_counters_of_workers_that_are_gone_are_kept(shard):
    for _ in range(2):
        attach(shard)
        shard.detach(LOST, dead=False)
    attach(shard)
    # two at the workers before, one at this one, and both times the worker itself was lost
    assert [slot.stats()["faults"] for slot in shard.slots.values()] == [3 + 1, 0 + 1]
    assert shard.slots[5].stats()["causes"] == {"WorkerLostError": 2}
    assert shard.news is NEWS


def test_slots_that_have_no_remote_are_known(shard):
    attach(shard)
    answer(shard, lost={5: (LOST, True)})
    assert shard.slots[5].dead
    assert shard.slots[5].absent
    assert shard.slots[5].error is LOST


def test_what_was_asked_for_can_be_withdrawn_once(shard):
    worker = attach(shard)
    shard.ask(list(shard.slots.values()), Patience.SOME, None, 0)
    shard.withdraw()
    shard.withdraw()
    assert worker.orders[-1] == Withdraw()
    assert worker.orders.count(Withdraw()) == 1
    answer(shard, result(4), number=1)
    assert not shard.answered, "but results that are there stay"
    assert shard.slots[4].arrived
