from __future__ import annotations

import math
import struct

import pytest

from auniverse.errors import MalformedRectangleError, RFBError
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.messages import (
    FrameDrawn,
    KeysExtended,
    LayoutChanged,
    LightsChanged,
    PointerMoved,
    Renamed,
    Resized,
    Updated,
)
from auniverse.rfb.types import Box, Frame, Limits, Monitor

from ..conftest import Shred
from ..wire import DESKTOP_SIZE, FRAME, LAST_RECT, RAW, feed, feed_on, rectangle, screen, update


def test_another_size(shred: Shred) -> None:
    framebuffer = screen(4, 3)
    data = update(
        rectangle(3, 2, 1, 1, RAW, b"abc\0"),
        rectangle(0, 0, 2, 5, DESKTOP_SIZE),
        rectangle(1, 4, 1, 1, RAW, b"abc\0"),
    )
    fed = feed(framebuffer, shred(data))
    assert fed.events == [Resized(2, 5), Updated(3)]
    assert framebuffer.pixels.shape == (5, 2, 4)
    assert bytes(framebuffer.pixels.ravel()) == bytes(36) + b"abc\0"
    assert framebuffer.damage.boxes == (Box(0, 0, 2, 5),)


def test_damage_of_the_old_screen_is_forgotten() -> None:
    data = update(rectangle(3, 2, 1, 1, RAW, b"abc\0"), rectangle(0, 0, 2, 1, DESKTOP_SIZE))
    framebuffer = screen(4, 3)
    feed(framebuffer, [data])
    assert framebuffer.damage.take() == [Box(0, 0, 2, 1)]


def test_the_same_size_is_no_news() -> None:
    framebuffer = screen(4, 3)
    before = framebuffer.pixels
    fed = feed(framebuffer, [update(rectangle(0, 0, 4, 3, DESKTOP_SIZE))])
    assert fed.events == [Updated(1)]
    assert framebuffer.pixels is before


@pytest.mark.parametrize("size", [(0, 3), (65535, 65535)])
def test_an_impossible_size(size: tuple[int, int]) -> None:
    with pytest.raises(RFBError, match=r"DESKTOP_SIZE .* a screen of"):
        feed(screen(4, 3), [update(rectangle(0, 0, *size, DESKTOP_SIZE))])


def test_the_last_rectangle_ends_the_update(shred: Shred) -> None:
    one = rectangle(0, 0, 1, 1, RAW, b"abc\0")
    last = rectangle(0, 0, 0, 0, LAST_RECT)
    data = update(one, one, last, count=0xFFFF) + update(last, count=3) + update(one)
    fed = feed(screen(4, 3), shred(data))
    assert fed.events == [Updated(5, updates=3)]
    assert (fed.updates, fed.rectangles) == (3, 5)


def frame(number: int, drawn_at: float = 1.5, inputs: int = 3, input_at: float = 1.25) -> bytes:
    payload = struct.pack(">QdQd", number, drawn_at, inputs, input_at)
    return rectangle(0, 0, 0, 0, FRAME, payload)


def test_a_frame_is_drawn_when_its_update_ends(shred: Shred) -> None:
    one = rectangle(0, 0, 1, 1, RAW, b"abc\0")
    data = update(frame(1 << 40), one) + update(one) + update(one, frame(7), frame(8))
    fed = feed(screen(4, 3), shred(data))
    assert fed.events == [
        FrameDrawn(Frame(1 << 40, 1.5, 3, 1.25)),
        Updated(3, updates=2),
        FrameDrawn(Frame(8, 1.5, 3, 1.25)),
        Updated(3),
    ]


@pytest.mark.parametrize("when", [math.nan, math.inf, -math.inf])
def test_a_frame_without_a_time(when: float) -> None:
    for data in (frame(1, drawn_at=when), frame(1, input_at=when)):
        with pytest.raises(MalformedRectangleError, match="no number"):
            feed(screen(4, 3), [update(data)])


X_DESKTOP_SIZE, NAME, POINTER, LED, KEYS, AUDIO = -308, -307, -232, -261, -258, -259
LEFT = b"\0\0\0\7\0\0\0\0\0\2\0\5\0\0\0\1"
RIGHT = b"\0\0\0\x08\0\2\0\0\0\2\0\5\0\0\0\0"
MONITORS = (Monitor(7, 0, 0, 2, 5, 1), Monitor(8, 2, 0, 2, 5, 0))


def test_another_size_with_monitors(shred: Shred) -> None:
    framebuffer = screen(4, 3)
    data = update(
        rectangle(0, 0, 4, 5, X_DESKTOP_SIZE, b"\2\0\0\0" + LEFT + RIGHT),
        rectangle(3, 4, 1, 1, RAW, b"abc\0"),
    )
    fed = feed(framebuffer, shred(data))
    assert fed.events == [Resized(4, 5, MONITORS), Updated(2)]
    assert framebuffer.pixels.shape == (5, 4, 4)


@pytest.mark.parametrize(
    ("head", "event"),
    [
        ((0, 0, 4, 3), LayoutChanged(0, 0, MONITORS[:1])),
        ((2, 0, 4, 3), LayoutChanged(2, 0, MONITORS[:1])),
        ((1, 1, 9, 9), LayoutChanged(1, 1, MONITORS[:1])),  # not done: the size is what we wanted
        ((1, 3, 65535, 65535), LayoutChanged(1, 3, MONITORS[:1])),
    ],
)
def test_no_other_size(head: tuple[int, int, int, int], event: LayoutChanged, shred: Shred) -> None:
    framebuffer = screen(4, 3)
    before = framebuffer.pixels
    fed = feed(framebuffer, shred(update(rectangle(*head, X_DESKTOP_SIZE, b"\1\0\0\0" + LEFT))))
    assert fed.events == [event, Updated(1)]
    assert framebuffer.pixels is before


def test_too_many_monitors_are_refused_before_they_come() -> None:
    data = update(rectangle(0, 0, 4, 5, X_DESKTOP_SIZE, b"\x41\0\0\0"))
    with pytest.raises(MalformedRectangleError, match="65 monitors; the limit is 64"):
        feed(screen(4, 3), [data])
    with pytest.raises(RFBError, match="a screen of 0x5"):
        feed(screen(4, 3), [update(rectangle(0, 0, 0, 5, X_DESKTOP_SIZE, b"\0\0\0\0"))])


@pytest.mark.parametrize("encoding", [DESKTOP_SIZE, X_DESKTOP_SIZE])
def test_a_storm_of_resizes_is_ended(encoding: int) -> None:
    payload = b"" if encoding == DESKTOP_SIZE else bytes(4)
    sizes = [rectangle(0, 0, 5 + i % 2, 5, encoding, payload) for i in range(17)]
    framebuffer = screen(4, 3)
    subject = Decoder(framebuffer, limits=Limits())
    feed_on(subject, [b"".join(map(update, sizes[:16]))])
    framebuffer.allow_resizes()
    feed_on(subject, [update(*sizes[:16])])
    with pytest.raises(RFBError, match="resized more than 16 times at a stretch"):
        feed_on(subject, [update(sizes[0])])


def test_another_name(shred: Shred) -> None:
    named = rectangle(0, 0, 0, 0, NAME, b"\0\0\0\6caf\xc3\xa9\n")
    assert feed(screen(4, 3), shred(update(named))).events == [Renamed("café"), Updated(1)]
    data = update(rectangle(0, 0, 0, 0, NAME, b"\0\0\x10\1"))
    with pytest.raises(MalformedRectangleError, match="a name of 4097 bytes"):
        feed(screen(4, 3), [data])


def test_small_news(shred: Shred) -> None:
    data = update(
        rectangle(3, 1, 0, 0, POINTER),
        rectangle(65535, 65535, 0, 0, POINTER),
        rectangle(0, 0, 0, 0, LED, b"\5"),
        rectangle(0, 0, 0, 0, KEYS),
        rectangle(0, 0, 0, 0, AUDIO),
    )
    assert feed(screen(4, 3), shred(data)).events == [
        PointerMoved(3, 1),
        PointerMoved(3, 2),
        LightsChanged(5),
        KeysExtended(),
        Updated(5),
    ]
