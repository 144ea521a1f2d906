"""The contract of an encoding that is sent."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ..types import Encoding, PixelFormat


class Encoder(Protocol):
    """Turns rectangles into bytes, for one viewer and as long as its connection lasts."""

    encoding: ClassVar[Encoding]

    def encode(self, pixels: NDArray[np.uint8], form: PixelFormat) -> bytes | memoryview:
        """Return the payload of one rectangle, which must be sent: streams remember it.

        Args:
            pixels: uint8, shape (height, width, 4), bytes R, G, B, 0; at least one pixel.
            form: How the viewer wants its pixels.

        Returns:
            Contiguous bytes. They may be a view of `pixels`, so use them before those change.
        """
        ...
