"""What a server says, in bytes, and a decoder fed as the connection feeds it."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb.decoders import Decoder, Fed
from auniverse.rfb.framebuffer import Framebuffer
from auniverse.rfb.messages import Event, Updated
from auniverse.rfb.types import Limits

RAW, COPY_RECT, ZLIB, TIGHT, ZRLE, HEXTILE = 0, 1, 6, 7, 16, 5
DESKTOP_SIZE, LAST_RECT, CURSOR, FRAME = -223, -224, -239, 0x41554E46

BELL = b"\x02"


class Subject:
    """Which decoder is being tested; `conftest.decoder_type` runs every test for each."""

    kind: type[Decoder] = Decoder


def decoder_for(framebuffer: Framebuffer, limits: Limits | None = None) -> Decoder:
    """A fresh decoder of the kind that is being tested."""
    return Subject.kind(framebuffer, limits=limits or Limits())


def server_init(width: int = 4, height: int = 3, name: bytes = b"test") -> bytes:
    return struct.pack(">HH16sI", width, height, b"?" * 16, len(name)) + name


def opening(width: int = 4, height: int = 3) -> bytes:
    """RFB 3.8, security None, everything a server says before its first update."""
    return b"RFB 003.008\n" + b"\1\1" + bytes(4) + server_init(width, height)


def update(*rectangles: bytes, count: int | None = None) -> bytes:
    count = len(rectangles) if count is None else count
    return struct.pack(">BxH", 0, count) + b"".join(rectangles)


def rectangle(
    x: int, y: int, width: int, height: int, encoding: int, payload: bytes = b""
) -> bytes:
    return struct.pack(">HHHHi", x, y, width, height, encoding) + payload


def sized(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def picture(width: int, height: int, colours: int = 0, seed: int = 0) -> NDArray[np.uint8]:
    """RGBX pixels with X 0: noise, or runs of a few colours that are all there."""
    chance = np.random.default_rng(seed)
    pixels = np.zeros((height, width, 4), np.uint8)
    if not colours:
        pixels[..., :3] = chance.integers(0, 256, (height, width, 3))
        return pixels
    palette = chance.permutation(1 << 12)[:colours]
    indices = np.repeat(chance.integers(0, colours, width * height), 3)[: width * height]
    indices[-colours:] = range(colours)
    chosen = palette[indices].reshape(height, width)
    for channel in range(3):
        pixels[..., channel] = chosen >> 4 * channel & 15
    return pixels


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def screen(width: int, height: int, seed: int = 1) -> Framebuffer:
    """A framebuffer with something on it, so that what is left alone can be told."""
    framebuffer = Framebuffer(width, height)
    framebuffer.pixels[...] = picture(width, height, seed=seed)
    framebuffer.damage.take()
    return framebuffer


def feed(framebuffer: Framebuffer, pieces: Iterable[bytes], limits: Limits | None = None) -> Fed:
    """Feed a fresh decoder; the sum of what came of it, and what it does not take is an error."""
    return feed_on(decoder_for(framebuffer, limits), pieces)


def feed_on(decoder: Decoder, pieces: Iterable[bytes]) -> Fed:
    waiting = b""
    total = Fed(0, 0, 0, 0, [])
    for piece in pieces:
        waiting += piece
        while len(waiting) >= max(total.needed, 1):
            fed = decoder.feed(memoryview(waiting))
            waiting = waiting[fed.consumed :]
            assert fed.needed > len(waiting) or not (fed.needed or waiting)
            total = Fed(
                total.consumed + fed.consumed,
                total.updates + fed.updates,
                total.rectangles + fed.rectangles,
                fed.needed,
                joined(total.events + fed.events),
            )
    assert not waiting
    assert not decoder.inside
    return total


def joined(events: Iterable[Event]) -> list[Event]:
    """Events with neighbouring Updated made one: how the bytes came in no longer shows."""
    found: list[Event] = []
    for event in events:
        if isinstance(event, Updated) and found and isinstance(found[-1], Updated):
            event = Updated(*map(sum, zip(found.pop(), event, strict=True)))
        found.append(event)
    return found


def rgb(framebuffer: Framebuffer) -> NDArray[np.uint8]:
    """The pixels without X, which is undefined."""
    return framebuffer.pixels[..., :3]
