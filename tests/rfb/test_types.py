from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import RFBError
from auniverse.rfb.types import FRAME_LAYOUT, RGBX, Box, Frame, PixelFormat, bounding_box

RGB565 = b"\x10\x10\x01\x01\x00\x1f\x00\x3f\x00\x1f\x0b\x05\x00\0\0\0"


def test_a_pixel_format_and_its_bytes() -> None:
    form = PixelFormat.unpack(RGB565)
    assert form == PixelFormat(16, 16, True, True, 31, 63, 31, 11, 5, 0)
    assert form.pack() == RGB565
    assert PixelFormat.unpack(memoryview(RGBX.pack())) == RGBX


@pytest.mark.parametrize(
    "changes",
    [
        {"bits_per_pixel": 24},
        {"bits_per_pixel": 0, "depth": 0},
        {"depth": 33},
        {"red_max": 0},
        {"green_max": 254},
        {"blue_shift": 25},
        {"blue_shift": 255},
    ],
)
def test_an_impossible_pixel_format(changes: dict[str, int]) -> None:
    with pytest.raises(RFBError, match="pixel format"):
        PixelFormat.unpack(RGBX._replace(**changes).pack())  # type: ignore[arg-type]


def test_a_colour_map_needs_no_shifts() -> None:
    assert not PixelFormat.unpack(b"\x08\x08\0\0" + bytes(12)).true_colour


@given(st.binary(min_size=16, max_size=16))
def test_any_bytes_are_a_format_or_an_error(data: bytes) -> None:
    try:
        form = PixelFormat.unpack(data)
    except RFBError:
        return
    assert form.bits_per_pixel in (8, 16, 32)
    assert PixelFormat.unpack(form.pack()) == form


def test_a_frame_and_its_bytes() -> None:
    frame = Frame(1, 2.0, 3, 4.0)
    assert FRAME_LAYOUT.pack(*frame) == bytes.fromhex(
        "0000000000000001400000000000000000000000000000034010000000000000"
    )


def test_the_box_around_boxes() -> None:
    assert bounding_box([Box(5, 5, 1, 1)]) == Box(5, 5, 1, 1)
    assert bounding_box([Box(5, 6, 10, 1), Box(7, 2, 1, 3)]) == Box(5, 2, 10, 5)
