from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError, RemoteError
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.types import Limits

from ..conftest import Shred
from ..wire import feed, noise, picture, rectangle, rgb, screen, update

RRE, CORRE = 2, 4
PLACE = {RRE: ">HHHH", CORRE: "BBBB"}


def rre(
    encoding: int, background: bytes, *pieces: tuple[bytes, tuple[int, int, int, int]]
) -> bytes:
    body = b"".join(colour + struct.pack(PLACE[encoding], *place) for colour, place in pieces)
    return struct.pack(">I", len(pieces)) + background + body


def pixel_by_pixel(encoding: int, pixels: NDArray[np.uint8]) -> bytes:
    """A small encoder: every run of a row is a piece."""
    background = pixels[0, 0].tobytes()
    pieces = []
    for y, row in enumerate(pixels):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and (row[end] == row[x]).all():
                end += 1
            if row[x].tobytes() != background:
                pieces.append((row[x].tobytes(), (x, y, end - x, 1)))
            x = end
    return rre(encoding, background, *pieces)


def test_bytes_on_the_wire() -> None:
    framebuffer = screen(4, 3)
    payload = b"\0\0\0\1abc\0xyz\0\0\1\0\0\0\2\0\1"
    feed(framebuffer, [update(rectangle(0, 1, 4, 2, RRE, payload))])
    assert rgb(framebuffer)[1].tobytes() == b"abcxyzxyzabc"
    assert rgb(framebuffer)[2].tobytes() == b"abc" * 4
    payload = b"\0\0\0\1abc\0xyz\0\3\0\1\1"
    feed(framebuffer, [update(rectangle(0, 0, 4, 1, CORRE, payload))])
    assert rgb(framebuffer)[0].tobytes() == b"abcabcabcxyz"


@pytest.mark.parametrize("encoding", [RRE, CORRE])
@pytest.mark.parametrize("colours", [1, 2, 9, 0])
def test_pictures(encoding: int, colours: int, shred: Shred) -> None:
    framebuffer = screen(23, 14)
    expected = rgb(framebuffer).copy()
    pixels = picture(20, 11, colours)
    expected[2:13, 1:21] = pixels[..., :3]
    one = rectangle(1, 2, 20, 11, encoding, pixel_by_pixel(encoding, pixels))
    assert feed(framebuffer, shred(update(one, one))).rectangles == 2
    assert (rgb(framebuffer) == expected).all()


def test_the_later_piece_lies_on_the_earlier() -> None:
    framebuffer = screen(2, 1)
    payload = rre(RRE, b"abc\0", (b"def\0", (0, 0, 2, 1)), (b"ghi\0", (1, 0, 1, 1)))
    feed(framebuffer, [update(rectangle(0, 0, 2, 1, RRE, payload))])
    assert rgb(framebuffer).tobytes() == b"defghi"


def test_nothing() -> None:
    feed(screen(4, 3), [update(rectangle(4, 0, 0, 3, RRE, rre(RRE, b"abc\0")))])


@pytest.mark.parametrize("encoding", [RRE, CORRE])
def test_pieces_of_every_width(encoding: int) -> None:
    for width in (*range(1, 40), *range(120, 140), 250):
        framebuffer = screen(width + 5, 5)
        expected = rgb(framebuffer).copy()
        expected[1:4, 1 : width + 3] = list(b"abc")
        expected[2:4, 2 : width + 2] = list(b"def")
        payload = rre(encoding, b"abc\0", (b"def\0", (1, 1, width, 2)))
        feed(framebuffer, [update(rectangle(1, 1, width + 2, 3, encoding, payload))])
        assert (rgb(framebuffer) == expected).all(), width


@pytest.mark.parametrize("encoding", [RRE, CORRE])
@pytest.mark.parametrize(
    "place", [(2, 0, 1, 1), (0, 3, 1, 1), (0, 0, 3, 1), (1, 0, 2, 1), (0, 2, 1, 2), (255,) * 4]
)
def test_a_piece_outside(encoding: int, place: tuple[int, int, int, int]) -> None:
    payload = rre(encoding, b"abc\0", (b"def\0", place))
    with pytest.raises(MalformedRectangleError, match="a subrectangle outside"):
        feed(screen(8, 8), [update(rectangle(1, 1, 2, 3, encoding, payload))])


@pytest.mark.parametrize("encoding", [RRE, CORRE])
def test_more_pieces_than_pixels_are_refused_before_they_come(encoding: int) -> None:
    for count in (7, 0xFFFFFFFF):
        data = update(rectangle(1, 1, 2, 3, encoding, struct.pack(">I4s", count, b"abc\0")))
        with pytest.raises(MalformedRectangleError, match=f"{count} subrectangles in 6 pixels"):
            feed(screen(8, 8), [data])


def test_painting_all_of_it_again_and_again_is_refused() -> None:
    pieces = [(b"abc\0", (0, 0, 4, 4))] * 3
    feed(screen(4, 4), [update(rectangle(0, 0, 4, 4, RRE, rre(RRE, b"abc\0", *pieces[:2])))])
    with pytest.raises(MalformedRectangleError, match="many times over"):
        feed(screen(4, 4), [update(rectangle(0, 0, 4, 4, RRE, rre(RRE, b"abc\0", *pieces)))])


@given(
    st.sampled_from([RRE, CORRE]),
    st.integers(0, 4),
    st.lists(st.integers(0, 12), max_size=40),
    *(st.integers(0, 9),) * 2,
)
@settings(max_examples=200, deadline=None)
def test_arbitrary_pieces_are_painted_or_refused(
    encoding: int, count: int, numbers: list[int], width: int, height: int
) -> None:
    framebuffer = screen(10, 10)
    before = framebuffer.pixels.copy()
    payload = struct.pack(">I4s", count, b"abcd") + bytes(numbers) + noise(50)
    data = update(rectangle(1, 1, width, height, encoding, payload))
    with contextlib.suppress(RemoteError):
        Decoder(framebuffer, limits=Limits()).feed(memoryview(data))
    before[1 : 1 + height, 1 : 1 + width] = framebuffer.pixels[1 : 1 + height, 1 : 1 + width]
    assert (framebuffer.pixels == before).all()
