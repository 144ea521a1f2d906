from __future__ import annotations

import math
import struct

import numpy as np
import pytest

from auniverse.errors import MalformedRectangleError, RFBError
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.messages import CursorChanged, FrameDrawn, Resized, Updated
from auniverse.rfb.types import Box, Frame, Limits

from ..conftest import Shred
from ..wire import CURSOR, DESKTOP_SIZE, FRAME, LAST_RECT, RAW, feed, rectangle, screen, update


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
    assert feed(screen(4, 3), [data]).damage == []


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
    assert fed.events == [Updated(3), Updated(1), Updated(1)]
    assert (fed.updates, fed.rectangles) == (3, 5)


def test_a_pointer(shred: Shred) -> None:
    framebuffer = screen(4, 3)
    before = framebuffer.pixels.copy()
    pixels = bytes(range(9 * 2 * 4))
    mask = bytes([0b10000001, 0b10000000, 0b00000000, 0b01111111])
    fed = feed(framebuffer, shred(update(rectangle(5, 1, 9, 2, CURSOR, pixels + mask))))
    cursor, updated = fed.events
    assert updated == Updated(1)
    assert isinstance(cursor, CursorChanged)
    assert (cursor.x, cursor.y) == (5, 1)
    assert cursor.image.shape == (2, 9, 4)
    assert cursor.image[1, 2, :3].tolist() == [44, 45, 46]
    assert cursor.image[..., 3].tolist() == [[255, 0, 0, 0, 0, 0, 0, 255, 255], [0] * 9]
    assert (framebuffer.pixels == before).all()
    assert fed.damage == []


@pytest.mark.parametrize("size", [(0, 0), (0, 2), (2, 0)])
def test_no_pointer(size: tuple[int, int]) -> None:
    fed = feed(screen(4, 3), [update(rectangle(0, 0, *size, CURSOR))])
    cursor = fed.events[0]
    assert isinstance(cursor, CursorChanged)
    assert cursor.image.size == 0


def test_the_largest_pointer() -> None:
    payload = bytes(4 * 256 * 256 + 32 * 256)
    feed(screen(4, 3), [update(rectangle(0, 0, 256, 256, CURSOR, payload))])
    for size in ((257, 1), (1, 257)):
        with pytest.raises(MalformedRectangleError, match="a pointer larger than 256"):
            feed(screen(4, 3), [update(rectangle(0, 0, *size, CURSOR))])
    with pytest.raises(MalformedRectangleError, match="larger than 1 "):
        feed(screen(4, 3), [update(rectangle(0, 0, 2, 1, CURSOR))], Limits(cursor=1))


def frame(number: int, drawn_at: float = 1.5, inputs: int = 3, input_at: float = 1.25) -> bytes:
    payload = struct.pack(">QdQd", number, drawn_at, inputs, input_at)
    return rectangle(0, 0, 0, 0, FRAME, payload)


def test_a_frame_is_drawn_when_its_update_ends(shred: Shred) -> None:
    one = rectangle(0, 0, 1, 1, RAW, b"abc\0")
    data = update(frame(1 << 40), one) + update(one) + update(one, frame(7), frame(8))
    fed = feed(screen(4, 3), shred(data))
    assert fed.events == [
        FrameDrawn(Frame(1 << 40, 1.5, 3, 1.25)),
        Updated(2),
        Updated(1),
        FrameDrawn(Frame(8, 1.5, 3, 1.25)),
        Updated(3),
    ]


@pytest.mark.parametrize("when", [math.nan, math.inf, -math.inf])
def test_a_frame_without_a_time(when: float) -> None:
    for data in (frame(1, drawn_at=when), frame(1, input_at=when)):
        with pytest.raises(MalformedRectangleError, match="no number"):
            feed(screen(4, 3), [update(data)])


def test_a_pointer_owns_its_image() -> None:
    data = bytearray(update(rectangle(0, 0, 1, 1, CURSOR, b"abc\0\x80")))
    (cursor, _) = Decoder(screen(4, 3), limits=Limits()).feed(memoryview(data)).events
    data[:] = bytes(len(data))
    assert isinstance(cursor, CursorChanged)
    assert np.array_equal(cursor.image, [[[97, 98, 99, 255]]])
