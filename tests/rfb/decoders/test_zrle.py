from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import MalformedRectangleError, RemoteError

from ..conftest import Shred
from ..wire import ZRLE, feed, noise, picture, rectangle, rgb, screen, sized, update
from .test_inflate import deflated
from .tiling import CASES, Encode, packed, palette_runs, plain_runs, raw, tiles


def zrle(tiles: bytes) -> bytes:
    return sized(deflated(tiles)[0])


@pytest.mark.parametrize(("encode", "size", "colours"), CASES)
def test_tiles(encode: Encode, size: tuple[int, int], colours: int) -> None:
    width, height = size
    framebuffer = screen(width + 2, height + 3)
    expected = rgb(framebuffer).copy()
    pixels = picture(width, height, colours)
    expected[2:-1, 1:-1] = pixels[..., :3]
    payload = zrle(tiles(pixels, encode))
    feed(framebuffer, [update(rectangle(1, 2, width, height, ZRLE, payload))])
    assert (rgb(framebuffer) == expected).all()


@pytest.mark.parametrize("encode", [packed, palette_runs, plain_runs])
@pytest.mark.parametrize("colours", [2, 4, 16])
def test_rows_of_every_width(encode: Encode, colours: int) -> None:
    for width in range(1, 70):
        height = -(-colours // width) + 1
        test_tiles(encode, (width, height), colours)


@pytest.mark.parametrize("piece", [16_800, 20_000, 100_000])
@pytest.mark.parametrize(("encode", "colours"), [(raw, 0), (plain_runs, 0), (packed, 2)])
def test_pieces_smaller_than_all_the_tiles(
    monkeypatch: pytest.MonkeyPatch, encode: Encode, colours: int, piece: int
) -> None:
    monkeypatch.setattr("auniverse.rfb.decoders.tiles._PIECE", piece)
    test_tiles(encode, (200, 140), colours)


def test_one_stream_for_all_rectangles(shred: Shred) -> None:
    framebuffer = screen(20, 20)
    pictures = [picture(20, 20, 2), picture(20, 20, 100), picture(20, 20)]
    encoders = [packed, palette_runs, raw]
    parts = deflated(*map(tiles, pictures, encoders))
    for pixels, part in zip(pictures, [parts[:1], parts[:2], parts], strict=True):
        data = b"".join(update(rectangle(0, 0, 20, 20, ZRLE, sized(data))) for data in part)
        feed(framebuffer, shred(data))
        assert (rgb(framebuffer) == pixels[..., :3]).all()


def test_nothing() -> None:
    nothing, more = deflated(b"", raw([[b"abc"]]))
    feed(
        screen(4, 3),
        [
            update(
                rectangle(0, 0, 0, 3, ZRLE, sized(nothing)),
                rectangle(0, 0, 1, 1, ZRLE, sized(more)),
            )
        ],
    )


COLOUR = b"abc"


@pytest.mark.parametrize(
    ("tile", "text"),
    [
        (b"", "end early"),
        (b"\0" + bytes(11), "end early"),
        (b"\0" + bytes(13), "1 bytes after its tiles"),
        (b"\1" + bytes(2), "end early"),
        (b"\2" + bytes(7), "end early"),
        (b"\3" + COLOUR * 3 + b"\xc0\x00", "colour 3 of a palette of 3"),
        (b"\x05" + COLOUR * 5 + b"\x05\x00", "colour 5 of a palette of 5"),
        (b"\x11" + COLOUR * 17, "a tile of kind 17"),
        (b"\x7f", "a tile of kind 127"),
        (b"\x81" + COLOUR, "a tile of kind 129"),
        (b"\x80" + COLOUR + b"\4", "1 pixels past"),
        (b"\x80" + COLOUR + b"\2", "end early"),
        (b"\x80" + COLOUR + b"\xff", "end early"),
        (b"\x80" + COLOUR + b"\xff\xff\xff\0", "762 pixels past"),
        (b"\x82" + COLOUR * 2 + b"\x82\3", "colour 2 of a palette of 2"),
        (b"\x82" + COLOUR * 2 + b"\x02\x81\2", "colour 2 of a palette of 2"),
        (b"\x82" + COLOUR * 2 + b"\x81\4", "1 pixels past"),
        (b"\x82" + COLOUR * 2 + b"\0\0\0", "end early"),
        (b"\xff" + COLOUR * 126, "end early"),
        (b"\1abc" * 200, "bytes after its tiles|more than"),
    ],
)
def test_tiles_that_cannot_be(tile: bytes, text: str) -> None:
    with pytest.raises(MalformedRectangleError, match=f"ZRLE 2x2 at .*: .*({text})"):
        feed(screen(8, 8), [update(rectangle(0, 0, 2, 2, ZRLE, zrle(tile)))])


@pytest.mark.parametrize("length", [3000, 0xFFFFFFFF])
def test_a_length_that_cannot_be(length: int) -> None:
    with pytest.raises(MalformedRectangleError, match=f"{length} deflated bytes"):
        feed(screen(8, 8), [update(rectangle(0, 0, 2, 2, ZRLE, struct.pack(">I", length)))])


@given(st.binary(max_size=200), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_arbitrary_tiles_are_painted_or_refused(tile: bytes, width: int, height: int) -> None:
    framebuffer = screen(10, 10)
    before = framebuffer.pixels.copy()
    with contextlib.suppress(RemoteError):
        feed(framebuffer, [update(rectangle(1, 1, width, height, ZRLE, zrle(tile)))])
    before[1 : 1 + height, 1 : 1 + width] = framebuffer.pixels[1 : 1 + height, 1 : 1 + width]
    assert (framebuffer.pixels == before).all()


def test_the_longest_honest_tiles_are_accepted() -> None:
    # Every pixel a run of its own, two bytes each, behind the largest palette.
    palette = noise(3 * 127)
    tile = b"\xff" + palette + b"".join(bytes([128 + i % 127, 0]) for i in range(64 * 64))
    framebuffer = screen(64, 64)
    feed(framebuffer, [update(rectangle(0, 0, 64, 64, ZRLE, zrle(tile)))])
    assert rgb(framebuffer)[0, 1].tobytes() == palette[3:6]
