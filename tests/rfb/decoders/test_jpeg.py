from __future__ import annotations

import sys

import numpy as np
import pytest
import simplejpeg

from auniverse.errors import MalformedRectangleError, UnsupportedEncodingError
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.decoders.jpeg import (
    available,
    check_available,
    decode_jpeg,
    longest_jpeg,
)

GREY = simplejpeg.encode_jpeg(np.full((4, 6, 3), 128, np.uint8))


def test_it_decodes_to_our_pixels() -> None:
    pixels = decode_jpeg(memoryview(GREY), 6, 4)
    assert pixels.shape == (4, 6, 4)
    assert (pixels[..., :3] == 128).all()


def test_the_size_is_checked_first() -> None:
    with pytest.raises(MalformedRectangleError, match="a JPEG of 6x4"):
        decode_jpeg(memoryview(GREY), 4, 6)


def test_noise_at_the_best_quality_is_no_longer_than_allowed() -> None:
    for side in (1, 8, 64, 500):
        noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        best = simplejpeg.encode_jpeg(noise, quality=100, colorsubsampling="444")
        assert len(best) <= longest_jpeg(side * side)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available()
    assert Decoder.jpeg
    available.cache_clear()
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    monkeypatch.setattr("auniverse.rfb.decoders.jpeg.find_spec", lambda name: None)
    assert not available()
    with pytest.raises(UnsupportedEncodingError, match=r"pip install 'auniverse\[jpeg\]'"):
        check_available()
    available.cache_clear()
