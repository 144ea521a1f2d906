"""A hostile server may cost two framebuffers and 16 MiB, whatever it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.rfb.wire import RAW, noise, opening

from .cost import SLACK, tell
from .streams import one
from .worst import HEIGHT, SCREEN, STREAMS, WIDTH


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
def test_two_framebuffers_and_16_mebibytes_are_all_it_costs(
    stream: Callable[[], Iterator[bytes]],
) -> None:
    parts = [opening(WIDTH, HEIGHT), *stream()]
    told = tell(parts, trace=True, piece=256 * 1024)
    assert told.connection.framebuffer is not None
    assert told.peak <= 2 * SCREEN + SLACK


@pytest.mark.parametrize("piece", [1, 1000])
def test_a_rectangle_that_trickles_in_costs_what_it_costs_at_once(piece: int) -> None:
    """Slow-loris in the middle of an update: neither memory nor a look at the bytes each time."""
    payload = noise(4 * 40 * 40)
    parts = [opening(40, 40), one(40, 40, RAW, payload)]
    fed = 0

    def count(*args: object) -> None:
        nonlocal fed
        fed += 1

    told = tell(parts[:1], trace=True)
    decoder = told.connection._decoder
    assert decoder is not None
    feed = decoder.feed
    decoder.feed = lambda data: (count(), feed(data))[1]  # type: ignore[method-assign,func-returns-value]
    told = tell(parts[1:], piece=piece, connection=told.connection, trace=True)
    assert told.fault is None
    assert told.connection.updates == 1
    assert fed <= 4
    assert told.peak < 100_000
