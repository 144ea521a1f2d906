from __future__ import annotations

import numpy as np
import pytest

from auniverse.rfb.decoders.pixels import BAND, PACKED, bands, canvas, windows
from auniverse.rfb.framebuffer import Framebuffer
from auniverse.rfb.types import Rectangle

from ..wire import noise, rgb


def test_packed_pixels_move_through_windows() -> None:
    framebuffer = Framebuffer(4, 3)
    packed = noise(3 * 4)
    canvas(framebuffer, Rectangle(1, 1, 2, 2, 0))[...] = windows(packed)[::PACKED].reshape(2, 2)
    expected = np.zeros((3, 4, 3), np.uint8)
    expected[1:3, 1:3] = np.frombuffer(packed, np.uint8).reshape(2, 2, 3)
    assert (rgb(framebuffer) == expected).all()


@pytest.mark.parametrize("size", range(5))
def test_there_are_as_many_windows_as_fit(size: int) -> None:
    assert windows(bytes(size)).shape == (max(0, size - 2),)


def test_a_canvas_may_be_empty() -> None:
    assert canvas(Framebuffer(4, 3), Rectangle(4, 3, 0, 0, 0)).shape == (0, 0)


def test_bands_cover_their_rectangle_once() -> None:
    for width, height in (
        (1, 1),
        (3, 0),
        (0, 3),
        (4096, 700),
        (65535, 20),
        (BAND, 2),
        (1000, 1000),
    ):
        tall = [*bands(Rectangle(5, 6, width, height, 7))]
        assert [band.y for band in tall] == [
            6 + sum(other.height for other in tall[:number]) for number in range(len(tall))
        ]
        assert sum(band.height for band in tall) == height
        assert all((band.x, band.width, band.encoding) == (5, width, 7) for band in tall)
        assert all(0 < band.width * band.height <= BAND or width == 0 for band in tall)
