from __future__ import annotations

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

HEXTILE = 5
RAW, BACKGROUND, FOREGROUND, PIECES, COLOURED = 1, 2, 4, 8, 16


class Encoder:
    """The other end, as small as it can be: says only what has changed since the last tile."""

    def __init__(self) -> None:
        self.background = self.foreground = b""

    def tile(self, pixels: NDArray[np.uint8]) -> bytes:
        colours = list(dict.fromkeys(p.tobytes() for row in pixels for p in row))
        if len(colours) > 20:
            return bytes([RAW]) + pixels.tobytes()
        kind, out, pieces = 0, b"", []
        if colours[0] != self.background:
            kind |= BACKGROUND
            self.background = colours[0]
            out += self.background
        coloured = len(colours) > 2
        if len(colours) == 2 and colours[1] != self.foreground:
            kind |= FOREGROUND
            self.foreground = colours[1]
            out += self.foreground
        for y, row in enumerate(pixels):
            for x, pixel in enumerate(row):
                if pixel.tobytes() != colours[0]:
                    pieces.append((pixel.tobytes() if coloured else b"") + bytes([x << 4 | y, 0]))
        if pieces:
            kind |= PIECES | (COLOURED if coloured else 0)
            out += bytes([len(pieces)]) + b"".join(pieces)
        return bytes([kind]) + out

    def encode(self, pixels: NDArray[np.uint8]) -> bytes:
        height, width, _ = pixels.shape
        return b"".join(
            self.tile(pixels[y : y + 16, x : x + 16])
            for y in range(0, height, 16)
            for x in range(0, width, 16)
        )


def test_bytes_on_the_wire(shred: Shred) -> None:
    """Background and foreground carry over, also past a raw tile."""
    framebuffer = screen(64, 2)
    payload = (
        b"\x0e"
        b"abc\0"
        b"xyz\0"
        b"\1"
        b"\x10\x21"  # at (1, 0), 3 wide and 2 high
        b"\1" + b"raw\0" * 32 + b"\x08"
        b"\1"
        b"\xf1\x00"  # the last pixel of all
        b"\x1a"
        b"def\0"
        b"\2"
        b"ghi\0\0\0"
        b"jkl\0\x11\x00"
    )
    feed(framebuffer, shred(update(rectangle(0, 0, 64, 2, HEXTILE, payload))))
    top, bottom = (row.tobytes() for row in rgb(framebuffer))
    assert top == (
        b"abc" + b"xyz" * 3 + b"abc" * 12 + b"raw" * 16 + b"abc" * 16 + b"ghi" + b"def" * 15
    )
    assert bottom == (
        b"abc" + b"xyz" * 3 + b"abc" * 12 + b"raw" * 16 + b"abc" * 15 + b"xyz"
        + b"def" + b"jkl" + b"def" * 14
    )  # fmt: skip


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 15), (50, 37), (150, 20)])
@pytest.mark.parametrize("colours", [1, 2, 3, 9, 0])
def test_pictures(size: tuple[int, int], colours: int, shred: Shred) -> None:
    width, height = size
    colours = min(colours, width * height)
    framebuffer = screen(width + 3, height + 3)
    expected = rgb(framebuffer).copy()
    pixels = picture(width, height, colours)
    expected[2:-1, 1:-2] = pixels[..., :3]
    one = rectangle(1, 2, width, height, HEXTILE, Encoder().encode(pixels))
    assert feed(framebuffer, shred(update(one) + update(one))).updates == 2
    assert (rgb(framebuffer) == expected).all()


@pytest.mark.parametrize("width", [40, 300])
@pytest.mark.parametrize("seed", range(4))
def test_neighbours_of_one_colour(width: int, seed: int, shred: Shred) -> None:
    """Tiles alike beside each other and below, with others between; the first is all zeros."""
    chance = np.random.default_rng(seed)
    framebuffer = screen(width, 70)
    framebuffer.pixels[...] = 255
    pixels = np.zeros((70, width, 4), np.uint8)
    tiles = [(x, y) for y in range(0, 70, 16) for x in range(0, width, 16)]
    for x, y in tiles[1:]:
        tile = pixels[y : y + 16, x : x + 16]
        tile[..., :3] = chance.choice([0, 0, 90])
        kind = chance.integers(6)
        if kind == 0:
            tile[..., :3] = chance.integers(0, 256, (*tile.shape[:2], 3))
        elif kind == 1:
            tile[-1, -1, :3] = 7
    feed(framebuffer, shred(update(rectangle(0, 0, width, 70, HEXTILE, Encoder().encode(pixels)))))
    assert (rgb(framebuffer) == pixels[..., :3]).all()


def test_nothing() -> None:
    fed = feed(
        screen(4, 3), [update(*[rectangle(0, 0, *size, HEXTILE) for size in [(0, 3), (4, 0)]])]
    )
    assert fed.rectangles == 2


def test_the_bits_that_mean_nothing_are_let_be() -> None:
    framebuffer = screen(1, 1)
    feed(framebuffer, [update(rectangle(0, 0, 1, 1, HEXTILE, b"\xe2abc\0"))])
    assert rgb(framebuffer).tobytes() == b"abc"


@pytest.mark.parametrize("piece", [b"\x20\x00", b"\x02\x00", b"\x00\x20", b"\x11\x01", b"\xff\xff"])
def test_a_piece_outside_of_its_tile(piece: bytes) -> None:
    payload = b"\x0eabc\0xyz\0\1" + piece
    with pytest.raises(MalformedRectangleError, match="outside of its tile"):
        feed(screen(20, 20), [update(rectangle(1, 1, 2, 2, HEXTILE, payload))])


def test_a_slow_sender_does_not_make_it_begin_again_with_every_byte() -> None:
    tiles = 400
    data = update(rectangle(0, 0, 16 * tiles, 1, HEXTILE, b"\0" * tiles))
    subject = Decoder(screen(16 * tiles, 1), limits=Limits())
    consumed = subject.feed(memoryview(data)[:17]).consumed
    for end in range(18, len(data)):
        fed = subject.feed(memoryview(data)[consumed:end])
        assert (fed.consumed, fed.needed) == (0, end - consumed + 1)
        consumed += fed.consumed
    assert subject.feed(memoryview(data)[consumed:]).updates == 1


@given(st.binary(max_size=300), st.integers(0, 20), st.integers(0, 20), st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_arbitrary_tiles_are_painted_or_refused_however_they_come(
    payload: bytes, width: int, height: int, step: int
) -> None:
    data = update(rectangle(1, 1, width, height, HEXTILE, payload + noise(100)))
    seen = []
    for size in (len(data), step):
        framebuffer = screen(22, 22)
        before = framebuffer.pixels.copy()
        subject, consumed, end = Decoder(framebuffer, limits=Limits()), 0, "fine"
        try:
            for stop in range(size, len(data) + size, size):
                consumed += subject.feed(memoryview(data)[consumed:stop]).consumed
        except RemoteError as exc:
            end = str(exc)
        place = slice(1, 1 + height), slice(1, 1 + width)
        seen.append((end, rgb(framebuffer)[place].tobytes()))
        before[place] = framebuffer.pixels[place]
        assert (framebuffer.pixels == before).all()
    assert seen[0] == seen[1]
