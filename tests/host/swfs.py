"""SWF files that hold nothing but a head."""

from __future__ import annotations

import lzma
import struct
import zlib


def head(width: int = 320, height: int = 240, fps: float = 30.0) -> bytes:
    size = max(width, height).bit_length() + 6  # in twips, with a sign
    bits = f"{size:05b}"
    for side in (0, width * 20, 0, height * 20):
        bits += f"{side:0{size}b}"
    bits += "0" * (-len(bits) % 8)
    rectangle = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return rectangle + struct.pack("<HH", int(fps * 256), 1)


def swf(signature: bytes = b"FWS", body: bytes | None = None) -> bytes:
    body = head() + b"\x00\x00" if body is None else body
    start = signature + bytes([15]) + struct.pack("<I", len(body) + 8)
    if signature == b"CWS":
        return start + zlib.compress(body)
    if signature == b"ZWS":
        alone = lzma.compress(body, lzma.FORMAT_ALONE)
        return start + struct.pack("<I", len(alone) - 13) + alone[:5] + alone[13:]
    return start + body
