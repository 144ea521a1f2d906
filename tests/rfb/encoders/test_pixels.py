from __future__ import annotations

import numpy as np
import pytest

from auniverse.rfb.encoders.pixels import translate
from auniverse.rfb.types import RGBX, PixelFormat

from ..viewing import BGRX, RGB30, RGB332, RGB565, RGB565_BIG, XRGB_BIG

FORMS = (RGBX, BGRX, XRGB_BIG, RGB30, RGB565, RGB565_BIG, RGB332)
#: One pixel of red 255, green 128, blue 1.
PIXEL = np.array([[[255, 128, 1, 0]]], np.uint8)


@pytest.mark.parametrize(
    ("form", "wire"),
    [
        (RGBX, b"\xff\x80\x01\x00"),
        (BGRX, b"\x01\x80\xff\x00"),
        (XRGB_BIG, b"\x00\xff\x80\x01"),
        (RGB30, (1023 << 20 | 514 << 10 | 4).to_bytes(4, "little")),
        (RGB565, (31 << 11 | 32 << 5 | 0).to_bytes(2, "little")),
        (RGB565_BIG, (31 << 11 | 32 << 5 | 0).to_bytes(2, "big")),
        (RGB332, bytes([7 << 5 | 4 << 2 | 0])),
    ],
)
def test_one_pixel_by_hand(form: PixelFormat, wire: bytes) -> None:
    assert translate(PIXEL, form).tobytes() == wire


@pytest.mark.parametrize("form", FORMS)
def test_every_level_is_rounded_and_lands_in_its_bits(form: PixelFormat) -> None:
    levels = np.arange(256, dtype=np.uint8)
    pixels = np.zeros((16, 16, 4), np.uint8)
    for channel, shuffled in enumerate((levels, levels[::-1], np.roll(levels, 99))):
        pixels[:, :, channel] = shuffled.reshape(16, 16)
    wire = translate(pixels, form)
    assert wire.shape == (16, 16)
    order = ">" if form.big_endian else "<"
    values = wire.view(f"{order}u{form.bits_per_pixel // 8}").astype(np.int64)
    for channel, (peak, shift) in enumerate(zip(form[4:7], form[7:], strict=True)):
        expected = np.rint(pixels[:, :, channel] * (peak / 255))
        assert (values >> shift & peak == expected).all()


@pytest.mark.parametrize("form", FORMS)
def test_a_part_of_a_screen_is_translated_like_all_of_it(form: PixelFormat) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 4), dtype=np.uint8)
    pixels[:, :, 3] = 0
    part = translate(pixels[2:5, 3:6], form)
    assert (part == translate(pixels, form)[2:5, 3:6]).all()


@pytest.mark.parametrize("depth", [24, 32])
def test_our_own_format_costs_no_copy(depth: int) -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    assert np.shares_memory(translate(pixels, RGBX._replace(depth=depth)), pixels)
