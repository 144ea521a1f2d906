"""Valid input to begin with: what our own encoders and the tests' small ones make."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import numpy as np

from auniverse.rfb import RGBX, Decoder, Encoding
from auniverse.rfb.decoders import DECODERS, PSEUDO
from auniverse.rfb.encoders import ENCODERS
from auniverse.rfb.messages import (
    KeyEvent,
    PointerEvent,
    client_cut_text,
    set_encodings,
    set_pixel_format,
    update_request,
)
from auniverse.rfb.types import Box
from fuzz.targets import HEIGHT, OPENING, PLACE, RECTANGLE, TARGETS, WIDTH, name_of, native
from tests.rewarder import examples
from tests.rfb.decoders import test_tight, test_zrle
from tests.rfb.wire import opening, picture, sized, update

SIZES = ((WIDTH, HEIGHT), (7, 5), (1, 1), (16, 9))


def handshakes() -> Iterator[bytes]:
    banner = b"RFB 003.008\n"
    for said in (
        opening(),
        banner + b"\2\1\2" + bytes(16) + bytes(4) + opening()[18:],
        b"RFB 003.003\n" + b"\0\0\0\1" + opening()[18:],
        b"RFB 003.007\n" + b"\1\1" + opening()[18:],
        banner + b"\0" + sized(b"too many"),
        banner + b"\1\2" + bytes(16) + b"\0\0\0\1" + sized(b"wrong"),
        b"RFB 003.889\n\4\x1e\x21\x24\2" + bytes(20),
        banner + b"\1\x13\0\2\0\1\0\0\1\2",
    ):
        yield b"\0" + said
        yield b"\7" + said


def payloads(encoding: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (width, height, payload) of valid rectangles of one stream."""
    tight = test_tight.Encoder()
    ours = {kind: ENCODERS[kind]() for kind in ENCODERS}
    for number, (width, height) in enumerate(SIZES):
        for colours in (0, 1, 2, 5, 30):
            pixels = picture(width, height, min(colours, width * height), seed=number)
            if encoding in ours:
                yield width, height, bytes(ours[encoding].encode(pixels, RGBX))
            elif encoding == Encoding.TIGHT and colours != 1:
                verbs = (tight.copy, tight.gradient, *([tight.palette] if colours else []))
                for verb in verbs:
                    yield width, height, verb(pixels)
        if encoding == Encoding.ZRLE:
            pixels = np.asarray(picture(width, height, min(9, width * height)))
            for encode in (test_zrle.plain_runs, test_zrle.palette_runs):
                yield width, height, test_zrle.zrle(test_zrle.tiles(pixels, encode))
        yield width, height, bytes(4)
        yield width, height, bytes(range(32))
        area = 4 * width * height + -(-width // 8) * height
        if area < 1100:
            yield width, height, bytes(area)


def decoders(encoding: int) -> Iterator[bytes]:
    """Yield input of `targets.decode`: each rectangle alone, and those of one stream."""
    all_parts = b"\6"
    for width, height, payload in payloads(encoding):
        part = PLACE.pack(0, 0, width, height, len(payload)) + payload
        yield b"\6" + part
        all_parts += part
        if len(all_parts) < 4000:
            yield all_parts


def messages() -> Iterator[bytes]:
    said = [
        b"\2" * 3,
        b"\3\0\0\0" + sized(b"hello"),
        b"\3\0\0\0" + sized(b"x" * 300),
        b"\1\0\0\0\0\2" + bytes(12),
        update(count=0),
        update(RECTANGLE.pack(0, 0, 9, 9, Encoding.DESKTOP_SIZE)),
        update(RECTANGLE.pack(0, 0, 0, 0, Encoding.LAST_RECT), count=0xFFFF),
        update(RECTANGLE.pack(1, 2, 5, 6, 1) + bytes(4), RECTANGLE.pack(1, 1, 2, 2, 0) + bytes(16)),
    ]
    yield from (b"\4" + one for one in said)
    yield b"\4" + b"".join(said)
    for encoding in (*DECODERS, *PSEUDO):
        for width, height, payload in [*payloads(encoding)][:3]:
            head = RECTANGLE.pack(0, 0, width, height, encoding)
            yield b"\x20" + update(head + payload) + b"\2"


def viewers() -> Iterator[bytes]:
    said = [
        set_pixel_format(RGBX),
        set_pixel_format(RGBX._replace(bits_per_pixel=16, depth=16, red_max=31, blue_shift=10)),
        *(
            set_encodings([encoding, Encoding.DESKTOP_SIZE, Encoding.FRAME])
            for encoding in ENCODERS
        ),
        update_request(False, Box(0, 0, WIDTH, HEIGHT)),
        update_request(True, Box(3, 3, 500, 500)),
        KeyEvent(97, True).pack(),
        PointerEvent(3, 4, 1).pack(),
        client_cut_text("hello"),
    ]
    for start in (b"\0RFB 003.008\n\1\1", b"\x10RFB 003.003\n\1", b"\1RFB 003.007\n\2" + bytes(16)):
        yield start
        yield start + b"".join(said)
        yield from (start + one + said[-5] for one in said)


def conversations(table: list[tuple[str, object, object]]) -> Iterator[bytes]:
    lines = [text.encode() for text, *_ in table]
    yield from lines
    yield b"\0".join(lines)


def recordings() -> Iterator[bytes]:
    line = {"start": 1.5, "server": "x", "encodings": [0, 1], "pixel_format": RGBX.pack().hex()}
    line |= {"width": WIDTH, "height": HEIGHT, "lossless": True}
    head = b"FBS 001.002\n" + json.dumps(line).encode() + b"\n"
    record = sized(OPENING[18:]) + struct.pack(">I", 7)
    yield head
    yield head + record + record
    yield head + record + bytes(4) + b'{"stop": 2.5}\n'


def seeds() -> dict[str, list[bytes]]:
    """Return the seeds of every target that there is."""
    made = {
        "handshake": [*handshakes()],
        "messages": [*messages()],
        "viewer": [*viewers()],
        "rewarder-client": [*conversations(examples.FROM_SERVER)],
        "rewarder-server": [*conversations(examples.FROM_CLIENT)],
        "recording": [*recordings()],
        **{name_of(one): [*decoders(one)] for one in (*DECODERS, *PSEUDO)},
    }
    if native():
        from auniverse.rfb.native import NativeDecoder

        made["twins"] = [
            bytes([number]) + seed
            for number, one in enumerate(sorted({*NativeDecoder.encodings} & {*Decoder.encodings}))
            for seed in decoders(one)
        ]
    return {name: made[name] for name in TARGETS}
