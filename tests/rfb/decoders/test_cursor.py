from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import MalformedRectangleError, RemoteError, UnsupportedEncodingError
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.messages import CursorChanged, Updated
from auniverse.rfb.types import Limits

from ..conftest import Shred
from ..wire import CURSOR, feed, noise, rectangle, screen, update

X_CURSOR, ALPHA = -240, -314


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
    assert not framebuffer.damage


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


def test_a_pointer_owns_its_image() -> None:
    data = bytearray(update(rectangle(0, 0, 1, 1, CURSOR, b"abc\0\x80")))
    (cursor, _) = Decoder(screen(4, 3), limits=Limits()).feed(memoryview(data)).events
    data[:] = bytes(len(data))
    assert isinstance(cursor, CursorChanged)
    assert np.array_equal(cursor.image, [[[97, 98, 99, 255]]])


def test_a_pointer_of_two_colours(shred: Shred) -> None:
    shape = bytes([0b10000000, 0b10000000, 0b01000000, 0])
    mask = bytes([0b11000000, 0b10000000, 0b01000000, 0b01111111])
    data = update(rectangle(5, 1, 9, 2, X_CURSOR, b"ABCabc" + shape + mask))
    cursor, updated = feed(screen(4, 3), shred(data)).events
    assert updated == Updated(1)
    assert isinstance(cursor, CursorChanged)
    assert (cursor.x, cursor.y) == (5, 1)
    assert cursor.image.shape == (2, 9, 4)
    assert cursor.image[0, [0, 1, 8]].tobytes() == b"ABC\xffabc\xffABC\xff"
    assert cursor.image[1, [0, 1, 8]].tobytes() == b"abc\0ABC\xffabc\0"


def test_a_translucent_pointer(shred: Shred) -> None:
    pixels = bytes([255, 10, 0, 255, 100, 50, 0, 128, 0, 0, 0, 0, 9, 9, 9, 3])
    data = update(rectangle(1, 0, 2, 2, ALPHA, bytes(4) + pixels))
    cursor = feed(screen(4, 3), shred(data)).events[0]
    assert isinstance(cursor, CursorChanged)
    assert (cursor.x, cursor.y) == (1, 0)
    assert cursor.image.tolist() == [
        [[255, 10, 0, 255], [199, 99, 0, 128]],
        [[0, 0, 0, 0], [255, 255, 255, 3]],
    ]


def test_a_translucent_pointer_in_another_encoding_is_refused() -> None:
    with pytest.raises(UnsupportedEncodingError, match="a pointer in encoding -7"):
        feed(screen(4, 3), [update(rectangle(0, 0, 2, 2, ALPHA, b"\xff\xff\xff\xf9"))])


@pytest.mark.parametrize("encoding", [X_CURSOR, ALPHA])
@pytest.mark.parametrize("size", [(0, 0), (0, 2), (2, 0)])
def test_no_pointer_in_any_encoding(encoding: int, size: tuple[int, int]) -> None:
    payload = bytes(4) if encoding == ALPHA else b""
    fed = feed(screen(4, 3), [update(rectangle(0, 0, *size, encoding, payload))])
    cursor = fed.events[0]
    assert isinstance(cursor, CursorChanged)
    assert cursor.image.shape == (size[1], size[0], 4)


@pytest.mark.parametrize("encoding", [X_CURSOR, ALPHA])
@pytest.mark.parametrize("size", [(257, 1), (1, 257), (65535, 65535)])
def test_a_pointer_that_is_too_large(encoding: int, size: tuple[int, int]) -> None:
    with pytest.raises(MalformedRectangleError, match="a pointer larger than 256"):
        feed(screen(4, 3), [update(rectangle(0, 0, *size, encoding))])


@given(
    st.sampled_from([CURSOR, X_CURSOR, ALPHA]), st.integers(0, 20), st.integers(0, 20), st.binary()
)
@settings(max_examples=100, deadline=None)
def test_arbitrary_pointers(encoding: int, width: int, height: int, payload: bytes) -> None:
    data = update(rectangle(0, 0, width, height, encoding, payload + noise(2000)))
    with contextlib.suppress(RemoteError):
        Decoder(screen(4, 3), limits=Limits()).feed(memoryview(data))
