from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import simplejpeg
from PIL import Image

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


def picture(width: int, height: int, **options: object) -> memoryview:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 199)).save(file, "JPEG", **options)
    return memoryview(file.getvalue())


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"progressive": True, "comment": b"a"}]
)
def test_a_picture_of_several_passes_is_taken_where_it_is_small(options: dict[str, object]) -> None:
    data = picture(1024, 1300, **options)
    pixels = decode_jpeg(data, 1024, 1300)
    assert abs(pixels[5, 5, :3].astype(int) - (9, 99, 199)).max() < 3


def test_a_large_picture_of_several_passes_is_refused() -> None:
    assert decode_jpeg(picture(2048, 2048), 2048, 2048).shape == (2048, 2048, 4)
    with pytest.raises(MalformedRectangleError, match="several passes"):
        decode_jpeg(picture(2048, 2048, progressive=True), 2048, 2048)


def scan_of_one_component(data: memoryview) -> bytes:
    """Say that the first scan of a baseline picture has only the first of three components."""
    at = bytes(data).index(b"\xff\xda")
    assert data[at + 4] == 3
    return bytes(data[:at]) + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(data[at + 14 :])


def test_scans_that_need_gathering_are_seen_in_baseline_too() -> None:
    with pytest.raises(MalformedRectangleError, match="several passes"):
        decode_jpeg(memoryview(scan_of_one_component(picture(2048, 2048))), 2048, 2048)


@pytest.mark.parametrize("cut", [0, 2, 3, 10, 20, 160])
def test_a_head_that_cannot_be_read_counts_as_the_worst(cut: int) -> None:
    with pytest.raises(MalformedRectangleError, match="several passes"):
        decode_jpeg(picture(2048, 2048)[:cut], 2048, 2048)


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
