from __future__ import annotations

import struct
import zlib

import pytest

from auniverse.errors import MalformedRectangleError

from ..conftest import Shred
from ..wire import ZLIB, feed, picture, rectangle, rgb, screen, sized, update
from .test_inflate import deflated


def test_one_stream_for_all_rectangles(shred: Shred) -> None:
    framebuffer = screen(8, 8)
    expected = rgb(framebuffer).copy()
    one, two = picture(3, 2, seed=1), picture(4, 4, colours=3)
    expected[1:3, 1:4], expected[4:, 4:] = one[..., :3], two[..., :3]
    first, nothing, second = deflated(one.tobytes(), b"", two.tobytes())
    data = update(rectangle(1, 1, 3, 2, ZLIB, sized(first)))
    data += update(
        rectangle(0, 0, 0, 5, ZLIB, sized(nothing)),
        rectangle(0, 0, 5, 0, ZLIB, sized(b"")),
        rectangle(4, 4, 4, 4, ZLIB, sized(second)),
    )
    feed(framebuffer, shred(data))
    assert (rgb(framebuffer) == expected).all()


@pytest.mark.parametrize("band", [1, 12, 30])
def test_band_by_band(monkeypatch: pytest.MonkeyPatch, band: int) -> None:
    monkeypatch.setattr("auniverse.rfb.decoders.pixels.BAND", band)
    framebuffer, pixels = screen(8, 8), picture(5, 7)
    payload = sized(*deflated(pixels.tobytes()))
    feed(framebuffer, [update(rectangle(2, 1, 5, 7, ZLIB, payload))])
    assert (rgb(framebuffer)[1:, 2:7] == pixels[..., :3]).all()


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (sized(deflated(bytes(15))[0]), "15 bytes instead of 16"),
        (sized(deflated(bytes(17))[0]), "more than 16"),
        (sized(b"hello"), "no zlib stream"),
        (sized(zlib.compress(bytes(16)) + b"x"), "ends before its data"),
        (sized(b""), "0 bytes instead of 16"),
        (struct.pack(">I", 2000), "2000 deflated bytes for at most 16"),
        (struct.pack(">I", 0xFFFFFFFF), "4294967295 deflated bytes"),
    ],
)
def test_what_does_not_inflate_to_the_rectangle(payload: bytes, text: str) -> None:
    with pytest.raises(MalformedRectangleError, match=f"ZLIB 2x2 at .*: .*{text}"):
        feed(screen(8, 8), [update(rectangle(0, 0, 2, 2, ZLIB, payload))])
