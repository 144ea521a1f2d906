"""What the head of a SWF file says (SWF File Format Specification 19, chapter 2)."""

from __future__ import annotations

import lzma
import zlib
from typing import NamedTuple

from auniverse.errors import UsageError

#: Bytes of the largest file that is played.
LARGEST = 1 << 26
#: Twentieths of a pixel, in which Flash measures.
_TWIPS = 20
#: Bytes before the part that may be compressed: signature, version, length.
_PLAIN = 8
#: Bytes of that part which hold the frame's size and rate at most.
_NEEDED = 32
#: The longest side of a frame, in pixels.
_LONGEST_SIDE = 8192


class SWF(NamedTuple):
    """The head of a file.

    Attributes:
        version: The version of Flash that it asks for.
        width: The frame's, in pixels.
        height: Likewise.
        fps: Frames per second.
    """

    version: int
    width: int
    height: int
    fps: float


def read_swf(data: bytes, name: str) -> SWF:
    """Read the head of a file; nothing else of it is looked at.

    Raises:
        UsageError: It is no SWF, a broken or too large one; the message begins with `name`.
    """
    if len(data) > LARGEST:
        raise UsageError(f"{name} has {len(data)} bytes; at most {LARGEST} are played")
    if data[:3] not in _UNPACK or len(data) <= _PLAIN:
        raise UsageError(f"{name} is no SWF: it begins with {data[:4]!r}, not with FWS, CWS or ZWS")
    try:
        head = _UNPACK[data[:3]](data)
    except (zlib.error, lzma.LZMAError) as error:
        raise UsageError(f"{name} is a broken SWF: {error}") from None
    # RECT: five bits say how many bits each of its four numbers has.
    bits = int.from_bytes(head.ljust(_NEEDED, b"\0"), "big")
    total = 8 * max(len(head), _NEEDED)
    size = bits >> total - 5
    left, right, top, bottom = (
        _signed(bits >> total - 5 - size * place & (1 << size) - 1, size) for place in range(1, 5)
    )
    end = (5 + 4 * size + 7) // 8
    if len(head) < end + 4:
        raise UsageError(f"{name} is a broken SWF: it ends within its head")
    width, height = (right - left) // _TWIPS, (bottom - top) // _TWIPS
    fps = int.from_bytes(head[end : end + 2], "little") / 256
    if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE and fps > 0):
        raise UsageError(f"{name} is a broken SWF: {width}x{height} at {fps:g} frames a second")
    return SWF(data[3], width, height, fps)


def _signed(number: int, size: int) -> int:
    return number - (1 << size) if size and number >> size - 1 else number


def _unpack_lzma(data: bytes) -> bytes:
    """Unpack ZWS: the file's own head leaves out what LZMA's has, the length in eight bytes."""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=LARGEST)
    return unpacker.decompress(data[12:17] + b"\xff" * 8 + data[17:], _NEEDED)


_UNPACK = {
    b"FWS": lambda data: data[_PLAIN : _PLAIN + _NEEDED],
    b"CWS": lambda data: zlib.decompressobj().decompress(data[_PLAIN:], _NEEDED),
    b"ZWS": _unpack_lzma,
}
