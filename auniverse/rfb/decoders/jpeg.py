"""JPEG, which Tight sends where it may lose something; decoded by simplejpeg (libjpeg-turbo)."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError, UnsupportedEncodingError

#: Scans of one picture. One is usual, a progressive one has about ten, and each costs the decoder
#: a walk over all of it, however short the scan is.
_MOST_SCANS = 16


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


def decode_jpeg(data: memoryview, width: int, height: int) -> NDArray[np.uint8]:
    """Return the picture, uint8, shape (height, width, 4), bytes R, G, B, X.

    Raises:
        MalformedRectangleError: It is no JPEG, or of another size or with too many scans; that
            is known before anything is decoded.
        UnsupportedEncodingError: See `check_available`.
    """
    check_available()
    import simplejpeg

    if bytes(data).count(b"\xff\xda") > _MOST_SCANS:
        raise MalformedRectangleError(f"a JPEG of more than {_MOST_SCANS} scans")
    try:
        found_height, found_width, *_ = simplejpeg.decode_jpeg_header(data)
        if (found_width, found_height) != (width, height):
            raise MalformedRectangleError(f"a JPEG of {found_width}x{found_height} pixels")
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colorspace="RGBX")
    except ValueError as exc:  # its one error, and libjpeg's words
        raise MalformedRectangleError(f"no JPEG: {exc}") from exc
    return pixels
