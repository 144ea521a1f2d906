"""JPEG, which Tight sends where it may lose something; decoded by simplejpeg (libjpeg-turbo)."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError, UnsupportedEncodingError

#: Scans of one picture. One is usual, a progressive one has about ten, and each costs the decoder
#: a walk over all of it, however short the scan is.
_MOST_SCANS = 16

#: Bytes of coefficients that libjpeg may keep for a picture of several passes.
_MOST_KEPT = 8 << 20
_MOST_COMPONENTS = 10
_SEQUENTIAL = (0xC0, 0xC1, 0xC9)  # kinds of frames whose scans need not be gathered
_NO_FRAMES = (0xC4, 0xC8, 0xCC)


@cache
def available() -> bool:
    """Tell whether JPEG can be decoded here."""
    return find_spec("simplejpeg") is not None


def check_available() -> None:
    """Refuse JPEG where it cannot be decoded.

    Raises:
        UnsupportedEncodingError: The optional package is missing; names the extra that brings it.
    """
    if not available():
        raise UnsupportedEncodingError(
            "JPEG, which cannot be decoded here", remedy="pip install 'auniverse[jpeg]'"
        )


def longest_jpeg(area: int) -> int:
    """Return the most bytes that an honest server makes of a picture of `area` pixels."""
    return 4 * area + 64 * 1024


def _kept_components(data: memoryview) -> int:
    """Return how many components libjpeg keeps whole until their last scan.

    None where the first scan has them all; what cannot be read counts as the worst.
    """
    components, sequential, at = _MOST_COMPONENTS, False, 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fills a gap
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 2
        elif marker == 0xDA:
            return 0 if sequential and data[at + 4] >= components else components
        else:
            if marker & 0xF0 == 0xC0 and marker not in _NO_FRAMES:
                sequential, components = marker in _SEQUENTIAL, data[at + 9]
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return _MOST_COMPONENTS


def decode_jpeg(data: memoryview, width: int, height: int) -> NDArray[np.uint8]:
    """Return the picture, uint8, shape (height, width, 4), bytes R, G, B, X.

    Raises:
        MalformedRectangleError: It is no JPEG, or of another size, with too many scans, or too
            large for more than one; that is known before anything is decoded.
        UnsupportedEncodingError: See `check_available`.
    """
    check_available()
    import simplejpeg

    if sum(1 for _ in re.finditer(rb"\xff\xda", data)) > _MOST_SCANS:
        raise MalformedRectangleError(f"a JPEG of more than {_MOST_SCANS} scans")
    padded = (width + 31 & ~31) * (height + 31 & ~31)
    if 2 * padded * _kept_components(data) > _MOST_KEPT:
        raise MalformedRectangleError("a JPEG of several passes, which is too large for that")
    try:
        found_height, found_width, *_ = simplejpeg.decode_jpeg_header(data)
        if (found_width, found_height) != (width, height):
            raise MalformedRectangleError(f"a JPEG of {found_width}x{found_height} pixels")
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colorspace="RGBX")
    except ValueError as exc:  # its one error, and libjpeg's words
        raise MalformedRectangleError(f"no JPEG: {exc}") from exc
    return pixels
