from __future__ import annotations

import random
import tracemalloc

import pytest

from auniverse.errors import RFBError
from auniverse.rfb.buffer import COPIED, MAX_SURPLUS, MIN_ROOM, ROUNDS, ReceiveBuffer


def put(buffer: ReceiveBuffer, data: bytes, needed: int = 0) -> None:
    room = buffer.get_buffer(needed)
    room[: len(data)] = data
    buffer.buffer_updated(len(data))


def test_what_goes_in_comes_out_in_order() -> None:
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


def test_it_grows_to_what_is_needed_at_once_and_keeps_what_waits() -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    put(buffer, b"abc")
    buffer.consume(1)
    assert len(buffer.get_buffer(1_000_000)) >= 999_998
    assert buffer.capacity <= 1_000_000 + MIN_ROOM
    assert bytes(buffer.view()) == b"bc"


def test_a_view_outlives_growth() -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    put(buffer, b"abc")
    view = buffer.view()
    room = buffer.get_buffer(10 * MIN_ROOM)
    assert bytes(view) == b"abc"
    assert len(room) >= 10 * MIN_ROOM - 3


def test_there_is_always_room() -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    for _ in range(10):
        put(buffer, bytes(MIN_ROOM))
        assert len(buffer.get_buffer()) >= MIN_ROOM


def test_byte_by_byte_costs_no_moves() -> None:
    buffer = ReceiveBuffer(4 * MIN_ROOM)
    put(buffer, b"?")
    buffer.get_buffer(100_000)
    memory = buffer._memory
    for _ in range(99_999):
        put(buffer, b"x", needed=100_000)
    assert id(buffer._memory) == id(memory)  # no diff of 100 kB if it fails
    assert len(buffer) == 100_000
    assert buffer._read == 0


def test_it_shrinks_when_nothing_large_has_come_for_long() -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    put(buffer, bytes(1_000_000), needed=1_000_000)
    buffer.consume(1_000_000)
    for _ in range(2 * ROUNDS):
        put(buffer, b"x")
        buffer.consume(1)
    assert buffer.capacity <= 2 * MIN_ROOM


def test_it_keeps_its_size_while_it_is_needed_now_and_then() -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    memories = set()
    for i in range(4 * ROUNDS):
        put(buffer, b"x", needed=1_000_000 if i % 50 == 0 else 1)
        buffer.consume(1)
        memories.add(id(buffer._memory))
    assert len(memories) <= 2


def test_what_is_above_the_limit_is_refused_before_memory_is_taken() -> None:
    buffer = ReceiveBuffer(MIN_ROOM, limit=1000)
    with pytest.raises(RFBError, match="1001"):
        buffer.get_buffer(1001)
    assert buffer.capacity == MIN_ROOM


@pytest.mark.parametrize("count", [-1, 10**6])
def test_counts_that_cannot_be(count: int) -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    with pytest.raises(ValueError, match="written"):
        buffer.buffer_updated(count)
    with pytest.raises(ValueError, match="consumed"):
        buffer.consume(count)


def test_no_more_is_taken_at_a_time_than_is_needed_or_a_little() -> None:
    buffer = ReceiveBuffer()
    assert len(buffer.get_buffer(5_000_000)) == 5_000_000
    buffer.buffer_updated(100)
    assert len(buffer.get_buffer(5_000_000)) == 5_000_000 - 100
    buffer.consume(100)
    assert len(buffer.get_buffer()) == MAX_SURPLUS
    assert len(buffer.get_buffer(MAX_SURPLUS + 1)) == MAX_SURPLUS + 1


def test_large_messages_whose_length_shows_bit_by_bit_are_not_copied_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Hextile and TRLE are measured: tile by tile."""
    copied = 0
    replace = ReceiveBuffer._replace

    def count(buffer: ReceiveBuffer, capacity: int) -> None:
        nonlocal copied
        copied += len(buffer)
        replace(buffer, capacity)

    monkeypatch.setattr(ReceiveBuffer, "_replace", count)
    buffer = ReceiveBuffer(MIN_ROOM)
    pattern = bytes(range(256)) * 40
    put(buffer, b"?" + pattern)
    buffer.consume(1)
    tracemalloc.start()
    for _ in range(600):
        put(buffer, pattern, needed=len(buffer) + 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert copied < 4 * COPIED
    assert peak < 1.25 * len(buffer) + 2 * COPIED
    assert buffer.view() == pattern * 601


def test_it_grows_while_somebody_looks_at_what_waits() -> None:
    buffer = ReceiveBuffer(MIN_ROOM)
    put(buffer, bytes(2 * COPIED) + b"end", needed=2 * COPIED + 3)
    with buffer.view() as view:
        assert len(buffer.get_buffer(4 * COPIED)) >= 2 * COPIED - 3
        assert view[-3:] == b"end" == buffer.view()[-3:]


def test_what_somebody_looks_at_stays_what_it_is() -> None:
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
