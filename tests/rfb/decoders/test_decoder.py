from __future__ import annotations

import zlib

import numpy as np
import pytest

from auniverse.errors import MalformedRectangleError, UnsupportedEncodingError
from auniverse.rfb.decoders import DECODERS, PSEUDO, Decoder, Fed
from auniverse.rfb.framebuffer import Framebuffer
from auniverse.rfb.messages import Updated
from auniverse.rfb.types import Box, Encoding, Limits

from ..conftest import Shred
from ..native.streams import CORRE, HEXTILE, RRE, TRLE, corre, hextile, rre, trle
from ..wire import (
    BELL,
    COPY_RECT,
    RAW,
    TIGHT,
    ZLIB,
    ZRLE,
    decoder_for,
    feed,
    feed_on,
    picture,
    rectangle,
    rgb,
    screen,
    sized,
    update,
)
from .test_tight import Encoder as TightEncoder
from .test_zrle import plain_runs, tiles, zrle

PIXEL = rectangle(1, 2, 1, 1, RAW, b"abc\0")
HEADER = len(update())


def decoder() -> Decoder:
    return decoder_for(screen(4, 3))


def test_it_says_what_it_can_decode() -> None:
    assert set(Decoder.encodings) == {*DECODERS, *PSEUDO, Encoding.TIGHT_WITHOUT_ZLIB}


@pytest.mark.parametrize("data", [b"", BELL, BELL + update(PIXEL), b"\3\0\0\0\0\0\0\0"])
def test_it_leaves_alone_what_is_no_update(data: bytes) -> None:
    assert decoder().feed(memoryview(data)) == Fed(0, 0, 0, 0, [])


def test_it_stops_where_another_message_begins() -> None:
    data = update(PIXEL) + update() + BELL + update(PIXEL)
    length = len(update(PIXEL) + update())
    subject = decoder()
    assert subject.feed(memoryview(data)) == Fed(length, 2, 1, 0, [Updated(1, updates=2)], 1)
    assert subject.framebuffer.damage.take() == [Box(1, 2, 1, 1)]


@pytest.mark.parametrize(
    ("length", "consumed", "needed"),
    [
        (1, 0, 4),
        (3, 0, 4),
        (4, 4, 12),
        (15, 4, 12),
        (16, 4, 16),
        (19, 4, 16),
        (20, 20, 12),
        (21, 20, 12),
        (35, 20, 16),
        (36, 36, 0),
    ],
)
def test_it_takes_whole_rectangles_and_says_what_it_needs(
    length: int, consumed: int, needed: int
) -> None:
    subject = decoder()
    fed = subject.feed(memoryview(update(PIXEL, PIXEL)[:length]))
    assert (fed.consumed, fed.needed) == (consumed, needed)
    assert subject.inside is (HEADER <= length < 36)
    assert subject.position == consumed


def test_what_waits_in_vain_changes_nothing(shred: Shred) -> None:
    """Feeding the same incomplete bytes again and again, as a careless caller may."""
    subject = decoder()
    data, consumed, updates = update(PIXEL, PIXEL), 0, 0
    for end in range(len(data) + 1):
        fed = subject.feed(memoryview(data)[consumed:end])
        consumed += fed.consumed
        updates += fed.updates
    assert (consumed, updates) == (len(data), 1)


def test_it_goes_on_inside_an_update_whatever_the_bytes_look_like() -> None:
    subject = decoder()
    data = update(PIXEL, rectangle(2 << 8 & 3, 0, 1, 1, RAW, b"\2\2\2\2"), PIXEL)
    assert feed_on(subject, [data[:20], data[20:36], data[36:]]).rectangles == 3


def test_many_updates_at_once(shred: Shred) -> None:
    fed = feed(screen(4, 3), shred(update(PIXEL, PIXEL) * 20))
    assert (fed.updates, fed.rectangles) == (20, 40)
    assert fed.events == [Updated(40, updates=20)]


@pytest.mark.parametrize("encoding", sorted(DECODERS))
@pytest.mark.parametrize("place", [(4, 0, 1, 1), (0, 3, 1, 1), (0, 0, 5, 3), (65535,) * 4])
def test_a_place_off_the_screen_is_refused_before_anything_is_read(
    place: tuple[int, int, int, int], encoding: int
) -> None:
    with pytest.raises(MalformedRectangleError, match="off the screen of 4x3 pixels"):
        decoder().feed(memoryview(update(rectangle(*place, encoding), count=1)))


@pytest.mark.parametrize("encoding", [3, 8, 17, -1, -312, 1 << 30])
def test_an_encoding_that_nobody_asked_for(encoding: int) -> None:
    subject = decoder()
    if encoding in subject.encodings:
        pytest.skip("this decoder knows it")
    data = update(PIXEL, rectangle(0, 0, 1, 1, encoding))
    with pytest.raises(UnsupportedEncodingError, match="no such encoding was asked for"):
        subject.feed(memoryview(data))
    assert subject.position == 20


def large(encoding: int) -> tuple[int, int, bytes]:
    """Width, height and payload of a rectangle that nobody should paint at once."""
    small, tight = picture(250, 160, 5), TightEncoder()
    width, height, payload = {
        RAW: lambda: (1024, 1200, picture(1024, 1200).tobytes()),
        COPY_RECT: lambda: (1024, 1200, b"\0\0\0\0"),
        RRE: lambda: (250, 160, rre(small)),
        CORRE: lambda: (250, 160, corre(small)),
        HEXTILE: lambda: (250, 160, hextile(small)),
        TRLE: lambda: (250, 160, trle(small)),
        ZLIB: lambda: (500, 500, sized(zlib.compress(picture(500, 500, 3).tobytes())[:-4])),
        ZRLE: lambda: (250, 160, zrle(tiles(small, plain_runs))),
        TIGHT: lambda: (250, 160, tight.gradient(small)),
    }[encoding]()
    return width, height, payload


@pytest.mark.parametrize("encoding", sorted(DECODERS))
@pytest.mark.parametrize("cut", [0, 1])
def test_a_large_rectangle_is_painted_in_many_turns(encoding: int, cut: int) -> None:
    """Numpy's decoder stops inside of it. Memory that it reads from may be another each time."""
    width, height, payload = large(encoding)
    data = update(
        rectangle(0, 5, width, height, encoding, payload), rectangle(0, 0, 1, 1, RAW, b"abcd")
    )
    whole, parts = (Framebuffer(width, height + 5) for _ in range(2))
    for framebuffer in (whole, parts):
        framebuffer.pixels[:] = picture(width, height + 5, seed=9)
    Decoder(whole, limits=Limits()).feed(memoryview(data))
    subject = Decoder(parts, limits=Limits())
    turns = position = pixels = 0
    while True:
        subject.allowance = 30_000
        fed = subject.feed(memoryview(data[position : len(data) - cut * (turns < 2)]))
        position += fed.consumed
        turns += 1
        pixels += fed.pixels
        assert subject.allowance > -600_000
        if fed.updates:
            break
        assert turns < 2 or fed.needed <= len(data) - position
    assert turns > 2
    assert pixels == width * height + 1
    assert position == len(data)
    assert np.array_equal(rgb(parts), rgb(whole))
    assert not subject.inside
