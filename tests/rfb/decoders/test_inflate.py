from __future__ import annotations

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import MalformedRectangleError
from auniverse.rfb.decoders.inflate import Inflater, longest_deflated

from ..wire import noise


def deflated(*parts: bytes, level: int = 6) -> list[bytes]:
    stream = zlib.compressobj(level)
    return [stream.compress(part) + stream.flush(zlib.Z_SYNC_FLUSH) for part in parts]


@given(st.lists(st.binary(max_size=300)), st.integers(0, 9))
def test_one_stream_in_parts(parts: list[bytes], level: int) -> None:
    inflater = Inflater()
    for part, data in zip(parts, deflated(*parts, level=level), strict=True):
        assert len(data) <= longest_deflated(len(part))
        assert inflater.inflate(memoryview(data), len(part), len(part)) == part


@pytest.mark.parametrize("size", [1, 1000, 300_000])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_an_honest_server_stays_below_the_longest(size: int, level: int) -> None:
    (data,) = deflated(noise(size), level=level)
    assert len(data) <= longest_deflated(size)


def test_too_much() -> None:
    (data,) = deflated(b"12345")
    with pytest.raises(MalformedRectangleError, match="more than 4"):
        Inflater().inflate(memoryview(data), 4)
    with pytest.raises(MalformedRectangleError, match="more than 0"):
        Inflater().inflate(memoryview(data), 0)


def test_too_little() -> None:
    (data,) = deflated(b"12345")
    with pytest.raises(MalformedRectangleError, match="5 bytes instead of 6"):
        Inflater().inflate(memoryview(data), 6, 6)
    with pytest.raises(MalformedRectangleError, match="0 bytes instead of 5"):
        Inflater().inflate(memoryview(data[:3]), 5, 5)


def test_a_bomb_costs_no_more_than_was_allowed() -> None:
    (data,) = deflated(bytes(50_000_000))
    inflater = Inflater()
    tracemalloc.start()
    try:
        with pytest.raises(MalformedRectangleError, match="more than 1000"):
            inflater.inflate(memoryview(data), 1000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300_000


def test_what_is_no_stream() -> None:
    with pytest.raises(MalformedRectangleError, match="no zlib stream"):
        Inflater().inflate(memoryview(b"hello"), 10)


def test_a_stream_that_ends() -> None:
    ended = zlib.compress(b"12345")
    inflater = Inflater()
    assert inflater.inflate(memoryview(ended), 5, 5) == b"12345"
    with pytest.raises(MalformedRectangleError, match="ended before"):
        inflater.inflate(memoryview(ended), 5)
    with pytest.raises(MalformedRectangleError, match="ends before its data"):
        Inflater().inflate(memoryview(ended + b"x"), 5)


@given(st.binary(max_size=5000), st.lists(st.integers(1, 900), min_size=1, max_size=8))
def test_read_in_pieces(data: bytes, sizes: list[int]) -> None:
    inflater = Inflater()
    for part in deflated(data, data[::-1]):
        inflater.begin(memoryview(part))
        whole = bytearray()
        for size in sizes * 5000:
            piece = inflater.read(size)
            whole += piece
            if len(piece) < size:
                break
        assert len(whole) == len(data)
        inflater.end()
    assert whole == data[::-1]


def test_more_than_one_chunk_in_and_a_limit_in_the_middle_of_it() -> None:
    plain = noise(300_000)
    (data,) = deflated(plain, level=1)
    inflater = Inflater()
    inflater.begin(memoryview(data))
    assert inflater.read(1, 1) == plain[:1]
    assert inflater.read(299_998, 299_998) == plain[1:-1]
    with pytest.raises(MalformedRectangleError, match="300000 bytes instead of 300001"):
        inflater.read(2, 2)
    inflater = Inflater()
    inflater.begin(memoryview(data))
    inflater.read(299_999)
    with pytest.raises(MalformedRectangleError, match="more than 299999 bytes"):
        inflater.end()
