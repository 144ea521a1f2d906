"""The compiled decoder against the one in numpy, and against encoders where numpy has none."""

from __future__ import annotations

import contextlib
import random
import re
import threading
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError, RemoteError, UsageError
from auniverse.rfb import native
from auniverse.rfb.decoders import Decoder, Fed
from auniverse.rfb.framebuffer import Framebuffer
from auniverse.rfb.messages import CursorChanged, Event
from auniverse.rfb.native import NativeDecoder, available, decoder, libraries
from auniverse.rfb.types import Box, Limits

from ..conftest import Shred
from ..decoders.test_tight import Encoder as TightEncoder
from ..decoders.test_tight import compact
from ..wire import (
    CURSOR,
    RAW,
    TIGHT,
    ZLIB,
    ZRLE,
    feed_on,
    noise,
    picture,
    rectangle,
    rgb,
    screen,
    update,
)
from .streams import (
    ALPHA_CURSOR,
    CORRE,
    HEXTILE,
    POINTER_POSITION,
    RRE,
    TRLE,
    X_CURSOR,
    Server,
    corre,
    hextile,
    rre,
    trle,
)

needs_native = pytest.mark.skipif(not available(), reason="the compiled decoder was not built")
LIMITS = Limits(pixels=10_000)


def test_without_the_extension_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "compiled", None)
    assert not available()
    assert libraries() == {}
    with pytest.raises(UsageError, match="not built"):
        NativeDecoder(screen(1, 1), limits=Limits())


@needs_native
def test_it_says_what_it_is_linked_with() -> None:
    assert set(libraries()) == {"jpeg"}
    assert {*Decoder.encodings} <= {*NativeDecoder.encodings}


def covered(boxes: list[Box], width: int, height: int) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), np.bool_)
    for x, y, w, h in boxes:
        mask[y : y + h, x : x + w] = True
    return mask


def plain(events: list[Event]) -> list[object]:
    """Events that can be compared: arrays as bytes."""
    return [
        (event.image.shape, event.image.tobytes(), event.x, event.y)
        if isinstance(event, CursorChanged)
        else event
        for event in events
    ]


def outcome(kind: type[Decoder], data: bytes, cut: int) -> tuple[object, ...]:
    """What all of it came to; pixels and damage only if it was not refused."""
    framebuffer = screen(60, 50)
    subject = kind(framebuffer, limits=LIMITS)
    events: list[object] = []
    counts = [0, 0, 0]
    rest = memoryview(data)
    for end in (cut, len(data)):
        try:
            fed = subject.feed(rest[: end - (len(data) - len(rest))])
        except RemoteError as exc:
            return (type(exc), str(exc).split(": no zlib")[0], subject.position, plain(events))
        rest = rest[fed.consumed :]
        counts = [a + b for a, b in zip(counts, fed[:3], strict=True)]
        events += plain(fed.events)
    mask = covered(framebuffer.damage.take(), framebuffer.width, framebuffer.height)
    return (counts, fed.needed, subject.inside, events, rgb(framebuffer).tobytes(), mask.tobytes())


@needs_native
@given(st.integers(0, 1 << 32), st.integers(0, 4), st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_both_decode_alike(seed: int, count: int, cut: float) -> None:
    data = Server(60, 50, seed).updates(count)
    place = int(cut * len(data))
    assert outcome(NativeDecoder, data, place) == outcome(Decoder, data, place)


@needs_native
@pytest.mark.parametrize("cut", [0, 300_000])
def test_what_pointers_look_like_is_handed_over_before_it_is_much(cut: int) -> None:
    shape = rectangle(1, 2, 256, 256, CURSOR, noise(4 * 256 * 256 + 256 * 32))
    moved = rectangle(200, 3, 0, 0, POINTER_POSITION)
    data = update(moved, shape, shape, shape) + update(shape, moved) + update() * 600
    assert outcome(NativeDecoder, data, cut) == outcome(Decoder, data, cut)


POINTERS = {
    "too wide": (CURSOR, (257, 1), b"", "larger than 256"),
    "too large": (X_CURSOR, (65535, 65535), b"", "larger than 256"),
    "in another encoding": (ALPHA_CURSOR, (1, 1), b"\0\0\0\7" + bytes(4), "encoding 7"),
}


@needs_native
@pytest.mark.parametrize("case", POINTERS)
def test_pointers_that_cannot_be(case: str) -> None:
    encoding, size, payload, text = POINTERS[case]
    data = update(rectangle(0, 0, *size, encoding, payload))
    one, other = (outcome(kind, data, len(data)) for kind in (NativeDecoder, Decoder))
    assert one == other
    assert text in str(one[1])


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 10))):
        place = chance.randrange(len(out))
        out[place] = chance.choice((0, 1, 255, chance.randrange(256), out[place] ^ 1))
    return bytes(out)


#: What is no JPEG is the libraries' business, and there are two of them.
UNKNOWN = re.compile("JPEG")


@needs_native
@given(st.integers(0, 1 << 32))
@settings(max_examples=300, deadline=None)
def test_both_refuse_alike(seed: int) -> None:
    """With an error of the same type at the same place, after the same events.

    One difference is allowed: which bytes are no deflate stream is the libraries' business. Where
    either finds that, the other may take the bytes for something else, as the pixels were garbage
    anyway; both must come to a documented end all the same.
    """
    chance = random.Random(seed)
    server = Server(60, 50, seed)
    server.tight.streams = [zlib.compressobj(0) for _ in range(4)]
    data = mutated(update() + server.updates(2), chance)
    one, other = (outcome(kind, data, len(data)) for kind in (NativeDecoder, Decoder))
    refusals = [end for end in (one, other) if isinstance(end[0], type)]
    if len(refusals) < 2 or one[0] is not other[0] or one[2:] != other[2:]:
        has_stream = b"\x78" in data  # the first byte of a zlib stream
        no_stream = has_stream and MalformedRectangleError in (end[0] for end in refusals)
        unknown = isinstance(other[0], type) and UNKNOWN.search(str(other[1]))
        assert one == other or no_stream or unknown


CASES: dict[str, tuple[int, Callable[[NDArray[np.uint8]], bytes]]] = {
    "rre": (RRE, rre),
    "corre": (CORRE, corre),
    "hextile": (HEXTILE, hextile),
    "trle": (TRLE, trle),
}
SIZES = [(1, 1), (16, 16), (17, 15), (40, 35), (0, 5), (5, 0)]


@needs_native
@pytest.mark.parametrize("colours", [0, 1, 2, 3, 16])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_encodings_of_tiles_and_pieces(
    name: str, size: tuple[int, int], colours: int, shred: Shred
) -> None:
    width, height = size
    encoding, encode = CASES[name]
    framebuffer = screen(width + 2, height + 3)
    expected = rgb(framebuffer).copy()
    pixels = picture(width, height, min(colours, width * height))
    expected[2 : 2 + height, 1 : 1 + width] = pixels[..., :3]
    one = rectangle(1, 2, width, height, encoding, encode(pixels))
    fed = feed_on(NativeDecoder(framebuffer, limits=Limits()), shred(update(one, one)))
    assert fed.rectangles == 2
    assert (rgb(framebuffer) == expected).all()


WRONG = {
    "more pieces than pixels": (RRE, b"\0\0\0\5" + bytes(4 + 5 * 12), "5 subrectangles in 4"),
    "no end of pieces": (RRE, b"\xff\xff\xff\xff" + bytes(4), "4294967295 subrectangles"),
    "a piece outside": (RRE, b"\0\0\0\1" + bytes(8) + b"\0\1\0\0\0\2\0\1", "outside of it"),
    "a huge piece": (RRE, b"\0\0\0\1" + bytes(8) + b"\xff\xff" * 4, "outside of it"),
    "much paint": (CORRE, b"\0\0\0\4" + bytes(4) + (bytes(6) + b"\2\2") * 4, "many times over"),
    "a small piece outside": (CORRE, b"\0\0\0\1" + bytes(8) + b"\1\1\1\2", "outside of it"),
    "a piece outside its tile": (HEXTILE, b"\x0a" + bytes(4) + b"\1\x10\x10", "outside of its"),
    "a tile of no kind": (TRLE, b"\x11", "a tile of kind 17"),
    "no palette yet": (TRLE, b"\x7f\0\0", "reuses a palette of 0"),
    "no palette for runs": (TRLE, b"\x81\0\0\0\0", "reuses a palette of 0"),
    "a colour that is not there": (TRLE, b"\3" + bytes(9) + b"\xff\xff", "colour 3 of a palette"),
    "a run that is too long": (TRLE, b"\x80" + bytes(3) + b"\4", "1 pixels past its tile"),
    "plain pixels of another length": (TIGHT, b"\xa0\x0d" + bytes(13), "13 plain bytes for 12"),
}


@needs_native
@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be(case: str) -> None:
    encoding, payload, text = WRONG[case]
    subject = NativeDecoder(screen(8, 8), limits=Limits())
    data = update(rectangle(1, 1, 2, 2, encoding, payload + bytes(50)))
    with pytest.raises(MalformedRectangleError, match=rf"2x2 at \(1, 1\): .*{text}"):
        subject.feed(memoryview(data))


@needs_native
@given(
    st.sampled_from([RRE, CORRE, HEXTILE, TRLE, TIGHT]),
    st.binary(max_size=60),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 400),
)
@settings(max_examples=400, deadline=None)
def test_arbitrary_payloads_are_painted_or_refused(
    encoding: int, payload: bytes, width: int, height: int, more: int
) -> None:
    framebuffer = screen(22, 22)
    before = rgb(framebuffer).copy()
    subject = NativeDecoder(framebuffer, limits=Limits())
    data = update(rectangle(1, 1, width, height, encoding, payload + noise(more)))
    painted = 1
    with contextlib.suppress(RemoteError):
        painted = subject.feed(memoryview(data)).rectangles
    if painted > 1:
        return  # the bytes left over made an update as well
    right, bottom = 1 + width, 1 + height
    before[1:bottom, 1:right] = rgb(framebuffer)[1:bottom, 1:right]
    assert (rgb(framebuffer) == before).all()


@needs_native
@pytest.mark.parametrize("kind", ["copy", "palette", "gradient"])
@pytest.mark.parametrize("size", [(3, 1), (20, 11)])
def test_tight_without_zlib(kind: str, size: tuple[int, int], shred: Shred) -> None:
    pixels = picture(*size, 3 if kind == "palette" else 0)
    encoder = TightEncoder()
    encoder.compress = lambda data, stream=0: (  # type: ignore[method-assign]
        data if len(data) < 12 else compact(len(data)) + data
    )
    payload = getattr(encoder, kind)(pixels)
    payload = bytes([payload[0] & 0x40 | 0xA0]) + payload[1:]
    framebuffer = screen(*size)
    data = update(rectangle(0, 0, *size, TIGHT, payload))
    feed_on(NativeDecoder(framebuffer, limits=Limits()), shred(data))
    assert (rgb(framebuffer) == pixels[..., :3]).all()


#: A grey JPEG of 8x8 pixels, all of them 128.
JPEG = bytes.fromhex(
    "ffd8ffdb004300" + "01" * 64 + "ffc0000b080008000801011100"
    "ffc4001f0000010501010101010100000000000000000102030405060708090a0b"
    "ffc400b5100002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342"
    "b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a53545556575859"
    "5a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4"
    "b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
    "ffda0008010100003f00" + "2bff" + "d9"
)
needs_jpeg = pytest.mark.skipif(not libraries().get("jpeg"), reason="built without a JPEG library")


def jpeg(data: bytes, width: int = 8, height: int = 8) -> bytes:
    return update(rectangle(1, 1, width, height, TIGHT, b"\x90" + compact(len(data)) + data))


@needs_jpeg
def test_jpeg(shred: Shred) -> None:
    framebuffer = screen(11, 10)
    expected = rgb(framebuffer).copy()
    expected[1:9, 1:9] = 128
    feed_on(NativeDecoder(framebuffer, limits=Limits()), shred(jpeg(JPEG)))
    assert (rgb(framebuffer) == expected).all()


@needs_jpeg
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (jpeg(JPEG, 8, 7), "a JPEG of 8x8 pixels"),
        (jpeg(JPEG, 9, 8), "a JPEG of 8x8 pixels"),
        (jpeg(b"hello"), "no JPEG"),
        (jpeg(JPEG[:100]), "no JPEG"),
        (jpeg(JPEG[:-2] + b"\xff\xda" * 16), "a JPEG of more than 16 scans"),
        (update(rectangle(0, 0, 1, 1, TIGHT, b"\x90\xff\xff\xff")), "4194303 bytes of JPEG for 1"),
    ],
)
def test_jpeg_that_cannot_be(data: bytes, text: str) -> None:
    framebuffer = screen(11, 10)
    before = framebuffer.pixels.copy()
    with pytest.raises(MalformedRectangleError, match=text):
        NativeDecoder(framebuffer, limits=Limits()).feed(memoryview(data))
    assert (framebuffer.pixels == before).all()


@needs_native
@pytest.mark.parametrize("encoding", [ZLIB, ZRLE, TIGHT])
def test_large_rectangles_pass_through_the_window_in_pieces(encoding: int) -> None:
    width, height = 700, 600
    pixels = picture(width, height)
    server = Server(1, 1, 0)
    encode = {
        ZLIB: dict(Server.ENCODINGS)[ZLIB],
        ZRLE: dict(Server.ENCODINGS)[ZRLE],
        TIGHT: lambda server, pixels: server.tight.copy(pixels),
    }[encoding]
    data = update(rectangle(1, 0, width, height, encoding, encode(server, pixels)))
    framebuffer = Framebuffer(width + 1, height)
    feed_on(NativeDecoder(framebuffer, limits=Limits()), [data])
    assert (rgb(framebuffer)[:, 1:] == pixels[..., :3]).all()


@needs_native
def test_a_row_of_a_larger_array_is_painted_and_nothing_else() -> None:
    screens = np.zeros((3, 20, 30, 4), np.uint8)
    framebuffer = Framebuffer(10, 10, allocate=lambda width, height: screens[1, 5:15, 7:17])
    pixels = picture(10, 10)
    data = update(rectangle(0, 0, 10, 10, RAW, pixels.tobytes()))
    NativeDecoder(framebuffer, limits=Limits()).feed(memoryview(data))
    assert (screens[1, 5:15, 7:17] == pixels).all()
    screens[1, 5:15, 7:17] = 0
    assert not screens.any()


@needs_native
def test_memory_that_it_cannot_paint_on_is_refused() -> None:
    kernel = NativeDecoder(screen(4, 4), limits=Limits())._kernel
    buffer = NativeDecoder.make_buffer(limit=100)
    for pixels in (
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((4, 4, 4), np.uint16),
        np.zeros((4, 8, 4), np.uint8)[:, ::2],
        np.zeros((4, 4, 4), np.uint8)[::-1],
        np.zeros(4 * 4 * 4 + 1, np.uint8)[1:].reshape(4, 4, 4),
    ):
        with pytest.raises(ValueError, match=r"picture|aligned"):
            kernel.read(pixels, buffer, 1, 1)
    fixed = np.zeros((4, 4, 4), np.uint8)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        kernel.read(fixed, buffer, 1, 1)
    with pytest.raises(TypeError, match="buffer"):
        kernel.read(np.zeros((4, 4, 4), np.uint8), b"", 1, 1)  # type: ignore[arg-type]


@needs_native
def test_two_decoders_in_two_threads() -> None:
    """The lock is released: each must keep to its own memory."""
    streams = [Server(60, 50, seed).updates(60) for seed in (3, 4)]
    expected = [outcome(Decoder, data, 0) for data in streams]
    found: list[list[tuple[object, ...]]] = [[], []]

    def decode(index: int) -> None:
        for _ in range(10):
            found[index].append(outcome(NativeDecoder, streams[index], 0))

    threads = [threading.Thread(target=decode, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in (0, 1):
        # Damage of many rectangles may be merged; all else is equal, ten times.
        assert [end[:5] for end in found[index]] == [expected[index][:5]] * 10


def test_the_door_shows_what_there_is() -> None:
    assert native.__all__ == ["available", "libraries", "NativeDecoder"]
    assert Fed._fields[0] == "consumed"
