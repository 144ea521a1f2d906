"""Deflated data as only an enemy makes them, and the pixels of whole screens."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from tests.rfb.wire import noise, rectangle, sized, update


def stored(data: bytes, block: int) -> bytes:
    """Deflate by not deflating, in small blocks: the longest way to say it."""
    parts = [b"\x78\x01"]
    for start in range(0, len(data), block):
        piece = data[start : start + block]
        parts.append(struct.pack("<BHH", 0, len(piece), len(piece) ^ 0xFFFF) + piece)
    return b"".join(parts)


def deflated(data: bytes, level: int = 9) -> bytes:
    stream = zlib.compressobj(level)
    return stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def bomb(size: int) -> bytes:
    """Some thousandth of `size` that inflates to `size`."""
    stream = zlib.compressobj(9)
    step = 1 << 20
    parts = [stream.compress(bytes(min(step, size - at))) for at in range(0, size, step)]
    return b"".join(parts) + stream.flush(zlib.Z_SYNC_FLUSH)


def compact(length: int) -> bytes:
    """Tight's length, always of three bytes."""
    return bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])


def one(width: int, height: int, encoding: int, payload: bytes) -> bytes:
    return update(rectangle(0, 0, width, height, encoding, payload))


def zrle_tiles(width: int, height: int, kind: bytes) -> bytes:
    """The same tile everywhere, `kind` its bytes; the sides are multiples of 64."""
    return sized(bomb_of(kind, width * height // 4096))


def bomb_of(piece: bytes, times: int) -> bytes:
    return deflated(piece * times)


def noise_tiles(width: int, height: int) -> bytes:
    """Raw tiles that do not deflate."""
    pixels = np.frombuffer(noise(3 * 4096), np.uint8).tobytes()
    return sized(stored((b"\0" + pixels) * (width * height // 4096), 60))
