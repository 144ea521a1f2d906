from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from auniverse.rfb.encoders.pixels import translate
from auniverse.rfb.encoders.zrle import ZRLE, cpixel
from auniverse.rfb.types import RGBX, PixelFormat

from ..viewing import BGRX, RGB30, RGB332, RGB565, RGB565_BIG, XRGB_BIG

FORMS = (RGBX, BGRX, XRGB_BIG, RGB30, RGB565, RGB565_BIG, RGB332)


def tiles_of(payload: bytes | memoryview, inflate: zlib._Decompress) -> bytes:
    payload = bytes(payload)
    assert int.from_bytes(payload[:4], "big") == len(payload) - 4
    return inflate.decompress(payload[4:])


def picture(*rows: str) -> NDArray[np.uint8]:
    """Draw with letters: a is the colour (1, 2, 3), b is (2, 3, 4) and so on."""
    levels = np.array([[ord(letter) - ord("a") + 1 for letter in row] for row in rows])
    pixels = np.stack([levels, levels + 1, levels + 2, levels * 0], axis=2)
    return pixels.astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "tiles"),
    [
        (picture("a"), b"\1\1\2\3"),
        (picture("aaa", "aaa"), b"\1\1\2\3"),
        (picture("ab"), b"\0\1\2\3\2\3\4"),  # a palette would be longer
        (picture("abbbbbbba", "aaaaaaaab"), b"\2\1\2\3\2\3\4\x7f\x00\x00\x80"),
        (picture("abcab", "ccccc"), b"\3\1\2\3\2\3\4\3\4\5\x18\x40\xaa\x80"),
        (
            picture("abcde" * 3),
            b"\5\1\2\3\2\3\4\3\4\5\4\5\6\5\6\7\x01\x23\x40\x12\x34\x01\x23\x40",
        ),
    ],
)
def test_tiles_by_hand(pixels: NDArray[np.uint8], tiles: bytes) -> None:
    assert tiles_of(ZRLE().encode(pixels, RGBX), zlib.decompressobj()) == tiles


def test_tiles_go_from_left_to_right_and_from_top_to_bottom() -> None:
    pixels = np.zeros((65, 65, 4), np.uint8)
    pixels[:64, 64], pixels[64, :64], pixels[64, 64] = (1, 1, 1, 0), (2, 2, 2, 0), (3, 3, 3, 0)
    assert tiles_of(ZRLE().encode(pixels, RGBX), zlib.decompressobj()) == bytes(
        [1, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 1, 3, 3, 3]
    )


@pytest.mark.parametrize(("colours", "kind"), [(1, 1), (2, 2), (16, 16), (17, 0)])
def test_up_to_16_colours_go_into_a_palette(colours: int, kind: int) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :, 1] = np.arange(64) % colours
    assert tiles_of(ZRLE().encode(pixels, RGBX), zlib.decompressobj())[0] == kind


@pytest.mark.parametrize(
    ("form", "span"),
    [
        (RGBX, slice(3)),
        (BGRX, slice(3)),
        (XRGB_BIG, slice(1, 4)),
        (RGBX._replace(red_shift=8, green_shift=16, blue_shift=24), slice(1, 4)),
        (RGBX._replace(depth=32), slice(4)),
        (RGB30, slice(4)),
        (PixelFormat(32, 24, False, True, 255, 255, 255, 0, 8, 24), slice(4)),
        (PixelFormat(32, 16, False, True, 31, 63, 31, 19, 13, 8), slice(3)),
        (PixelFormat(32, 16, True, True, 31, 63, 31, 19, 13, 8), slice(3)),
        (RGB565, slice(2)),
        (RGB332, slice(1)),
    ],
)
def test_cpixel_drops_only_a_byte_without_colour(form: PixelFormat, span: slice) -> None:
    assert cpixel(form) == span


def decoded(data: bytes, width: int, height: int, form: PixelFormat) -> bytes:
    """Decode a rectangle pixel by pixel, as RFC 6143 §7.7.6 tells it; return full pixels."""
    span, size = cpixel(form), form.bits_per_pixel // 8
    length = len(range(size)[span])
    screen: dict[tuple[int, int], bytes] = {}
    place = 0

    def take(count: int) -> bytes:
        nonlocal place
        place += count
        assert place <= len(data)
        return data[place - count : place]

    def colour() -> bytes:
        return (b"\0" * (span.start or 0) + take(length)).ljust(size, b"\0")

    def pixels(kind: int, wide: int, high: int) -> Iterator[bytes]:
        assert kind <= 16
        palette = [colour() for _ in range(kind)]
        bits = 1 if kind == 2 else 2 if kind <= 4 else 4
        for _ in range(high):
            row = take((wide * bits + 7) // 8) if kind > 1 else b""
            number = int.from_bytes(row, "big")
            for x in range(wide):
                if kind == 0:
                    yield colour()
                elif kind == 1:
                    yield palette[0]
                else:
                    yield palette[number >> len(row) * 8 - (x + 1) * bits & (1 << bits) - 1]

    for top in range(0, height, 64):
        for left in range(0, width, 64):
            wide, high = min(64, width - left), min(64, height - top)
            tile = pixels(take(1)[0], wide, high)
            for y in range(top, top + high):
                for x in range(left, left + wide):
                    screen[x, y] = next(tile)
            assert next(tile, None) is None
    assert place == len(data)
    return b"".join(screen[x, y] for y in range(height) for x in range(width))


@settings(max_examples=40, deadline=None)
@given(
    form=st.sampled_from(FORMS),
    colours=st.sampled_from((1, 2, 3, 4, 5, 15, 16, 17, 40, 10000)),
    size=st.tuples(st.sampled_from((1, 2, 7, 64, 65, 130)), st.sampled_from((1, 3, 64, 70))),
    seed=st.integers(0, 999),
)
def test_any_picture_comes_back(
    form: PixelFormat, colours: int, size: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 256, (colours, 4), dtype=np.uint8)
    table[:, 3] = 0
    pixels = table[rng.integers(0, colours, size[::-1])]
    encoder, inflate = ZRLE(), zlib.decompressobj()
    for _ in range(2):
        data = tiles_of(encoder.encode(pixels, form), inflate)
        assert decoded(data, *size, form) == translate(pixels, form).tobytes()
        assert len(data) <= pixels.size + -(-size[0] // 64) * -(-size[1] // 64)
