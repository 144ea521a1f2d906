"""Raw (RFC 6143 §7.7.1): the pixels, row by row."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..types import Encoding, PixelFormat
from .encoder import Encoder
from .pixels import translate


class Raw(Encoder):
    """Costs one copy for RGBX; none here, if the rectangle is as wide as the screen."""

    encoding: ClassVar[Encoding] = Encoding.RAW

    def encode(self, pixels: NDArray[np.uint8], form: PixelFormat) -> bytes | memoryview:
        """Return the pixels."""
        wire = translate(pixels, form)
        return wire.data if wire.flags.c_contiguous else wire.tobytes()
