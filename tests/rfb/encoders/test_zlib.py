from __future__ import annotations

import zlib

import numpy as np

from auniverse.rfb.encoders.zlib import Stream, Zlib
from auniverse.rfb.types import RGBX

from ..viewing import RGB565


def unpack(inflate: zlib._Decompress, payload: bytes | memoryview) -> bytes:
    payload = bytes(payload)
    assert int.from_bytes(payload[:4], "big") == len(payload) - 4
    return inflate.decompress(payload[4:])


def test_one_stream_serves_all_rectangles_and_each_is_whole() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    encoder, inflate = Zlib(), zlib.decompressobj()
    for part in (pixels, pixels[3:9, 5:7], pixels[:1, :1]):
        assert unpack(inflate, encoder.encode(part, RGBX)) == part.tobytes()
    assert len(unpack(inflate, encoder.encode(pixels, RGB565))) == 20 * 30 * 2


def test_what_was_sent_before_shortens_what_comes() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (20, 20, 4), dtype=np.uint8)
    encoder = Zlib()
    first, second = (len(encoder.encode(pixels, RGBX)) for _ in range(2))
    assert second < first / 4


def test_level_0_stores() -> None:
    packed = Stream(level=0).pack(b"a" * 1000)
    assert b"a" * 1000 in packed
    assert len(Stream().pack(b"a" * 1000)) < 100
