from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import MalformedRectangleError, RemoteError
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.decoders.trle import TRLE as TRLEDecoder
from auniverse.rfb.decoders.walk import AGAIN, AT_ONCE
from auniverse.rfb.types import Limits, Rectangle

from ..conftest import Shred
from ..wire import feed, noise, picture, rectangle, rgb, screen, update
from .tiling import CASES, Encode, palette_of, palette_runs, tiles

TRLE = 15


@pytest.mark.parametrize(("encode", "size", "colours"), CASES)
def test_tiles_of_16(encode: Encode, size: tuple[int, int], colours: int) -> None:
    width, height = min(size[0], 16), min(size[1], 16)
    if colours > width * height:
        pytest.skip("more colours than pixels")
    framebuffer = screen(width + 2, height + 3)
    expected = rgb(framebuffer).copy()
    pixels = picture(width, height, colours)
    expected[2:-1, 1:-1] = pixels[..., :3]
    payload = tiles(pixels, encode, 16)
    feed(framebuffer, [update(rectangle(1, 2, width, height, TRLE, payload))])
    assert (rgb(framebuffer) == expected).all()


def mixed(tile: list[list[bytes]]) -> bytes:
    """What an encoder that looks at its tiles does: the kind depends on the colours."""
    from .tiling import packed, plain_runs, raw, solid

    count = len(palette_of(tile))
    if count == 1:
        return solid(tile)
    if count > 60:
        return raw(tile)
    return (packed if count <= 16 else plain_runs if count % 2 else palette_runs)(tile)


@pytest.mark.parametrize("colours", [1, 2, 5, 16, 20, 21, 30, 0])
def test_many_tiles_in_pieces(colours: int, shred: Shred) -> None:
    framebuffer = screen(50, 37)
    pixels = picture(50, 37, colours)
    one = rectangle(0, 0, 50, 37, TRLE, tiles(pixels, mixed, 16))
    fed = feed(framebuffer, shred(update(one, one) + update(one)))
    assert fed.rectangles == 3
    assert (rgb(framebuffer) == pixels[..., :3]).all()


def test_a_reused_palette(shred: Shred) -> None:
    first = b"\2" + b"abcdef" + b"\x80\0" * 16  # the left column in the second colour
    again = b"\x7f" + b"\0\1" * 16
    runs = b"\x81" + b"\x80\xfe" + b"\1"
    framebuffer = screen(48, 16)
    feed(framebuffer, shred(update(rectangle(0, 0, 48, 16, TRLE, first + again + runs))))
    row = rgb(framebuffer)[15].tobytes()
    assert row == b"def" + b"abc" * 30 + b"def" + b"abc" * 15 + b"def"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"\x11", "a tile of kind 17"),
        (b"\x7e", "a tile of kind 126"),
        (b"\x7f\0\0", "reuses a palette of 0"),
        (b"\x81\0\0\0\0", "reuses a palette of 0"),
        (b"\x7f", "reuses a palette of 0"),
        (b"\x80abc\4", "1 pixels past"),
        (b"\x80abc\xff\4", "end early|past its tile"),
        (b"\x82abcdef\x82\3", "colour 2 of a palette of 2"),
        (b"\3" + bytes(9) + b"\xc0\0", "colour 3 of a palette of 3"),
    ],
)
def test_what_cannot_be(payload: bytes, text: str) -> None:
    with pytest.raises(MalformedRectangleError, match=f"TRLE 2x2 at .*{text}"):
        feed(screen(8, 8), [update(rectangle(0, 0, 2, 2, TRLE, payload))])


@given(st.binary(max_size=300), st.integers(0, 20), st.integers(0, 20), st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_arbitrary_tiles_are_painted_or_refused_however_they_come(
    payload: bytes, width: int, height: int, step: int
) -> None:
    data = update(rectangle(1, 1, width, height, TRLE, payload + noise(100)))
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


@pytest.mark.parametrize("tile", [b"\x80" + b"abc\0" * 256, b"\x82abcdef" + bytes(256)])
def test_runs_are_measured_in_more_goes_than_other_tiles(tile: bytes) -> None:
    subject, tiles, goes = TRLEDecoder(Limits()), 256, 1
    payload, place = memoryview(tile * tiles), Rectangle(0, 0, 256, 256, TRLE)
    while (length := subject.measure(payload, 0, place)) == AGAIN:
        goes += 1
    assert length == len(payload)
    assert goes > 8 * tiles // AT_ONCE
