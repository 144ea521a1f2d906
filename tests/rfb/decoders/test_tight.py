from __future__ import annotations

import contextlib
import zlib
from itertools import product

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError, RemoteError, UnsupportedEncodingError
from auniverse.rfb.decoders import Decoder

from ..conftest import Shred
from ..wire import (
    TIGHT,
    Subject,
    decoder_for,
    feed,
    noise,
    picture,
    rectangle,
    rgb,
    screen,
    update,
)


class Encoder:
    """The other end, as small as it can be."""

    def __init__(self) -> None:
        self.streams = [zlib.compressobj() for _ in range(4)]

    def compress(self, data: bytes, stream: int = 0) -> bytes:
        if len(data) < 12:
            return data
        deflater = self.streams[stream]
        deflated = deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)
        return compact(len(deflated)) + deflated

    def copy(self, pixels: NDArray[np.uint8], stream: int = 0) -> bytes:
        return bytes([stream << 4]) + self.compress(pixels[..., :3].tobytes(), stream)

    def palette(self, pixels: NDArray[np.uint8], stream: int = 1) -> bytes:
        rows = [[colour.tobytes() for colour in row] for row in pixels[..., :3]]
        palette = list(dict.fromkeys(colour for row in rows for colour in row))
        indices = [[palette.index(colour) for colour in row] for row in rows]
        data = b"".join(map(bytes, indices))
        if len(palette) <= 2:
            data = b"".join(np.packbits(row).tobytes() for row in indices)
        head = bytes([4 + stream << 4, 1, len(palette) - 1]) + b"".join(palette)
        return head + self.compress(data, stream)

    def gradient(self, pixels: NDArray[np.uint8], stream: int = 2) -> bytes:
        height, width, _ = pixels.shape
        known = np.zeros((height + 1, width + 1, 3), int)
        known[1:, 1:] = pixels[..., :3]
        out = bytearray()
        for y, x, channel in product(range(height), range(width), range(3)):
            left, above = known[y + 1, x, channel], known[y, x + 1, channel]
            predicted = min(max(left + above - known[y, x, channel], 0), 255)
            out.append((known[y + 1, x + 1, channel] - predicted) % 256)
        return bytes([4 + stream << 4, 2]) + self.compress(bytes(out), stream)


def compact(length: int) -> bytes:
    if length < 1 << 7:
        return bytes([length])
    if length < 1 << 14:
        return bytes([length & 127 | 128, length >> 7])
    return bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])


CASES = [
    *[("copy", size, 0) for size in ((1, 1), (3, 1), (4, 1), (5, 7), (40, 40), (90, 90))],
    *[("palette", size, 1) for size in ((1, 1), (9, 9), (9, 40))],
    *[("palette", size, 2) for size in ((9, 5), (9, 6), (8, 12), (64, 64))],
    *[("palette", (40, 30), colours) for colours in (3, 4, 17, 255, 256)],
    ("palette", (3, 3), 3),
    *[("gradient", size, 0) for size in ((1, 1), (1, 9), (9, 1), (7, 12), (12, 7))],
    ("gradient", (30, 20), 3),
]


@pytest.mark.parametrize(("verb", "size", "colours"), CASES)
def test_filters(verb: str, size: tuple[int, int], colours: int, shred: Shred) -> None:
    width, height = size
    framebuffer = screen(width + 2, height + 3)
    expected = rgb(framebuffer).copy()
    pixels = picture(width, height, colours)
    expected[2:-1, 1:-1] = pixels[..., :3]
    payload = getattr(Encoder(), verb)(pixels)
    feed(framebuffer, shred(update(rectangle(1, 2, width, height, TIGHT, payload))))
    assert (rgb(framebuffer) == expected).all()


@pytest.mark.parametrize(("verb", "colours"), [("copy", 0), ("palette", 2), ("palette", 9)])
@pytest.mark.parametrize("band", [1, 61, 200])
def test_band_by_band(monkeypatch: pytest.MonkeyPatch, verb: str, colours: int, band: int) -> None:
    monkeypatch.setattr("auniverse.rfb.decoders.pixels.BAND", band)
    test_filters(verb, (30, 20), colours, lambda data: [data])


@pytest.mark.parametrize("band", [1, 61, 200])
def test_a_gradient_goes_on_from_band_to_band(monkeypatch: pytest.MonkeyPatch, band: int) -> None:
    monkeypatch.setattr("auniverse.rfb.decoders.pixels.BAND", band)
    test_filters("gradient", (30, 20), 0, lambda data: [data])


def test_lengths_of_one_two_and_three_bytes_occur() -> None:
    sizes = [len(Encoder().copy(picture(size, size))) for size in (5, 40, 90)]
    assert sizes[0] < 1 << 7 < sizes[1] < 1 << 14 < sizes[2]


def test_an_explicit_copy_filter() -> None:
    framebuffer = screen(1, 1)
    feed(framebuffer, [update(rectangle(0, 0, 1, 1, TIGHT, b"\x40\0abc"))])
    assert rgb(framebuffer).tobytes() == b"abc"


def test_a_fill(shred: Shred) -> None:
    framebuffer = screen(6, 5)
    expected = rgb(framebuffer).copy()
    expected[1:3, 2:5] = (97, 98, 99)
    feed(framebuffer, shred(update(rectangle(2, 1, 3, 2, TIGHT, b"\x80abc"))))
    assert (rgb(framebuffer) == expected).all()


def test_nothing(shred: Shred) -> None:
    framebuffer = screen(6, 5)
    before = framebuffer.pixels.copy()
    data = update(
        rectangle(0, 0, 0, 5, TIGHT, b"\x80abc"),
        rectangle(0, 0, 5, 0, TIGHT, b"\x00"),
        rectangle(0, 0, 0, 0, TIGHT, b"\x40\1\0abc"),
        rectangle(5, 4, 1, 1, TIGHT, b"\x00abc"),
        rectangle(0, 0, 0, 0, TIGHT, b"\x50\2"),
    )
    feed(framebuffer, shred(data))
    before[4, 5, :3] = (97, 98, 99)
    assert (rgb(framebuffer) == before[..., :3]).all()


def test_four_streams_and_their_resets(shred: Shred) -> None:
    """Streams go on over rectangles, apart from each other, until a bit resets one."""
    encoder = Encoder()
    framebuffer = screen(20, 20)
    data = b""

    def send(payload: bytes, resets: int = 0) -> None:
        nonlocal data
        payload = bytes([payload[0] | resets]) + payload[1:]
        data += update(rectangle(0, 0, 20, 20, TIGHT, payload))

    for stream in (0, 1, 2, 3, 0, 1, 2, 3):
        send(encoder.copy(picture(20, 20, 9, seed=stream), stream))
    encoder.streams[1] = zlib.compressobj()
    encoder.streams[3] = zlib.compressobj()
    send(b"\x80abc", resets=0b1010)  # a fill resets too
    for stream in (0, 1, 2, 3):
        send(encoder.copy(picture(20, 20, 9, seed=stream), stream))
    encoder.streams[2] = zlib.compressobj()
    pixels = picture(20, 20)
    send(encoder.copy(pixels, 2), resets=0b0100)
    feed(framebuffer, shred(data))
    assert (rgb(framebuffer) == pixels[..., :3]).all()


def test_without_the_reset_bit_a_new_stream_is_an_error() -> None:
    two = [Encoder().copy(picture(20, 20)) for _ in range(2)]
    with pytest.raises(MalformedRectangleError, match="zlib"):
        feed(screen(20, 20), [update(*(rectangle(0, 0, 20, 20, TIGHT, one) for one in two))])


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"\xb0", "a compression of kind 11"),
        (b"\xf0", "a compression of kind 15"),
        (b"\x40\3\0", "a filter of kind 3"),
        (b"\x40\xff\0", "a filter of kind 255"),
        (b"\0\xff\xff\xff", "4194303 deflated bytes for 12"),
        (b"\0\x05hello", "no zlib stream"),
        (Encoder().copy(picture(2, 3)), "more than 12"),
        (b"\0\0", "0 bytes instead of 12"),
        (b"\x40\1\2" + bytes(9) + b"\0\0\0\3", "colour 3 of a palette of 3"),
        (b"\x40\1\0" + bytes(3) + b"\0\x40", "colour 1 of a palette of 1"),
    ],
)
def test_what_cannot_be(payload: bytes, text: str) -> None:
    with pytest.raises(MalformedRectangleError, match=rf"TIGHT 2x2 at \(1, 1\): .*{text}"):
        feed(screen(8, 8), [update(rectangle(1, 1, 2, 2, TIGHT, payload))])


def jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels[..., :3]), quality)
    return b"\x90" + compact(len(data)) + data


def slope(width: int, height: int) -> NDArray[np.uint8]:
    """A picture that JPEG loses little of."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(255, 0, height)[:, None]
    return pixels


def test_jpeg(shred: Shred) -> None:
    framebuffer = screen(40, 30)
    expected = rgb(framebuffer).astype(int)
    expected[3:23, 2:35] = slope(33, 20)[..., :3]
    feed(framebuffer, shred(update(rectangle(2, 3, 33, 20, TIGHT, jpeg(slope(33, 20))))))
    assert abs(rgb(framebuffer) - expected).max() <= 8
    outside = np.ones((30, 40), bool)
    outside[3:23, 2:35] = False
    assert (rgb(framebuffer) == expected)[outside].all()


def test_grey_jpeg() -> None:
    grey = np.full((9, 7, 1), 77, np.uint8)
    data = simplejpeg.encode_jpeg(grey, colorspace="GRAY")
    framebuffer = screen(7, 9)
    payload = b"\x90" + compact(len(data)) + data
    feed(framebuffer, [update(rectangle(0, 0, 7, 9, TIGHT, payload))])
    assert (rgb(framebuffer) == 77).all()


def test_jpeg_resets_streams_too() -> None:
    first, second = Encoder(), Encoder()
    data = update(rectangle(0, 0, 20, 20, TIGHT, first.copy(picture(20, 20))))
    reset = jpeg(slope(20, 20))
    data += update(rectangle(0, 0, 20, 20, TIGHT, b"\x91" + reset[1:]))
    pixels = picture(20, 20, seed=3)
    data += update(rectangle(0, 0, 20, 20, TIGHT, second.copy(pixels)))
    framebuffer = screen(20, 20)
    feed(framebuffer, [data])
    assert (rgb(framebuffer) == pixels[..., :3]).all()


SCAN = b"\xff\xda"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (jpeg(slope(21, 20)), "a JPEG of 21x20 pixels"),
        (jpeg(slope(20, 21)), "a JPEG of 20x21 pixels"),
        (b"\x90\5hello", "no JPEG"),
        (b"\x90\0", "no JPEG"),
        (b"\x90" + compact(700) + jpeg(slope(20, 20))[3:103] + bytes(600), "no JPEG|a JPEG of 0x0"),
        (b"\x90" + compact(34) + SCAN * 17, "more than 16 scans"),
        (b"\x90\xff\xff\xff", "4194303 bytes of JPEG"),
    ],
)
def test_what_is_no_jpeg_of_that_rectangle(payload: bytes, text: str) -> None:
    framebuffer = screen(20, 20)
    before = framebuffer.pixels.copy()
    with pytest.raises(MalformedRectangleError, match=text):
        feed(framebuffer, [update(rectangle(0, 0, 20, 20, TIGHT, payload))])
    assert (framebuffer.pixels == before).all()


def test_jpeg_of_another_size_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(simplejpeg, "decode_jpeg")
    with pytest.raises(MalformedRectangleError, match="a JPEG of 21x20"):
        feed(screen(20, 20), [update(rectangle(0, 0, 20, 20, TIGHT, jpeg(slope(21, 20))))])


@given(st.integers(0, 650), st.binary(min_size=1, max_size=9))
@settings(max_examples=200, deadline=None)
def test_a_damaged_jpeg_is_painted_or_refused(place: int, damage: bytes) -> None:
    data = bytearray(simplejpeg.encode_jpeg(np.ascontiguousarray(slope(8, 8)[..., :3])))
    data[place : place + len(damage)] = damage
    payload = b"\x90" + compact(len(data)) + bytes(data)
    with contextlib.suppress(RemoteError):
        feed(screen(8, 8), [update(rectangle(0, 0, 8, 8, TIGHT, payload))])


def test_jpeg_without_the_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    if Subject.kind is not Decoder:
        pytest.skip("the compiled decoder has a library of its own")
    monkeypatch.setattr("auniverse.rfb.decoders.jpeg.available", lambda: False)
    with pytest.raises(UnsupportedEncodingError, match=r"auniverse\[jpeg\]"):
        feed(screen(8, 8), [update(rectangle(0, 0, 2, 2, TIGHT, b"\x90\5hello"))])


def test_without_zlib(shred: Shred) -> None:
    """As libvncserver sends it at compress level 0: copied pixels, and a palette of two."""
    pixels = picture(20, 3)
    copied = b"\xa0" + compact(180) + pixels[..., :3].tobytes()
    two = b"\xe0\1\1" + b"abcdef" + compact(15) + bytes([0x55] * 15)
    short = b"\xa0" + b"xyz" * 3
    framebuffer = screen(40, 7)
    data = update(
        rectangle(1, 0, 20, 3, TIGHT, copied),
        rectangle(0, 3, 40, 3, TIGHT, two),
        rectangle(0, 6, 3, 1, TIGHT, short),
    )
    feed(framebuffer, shred(data))
    assert (rgb(framebuffer)[:3, 1:21] == pixels[..., :3]).all()
    assert rgb(framebuffer)[4, :4].tobytes() == b"abcdef" * 2
    assert rgb(framebuffer)[6, 2].tobytes() == b"xyz"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"\xa0\x0b", "11 (plain )?bytes (instead of|for) 12"),
        (b"\xa0\x0d", "13 (deflated|plain) bytes for 12"),
        (b"\xb0", "kind 11"),
        (b"\xe0\3", "filter of kind 3"),
    ],
)
def test_without_zlib_the_length_is_known(payload: bytes, text: str) -> None:
    with pytest.raises(MalformedRectangleError, match=text):
        feed(screen(8, 8), [update(rectangle(1, 1, 2, 2, TIGHT, payload))])


def test_the_widest() -> None:
    feed(screen(2049, 1), [update(rectangle(0, 0, 2048, 1, TIGHT, b"\x80abc"))])
    with pytest.raises(MalformedRectangleError, match="wider than 2048"):
        feed(screen(2049, 1), [update(rectangle(0, 0, 2049, 1, TIGHT))])


@given(st.integers(0, 255), st.binary(max_size=40), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_arbitrary_payloads_are_painted_or_refused(
    control: int, rest: bytes, width: int, height: int
) -> None:
    framebuffer = screen(10, 10)
    before = framebuffer.pixels.copy()
    data = update(rectangle(1, 1, width, height, TIGHT, bytes([control]) + rest + noise(400)))
    with contextlib.suppress(RemoteError):
        decoder_for(framebuffer).feed(memoryview(data))
    before[1 : 1 + height, 1 : 1 + width] = framebuffer.pixels[1 : 1 + height, 1 : 1 + width]
    assert (framebuffer.pixels == before).all()
