"""Blocks are one memory for all who map the file, and the agent's for as long as it holds them."""

import os

import numpy as np
import pytest

from auniverse.rfb import Box
from auniverse.vector.crew.memory import COUNT, Batches, SharedBlocks, nameless_file

SHAPE = (3, 4, 5, 3)
ALL = [0, 1, 2]


@pytest.fixture
def file():
    descriptor = nameless_file()
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def batches(file):
    return Batches(file, SHAPE)


def address(pixels):
    return pixels.__array_interface__["data"][0]


def write(batches, value):
    for row in range(SHAPE[0]):
        batches.write(row, np.full(SHAPE[1:], value, np.uint8))


def test_a_whole_batch_is_handed_out_without_a_copy_and_what_is_held_stays(batches):
    held = []
    for value in range(1, COUNT):
        write(batches, value)
        held.append(batches.take(ALL))
    assert [batch.max() for batch in held] == [batch.min() for batch in held] == [1, 2, 3]
    assert len({address(batch) for batch in held}) == COUNT - 1
    first = address(held[0])
    row = held.pop(0)[1]  # a part of it holds it as well
    write(batches, 9)
    copy = batches.take(ALL)
    assert address(copy) not in {first, *map(address, held)}
    write(batches, 10)
    assert copy.min() == 9
    assert row.max() == 1
    del row
    assert batches.take(ALL).min() == 10, "there is room again"
    assert batches.current == 0


def test_a_batch_of_all_that_there_are_may_leave_rows_out(batches):
    write(batches, 1)
    first = batches.take([1, 2], whole=True)
    assert batches.current != 0, "not copied"
    write(batches, 2)
    assert batches.take([0, 2], whole=True).base is not first.base
    assert first.tolist() == np.ones((2, *SHAPE[1:])).tolist()
    batches.forget(1)
    assert not batches.newest(1).any()
    assert batches.newest(0).min() == 2


def test_an_agent_that_hoards_gets_copies(batches):
    hoard = []
    for value in range(20):
        write(batches, value)
        hoard.append(batches.take(ALL))
    assert [batch.min() for batch in hoard] == [batch.max() for batch in hoard] == list(range(20))


def test_some_rows_are_a_copy_and_nothing_can_be_written(batches):
    write(batches, 1)
    some = batches.take([2, 0])
    assert some.shape == (2, *SHAPE[1:])
    assert batches.current == 0
    write(batches, 2)
    assert some.max() == 1
    for taken in (some, batches.take(ALL)):
        assert taken.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            taken[0] = 1


def test_the_block_used_last_comes_first_because_least_of_it_is_stale(batches):
    seen = set()
    for _ in range(10):
        write(batches, 1)
        seen.add(address(batches.take(ALL)))
    assert len(seen) == 2


def test_a_row_that_nobody_writes_shows_what_was_last_written(batches):
    write(batches, 1)
    held = batches.take(ALL)
    batches.write(0, np.full(SHAPE[1:], 2, np.uint8))
    batches.note(1)
    batches.write(2)
    assert batches.take(ALL)[:, 0, 0, 0].tolist() == [2, 0, 1]
    assert held.max() == 1


def test_workers_write_their_rows_of_the_same_memory(file, batches):
    ours = SharedBlocks(file)
    assert not ours.settled
    ours.settle(SHAPE)
    assert ours.settled
    whole = Box(0, 0, 5, 4)
    for number in range(COUNT):
        ours.current = number
        block = ours.take(SHAPE, whole)
        assert [stale.take() for stale in block.stale] == [[whole]] * 3
        block.pixels[1] = number + 1
    ours.damage(2, Box(1, 1, 1, 1))
    ours.clear()
    assert ours.take(SHAPE, whole).stale[2].take() == [Box(1, 1, 1, 1)]
    ours.current = 0
    assert ours.take(SHAPE, whole).stale[1].take() == []
    assert batches.take(ALL)[:, 0, 0, 0].tolist() == [0, 1, 0]


def test_the_file_has_no_name(file):
    assert os.fstat(file).st_nlink == 0
    assert not os.get_inheritable(file)
