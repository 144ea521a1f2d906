"""Zlib (encoding 6 of the IANA registry): raw pixels through one stream of deflate."""

from __future__ import annotations

import zlib
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..types import Encoding, PixelFormat
from .encoder import Encoder
from .pixels import translate


class Stream:
    """A zlib stream that lasts as long as its connection."""

    def __init__(self, level: int = 1) -> None:
        self._deflate = zlib.compressobj(level)

    def pack(self, data: bytes | memoryview) -> bytes:
        """Return `data`, compressed and whole, behind its compressed length (4 bytes)."""
        packed = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return len(packed).to_bytes(4, "big") + packed


class Zlib(Encoder):
    """One stream for all rectangles of a connection."""

    encoding: ClassVar[Encoding] = Encoding.ZLIB

    def __init__(self) -> None:
        self._stream = Stream()

    def encode(self, pixels: NDArray[np.uint8], form: PixelFormat) -> bytes | memoryview:
        """Return the pixels, compressed."""
        return self._stream.pack(np.ascontiguousarray(translate(pixels, form)).data)
