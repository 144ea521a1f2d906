"""A hostile server may cost two framebuffers and 16 MiB, whatever it sends."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from auniverse.rfb import Decoder
from tests.rfb.wire import RAW, noise, opening

from .cost import SLACK, tell
from .streams import one
from .worst import REFUSED, STREAMS, TRACED, Stream

WIDTH, HEIGHT = 4096, 2048


@pytest.mark.parametrize("stream", TRACED, ids=lambda stream: stream.__name__)
def test_two_framebuffers_and_16_mebibytes_are_all_it_costs(stream: Stream) -> None:
    parts = [opening(WIDTH, HEIGHT), *stream(WIDTH, HEIGHT)]
    told = tell(parts, trace=True, piece=256 * 1024)
    assert told.connection.framebuffer is not None
    assert told.peak <= 2 * 4 * WIDTH * HEIGHT + SLACK


JPEGS = tuple(stream.__name__ for stream in STREAMS if stream.__name__.startswith("jpeg"))
#: numpy's screen is smaller: some of these take it seconds for every million of pixels.
RESIDENT = {"numpy": (1024, 256), "native": (2048, 2048)}


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel in Linux's way")
def test_what_libraries_take_is_within_that_too(decoder_type: type[Decoder]) -> None:
    decoder = "numpy" if decoder_type is Decoder else "native"
    width, height = RESIDENT[decoder]
    found = resident(decoder, width, height)
    assert found.keys() == {stream.__name__ for stream in STREAMS}
    most = 2 * 4 * width * height + SLACK
    assert {name: bytes for name, (bytes, _) in found.items() if bytes > most} == {}
    refused = {name for name, (_, fault) in found.items() if fault}
    assert refused == REFUSED if decoder == "native" else refused < REFUSED, found


def resident(decoder: str, width: int, height: int, *streams: str) -> dict[str, tuple[int, str]]:
    """What streams (all: none) cost in a process of its own, in bytes, and how they ended."""
    # Memory that was given back goes back to the kernel, instead of being kept for the next time.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    command = [sys.executable, "-m", "tests.hostile.resident", decoder, str(width), str(height)]
    done = subprocess.run([*command, *streams], env=environment, capture_output=True, check=True)
    found: dict[str, tuple[int, str]] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel in Linux's way")
@pytest.mark.skipif(not Decoder.jpeg, reason="numpy's decoder has no JPEG here")
@pytest.mark.parametrize("decoder_type", [Decoder], indirect=True)
def test_pictures_cost_no_more_without_the_compiled_decoder() -> None:
    """On a screen as large as the compiled decoder's, by the library's Python binding."""
    width, height = RESIDENT["native"]
    found = resident("numpy", width, height, *JPEGS)
    most = 2 * 4 * width * height + SLACK
    assert {name: bytes for name, (bytes, _) in found.items() if bytes > most} == {}
    assert {name for name, (_, fault) in found.items() if fault} == REFUSED & {*JPEGS}
    read = max(bytes for name, (bytes, _) in found.items() if name not in REFUSED)
    assert read > 4 * width * height, "the screen alone is as much: nothing was painted"


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
    read = decoder.read
    decoder.read = lambda buffer: (count(), read(buffer))[1]  # type: ignore[method-assign,func-returns-value]
    told = tell(parts[1:], piece=piece, connection=told.connection, trace=True)
    assert told.fault is None
    assert told.connection.updates == 1
    assert fed <= 4
    assert told.peak < 100_000
