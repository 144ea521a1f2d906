"""From our pixels to the viewer's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import RGBX, PixelFormat

#: uint8, uint16 or uint32, whose memory (not whose value) is what goes on the wire.
Wire = NDArray[np.unsignedinteger[Any]]


def translate(pixels: NDArray[np.uint8], form: PixelFormat) -> Wire:
    """Lay pixels out as `form` wants them.

    Args:
        pixels: uint8, shape (height, width, 4), bytes R, G, B, 0.
        form: 8, 16 or 32 bits per pixel, true colour.

    Returns:
        Shape (height, width); for RGBX a view of `pixels`.
    """
    if form._replace(depth=RGBX.depth) == RGBX:
        return pixels.view(np.uint32)[:, :, 0]
    red, green, blue = _tables(form)
    wire = red.take(pixels[:, :, 0])
    wire |= green.take(pixels[:, :, 1])
    wire |= blue.take(pixels[:, :, 2])
    return wire


@lru_cache(maxsize=16)
def _tables(form: PixelFormat) -> tuple[Wire, Wire, Wire]:
    """Return for each colour what its 256 levels add to a pixel, in the wire's byte order."""
    order = ">" if form.big_endian else "<"
    size = form.bits_per_pixel // 8
    levels = np.arange(256, dtype=np.uint64)

    def table(peak: int, shift: int) -> Wire:
        bits = (levels * np.uint64(peak) + np.uint64(127)) // np.uint64(255) << np.uint64(shift)
        return bits.astype(f"{order}u{size}").view(f"=u{size}")

    return (
        table(form.red_max, form.red_shift),
        table(form.green_max, form.green_shift),
        table(form.blue_max, form.blue_shift),
    )
