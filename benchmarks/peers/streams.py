"""Recordings as benchmarks need them: cut at every update, and taken apart for the floor."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from auniverse.errors import RecordingError, RFBError
from auniverse.recording import read
from auniverse.rfb import Encoding, Limits, Rectangle
from auniverse.rfb.decoders.decoder import AGAIN, DECODERS, PSEUDO, RectangleDecoder

_LENGTH = struct.Struct("=I")
_OPERATION = struct.Struct("=BBHHHH6xI")
_RECTANGLE = struct.Struct(">HHHHi")

#: What is inflated by which of the floor's streams; Tight has 0 to 3.
_DEFLATED = {Encoding.ZLIB: 4, Encoding.ZRLE: 5}
_FILL, _JPEG, _STORED = 8, 9, 10


class UnreadableError(Exception):
    """It is no recording, or has an encoding or a message that our decoders do not know."""


@dataclass(frozen=True)
class Stream:
    """A recorded session: its ServerInit and its FramebufferUpdates, each whole."""

    name: str
    init: bytes
    updates: tuple[bytes, ...]
    encodings: tuple[int, ...]
    lossless: bool

    @property
    def untimed(self) -> tuple[bytes, ...]:
        """The first update, if there are more: it is large whatever comes after it."""
        return self.updates[:1] if len(self.updates) > 1 else ()

    @property
    def timed(self) -> tuple[bytes, ...]:
        """The others."""
        return self.updates[len(self.untimed) :]

    def chunks(self, size: int | None) -> tuple[bytes, ...]:
        """Return the timed updates, cut at every `size` bytes; for None one by one."""
        return self.timed if size is None else _cut(self.timed, size)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the screen at its beginning, in pixels."""
        width, height = struct.unpack_from(">HH", self.init)
        return width, height

    def write(self, path: Path) -> None:
        """Write it for the programs in C, see stream.h."""
        pieces = (self.init, *self.updates)
        path.write_bytes(b"".join(_LENGTH.pack(len(piece)) + piece for piece in pieces))


@lru_cache(maxsize=4)  # or threads would wait for each other's copies, which are not measured
def _cut(pieces: tuple[bytes, ...], size: int) -> tuple[bytes, ...]:
    data = b"".join(pieces)
    return tuple(data[start : start + size] for start in range(0, len(data), size))


def load(path: Path) -> Stream:
    """Read a recording.

    Raises:
        UnreadableError: It is none, or we cannot tell where its rectangles end.
    """
    try:
        recording = read(path)
        data = b"".join(chunk.data for chunk in recording.chunks)
        init = 24 + int.from_bytes(data[20:24], "big")
        updates = tuple(_updates(memoryview(data)[init:]))
    except (RecordingError, RFBError) as error:
        raise UnreadableError(str(error)) from error
    if not updates:
        raise UnreadableError("no whole update in it")
    header = recording.header
    return Stream(path.stem, data[:init], updates, tuple(header.encodings), header.lossless)


def rectangles(update: bytes | memoryview) -> Iterator[tuple[Rectangle, memoryview]]:
    """Yield the rectangles of a whole update, with their payloads."""
    view = memoryview(update)
    for rectangle, start, end in _walk(view):
        yield rectangle, view[start:end]


def _walk(data: memoryview) -> Iterator[tuple[Rectangle, int, int]]:
    """Yield rectangles and where their payloads are, as long as they are whole.

    Raises:
        EOFError: The update is not whole.
    """
    at = 4
    if len(data) < at:
        raise EOFError
    for _ in range(int.from_bytes(data[2:4], "big")):
        if len(data) < at + _RECTANGLE.size:
            raise EOFError
        rectangle = Rectangle._make(_RECTANGLE.unpack_from(data, at))
        start = at + _RECTANGLE.size
        decoder = _measurer(rectangle.encoding)
        while (length := decoder.measure(data, start, rectangle)) == AGAIN:
            pass
        at = start + length
        if len(data) < at:
            raise EOFError
        yield rectangle, start, at
        if rectangle.encoding == Encoding.LAST_RECT:
            return


def _measurer(encoding: int) -> RectangleDecoder:
    kind = DECODERS.get(encoding) or PSEUDO.get(encoding)
    if kind is None:
        raise UnreadableError(f"encoding {encoding}")
    return kind(Limits())


def _updates(data: memoryview) -> Iterator[bytes]:
    """Yield the whole updates; other messages say nothing to a decoder and are left out."""
    at = 0
    while at < len(data):
        rest = data[at:]
        if rest[0] == 0:
            length = 4
            try:
                for _, _, end in _walk(rest):
                    length = end
            except EOFError:
                return
            yield bytes(rest[:length])
        else:
            length = _message_length(rest)
        at += length


def _message_length(data: memoryview) -> int:
    kind = data[0]
    if kind == 1:  # SetColourMapEntries
        return 6 + 6 * int.from_bytes(data[4:6], "big")
    if kind == 3:  # ServerCutText; a negative length belongs to the extended clipboard
        return 8 + abs(int.from_bytes(data[4:8], "big", signed=True))
    if kind == 248:  # ServerFence
        return 9 + data[8]
    if kind in (2, 150):  # Bell, EndOfContinuousUpdates
        return 1
    raise UnreadableError(f"a message of type {kind}")


def floor_operations(stream: Stream) -> bytes:
    """Return the stream as floor.c wants it."""
    width, height = stream.size
    for update in stream.updates:
        for rectangle, _ in rectangles(update):
            width = max(width, rectangle.x + rectangle.width)
            height = max(height, rectangle.y + rectangle.height)
    operations = [struct.pack("=II", width, height)]
    for update in stream.updates:
        for rectangle, payload in rectangles(update):
            if rectangle.encoding in DECODERS:
                operations += _operations(rectangle, payload)
        operations.append(_operation("U"))
    return b"".join(operations)


def deflated_share(stream: Stream) -> float:
    """Return which part of the bytes is deflated or JPEG."""
    inside = total = 0
    for update in stream.timed:
        total += len(update)
        for rectangle, payload in rectangles(update):
            if rectangle.encoding in (*_DEFLATED, Encoding.TIGHT):
                inside += len(payload)
    return inside / total if total else 0.0


def _operation(
    kind: str,
    data: bytes | memoryview = b"",
    *,
    rectangle: Rectangle | None = None,
    stream: int = 0,
) -> bytes:
    place = rectangle[:4] if rectangle else (0, 0, 0, 0)
    return _OPERATION.pack(ord(kind), stream, *place, len(data)) + bytes(data)


def _operations(rectangle: Rectangle, payload: memoryview) -> Iterator[bytes]:
    if rectangle.encoding in _DEFLATED:
        yield _operation("I", payload[4:], stream=_DEFLATED[rectangle.encoding])
    if rectangle.encoding == Encoding.TIGHT:
        yield from _tight(rectangle, payload)
    else:
        yield _operation("M", rectangle=rectangle)


def _tight(rectangle: Rectangle, payload: memoryview) -> Iterator[bytes]:
    """Streams to reset, then a picture, or pixels that are deflated unless they are very few."""
    for stream in range(4):
        if payload[0] >> stream & 1:
            yield _operation("R", stream=stream)
    kind = payload[0] >> 4
    if kind == _JPEG:
        yield _operation("J", payload[_after_length(payload, 1) :], rectangle=rectangle)
        return
    yield _operation("M", rectangle=rectangle)
    if kind == _FILL or kind & ~4 == _STORED:
        return
    start, row = 1, 3 * rectangle.width
    if kind & 4:
        start = 2
        if payload[1] == 1:
            colours = payload[2] + 1
            start = 3 + 3 * colours
            row = -(-rectangle.width // 8) if colours <= 2 else rectangle.width
    if row * rectangle.height >= 12:
        yield _operation("I", payload[_after_length(payload, start) :], stream=kind & 3)


def _after_length(payload: memoryview, start: int) -> int:
    """Step over a compact length: 1 to 3 bytes, of which all but the last have bit 7."""
    for place in range(start, start + 2):
        if payload[place] < 128:
            return place + 1
    return start + 3
