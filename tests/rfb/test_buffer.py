from __future__ import annotations

import random
import tracemalloc
from functools import partial
from typing import Protocol

import numpy as np
import pytest

from auniverse.errors import RFBError
from auniverse.rfb.buffer import COPIED, MAX_SURPLUS, MIN_ROOM, ROUNDS, Buffer
from auniverse.rfb.buffer import ReceiveBuffer as Plain
from auniverse.rfb.native.decoder import available, compiled


class Make(Protocol):
    """Both kinds are made alike."""

    def __call__(self, size: int = ..., *, limit: int = ...) -> Buffer: ...


@pytest.fixture(params=["python", "native"])
def ReceiveBuffer(request: pytest.FixtureRequest) -> Make:
    """The one in Python, and the compiled one where it was built."""
    if request.param == "python":
        return Plain
    if not available():
        pytest.skip("the compiled decoder was not built")
    return partial(compiled.ReceiveBuffer, RFBError)


def address(view: memoryview) -> int:
    return np.frombuffer(view, np.uint8).ctypes.data


def put(buffer: Buffer, data: bytes, needed: int = 0) -> None:
    room = buffer.get_buffer(needed)
    room[: len(data)] = data
    buffer.buffer_updated(len(data))


def test_what_goes_in_comes_out_in_order(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    chance = random.Random(1)
    sent, got = chance.randbytes(500_000), bytearray()
    position = 0
    while len(got) < len(sent):
        size = min(chance.randrange(MIN_ROOM), len(sent) - position)
        put(buffer, sent[position : position + size])
        position += size
        count = chance.randrange(len(buffer) + 1) if position < len(sent) else len(buffer)
        got += buffer.view()[:count]
        buffer.consume(count)
    assert got == sent


def test_it_grows_to_what_is_needed_at_once_and_keeps_what_waits(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    put(buffer, b"abc")
    buffer.consume(1)
    assert len(buffer.get_buffer(1_000_000)) >= 999_998
    assert buffer.capacity <= 1_000_000 + MIN_ROOM
    assert bytes(buffer.view()) == b"bc"


def test_a_view_outlives_growth(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    put(buffer, b"abc")
    view = buffer.view()
    room = buffer.get_buffer(10 * MIN_ROOM)
    assert bytes(view) == b"abc"
    assert len(room) >= 10 * MIN_ROOM - 3


def test_there_is_always_room(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    for _ in range(10):
        put(buffer, bytes(MIN_ROOM))
        assert len(buffer.get_buffer()) >= MIN_ROOM


def test_byte_by_byte_costs_no_moves(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(4 * MIN_ROOM)
    put(buffer, b"?")
    buffer.get_buffer(100_000)
    begin = address(buffer.view())
    for _ in range(99_999):
        put(buffer, b"x", needed=100_000)
    assert len(buffer) == 100_000
    assert address(buffer.view()) == begin


def test_it_shrinks_when_nothing_large_has_come_for_long(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    put(buffer, bytes(1_000_000), needed=1_000_000)
    buffer.consume(1_000_000)
    for _ in range(2 * ROUNDS):
        put(buffer, b"x")
        buffer.consume(1)
    assert buffer.capacity <= 2 * MIN_ROOM


def test_it_keeps_its_size_while_it_is_needed_now_and_then(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    capacities = set()
    for i in range(4 * ROUNDS):
        put(buffer, b"x", needed=1_000_000 if i % 50 == 0 else 1)
        buffer.consume(1)
        capacities.add(buffer.capacity)
    assert len(capacities) == 1


def test_what_is_above_the_limit_is_refused_before_memory_is_taken(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(MIN_ROOM, limit=1000)
    with pytest.raises(RFBError, match="1001"):
        buffer.get_buffer(1001)
    assert buffer.capacity == MIN_ROOM


@pytest.mark.parametrize("count", [-1, 10**6])
def test_counts_that_cannot_be(ReceiveBuffer: Make, count: int) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    with pytest.raises(ValueError, match="written"):
        buffer.buffer_updated(count)
    with pytest.raises(ValueError, match="consumed"):
        buffer.consume(count)


def test_no_more_is_taken_at_a_time_than_is_needed_or_a_little(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer()
    assert len(buffer.get_buffer(5_000_000)) == 5_000_000
    buffer.buffer_updated(100)
    assert len(buffer.get_buffer(5_000_000)) == 5_000_000 - 100
    buffer.consume(100)
    assert len(buffer.get_buffer()) == MAX_SURPLUS
    assert len(buffer.get_buffer(MAX_SURPLUS + 1)) == MAX_SURPLUS + 1


def test_large_messages_whose_length_shows_bit_by_bit_are_not_here_twice(
    ReceiveBuffer: Make,
) -> None:
    """As TRLE is measured: tile by tile."""
    buffer = ReceiveBuffer(MIN_ROOM)
    pattern = bytes(range(256)) * 40
    put(buffer, b"?" + pattern)
    buffer.consume(1)
    tracemalloc.start()
    for _ in range(600):
        put(buffer, pattern, needed=len(buffer) + 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.25 * len(buffer) + 2 * COPIED
    assert buffer.view() == pattern * 601


def test_nor_are_they_copied_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled one leaves that to the C library, which need not copy to have more."""
    copied = 0
    replace = Plain._replace

    def count(buffer: Plain, capacity: int) -> None:
        nonlocal copied
        copied += len(buffer)
        replace(buffer, capacity)

    monkeypatch.setattr(Plain, "_replace", count)
    buffer = Plain(MIN_ROOM)
    for _ in range(600):
        put(buffer, bytes(10_240), needed=len(buffer) + 1)
    assert copied < 4 * COPIED


def test_whether_it_can_be_read_on(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer()
    assert buffer.front == -1
    assert buffer.holds(0)
    put(buffer, b"ab")
    assert [buffer.holds(needed) for needed in (-1, 0, 2, 3)] == [False, True, True, False]
    assert buffer.front == ord("a")
    buffer.consume(1)
    assert buffer.front == ord("b")


def test_it_grows_while_somebody_looks_at_what_waits(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    put(buffer, bytes(2 * COPIED) + b"end", needed=2 * COPIED + 3)
    with buffer.view() as view:
        assert len(buffer.get_buffer(4 * COPIED)) >= 2 * COPIED - 3
        assert view[-3:] == b"end" == buffer.view()[-3:]


def test_what_somebody_looks_at_stays_what_it_is(ReceiveBuffer: Make) -> None:
    buffer = ReceiveBuffer(4 * MIN_ROOM)
    put(buffer, bytes(3 * MIN_ROOM))
    buffer.consume(3 * MIN_ROOM)
    put(buffer, b"early", needed=5)
    put(buffer, bytes(4 * MIN_ROOM - 10), needed=4 * MIN_ROOM)
    buffer.consume(3 * MIN_ROOM)
    view = buffer.view()
    before = bytes(view)
    room = buffer.get_buffer()
    room[:] = b"x" * len(room)
    assert bytes(view) == before
    assert bytes(buffer.view()) == before
