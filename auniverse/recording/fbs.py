r"""The file of a recording: FBS 001.002, as Universe's recorder wrote it.

::

    12 bytes     "FBS 001.002\n"
    a line       JSON: {"start": unix seconds, "server": str, "encodings": [int, ...],
                        "pixel_format": hex of its 16 bytes, "width": int, "height": int,
                        "lossless": bool, ...}
    records      u32 length, that many bytes, u32 milliseconds since the start; big-endian
    u32          0
    a line       JSON: {"stop": unix seconds}

The bytes begin with the ServerInit (RFC 6143 §7.3.2) and go on with everything the server sent
after SetPixelFormat and SetEncodings. Only "start" was in Universe's own files; whatever else the
first line holds is kept as notes.

A recorder may be killed at any time, so a file may end anywhere after its first line: what is whole
is read. A file that does not end but goes wrong is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self, TypeVar

from auniverse.errors import RecordingError, RFBError
from auniverse.rfb import RGBX, PixelFormat

MAGIC = b"FBS 001.002\n"

#: Longest line of JSON and longest record that are read, in bytes. A recorder writes what one
#: read of a socket gave, so records are small; `Writer` cuts what is longer.
LINE_LIMIT = 64 * 1024
RECORD_LIMIT = 16 * 1024 * 1024
#: Longest file that is read, in bytes: a recording is held in memory as a whole.
FILE_LIMIT = 1 << 30

_U32 = 0xFFFFFFFF

T = TypeVar("T")


class Chunk(NamedTuple):
    """What one read of the socket gave."""

    data: bytes
    #: When, in milliseconds since the start.
    ms: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a recording says of itself.

    Attributes:
        start: When it began, in unix seconds.
        server: Which server sent it.
        encodings: What was offered to the server, pseudo-encodings included, preferred first.
        width: Columns of the screen at the start.
        height: Rows.
        lossless: Whether the server was told to keep every pixel as it is.
        pixel_format: What was asked for.
        notes: Anything else that JSON can say. The tests' corpus has "crc32" here: the CRC-32 of
            the last picture as contiguous RGB.
    """

    start: float
    server: str
    encodings: tuple[int, ...]
    width: int
    height: int
    lossless: bool
    pixel_format: PixelFormat = RGBX
    notes: Mapping[str, Any] = field(default_factory=dict)

    def pack(self) -> bytes:
        """Return the line, its newline included.

        Raises:
            RecordingError: The line would be too long to be read again.
        """
        known = {
            "start": self.start,
            "server": self.server,
            "encodings": [int(encoding) for encoding in self.encodings],
            "pixel_format": self.pixel_format.pack().hex(),
            "width": self.width,
            "height": self.height,
            "lossless": self.lossless,
        }
        line = json.dumps({**known, **self.notes, **known}).encode() + b"\n"
        if len(line) > LINE_LIMIT:
            raise RecordingError(f"a first line of {len(line)} bytes; the limit is {LINE_LIMIT}")
        return line

    @classmethod
    def unpack(cls, line: bytes) -> Header:
        """Read the line.

        Raises:
            RecordingError: It is no JSON object, or something in it has the wrong type.
        """
        said = _json_object(line)
        if said is None:
            raise RecordingError("the first line is no JSON object")
        try:
            return cls(
                start=_number(said.pop("start")),
                server=_exactly(str, said.pop("server", "")),
                encodings=tuple(_integer(each) for each in said.pop("encodings", ())),
                width=_integer(said.pop("width", 0)),
                height=_integer(said.pop("height", 0)),
                lossless=_exactly(bool, said.pop("lossless", False)),
                pixel_format=_pixel_format(said.pop("pixel_format", None)),
                notes=said,
            )
        except (KeyError, TypeError, ValueError, RFBError) as error:
            raise RecordingError(f"the first line is wrong about {error}") from error


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording, in memory.

    Attributes:
        header: What it says of itself.
        chunks: What the server sent, ServerInit first.
        stop: When it ended, in unix seconds; None if the recorder was cut off.
    """

    header: Header
    chunks: tuple[Chunk, ...]
    stop: float | None = None

    @property
    def data(self) -> bytes:
        """All bytes in one piece."""
        return b"".join(chunk.data for chunk in self.chunks)


class Writer:
    """Writes a recording as it happens; a file cut off at any moment can be read.

    Args:
        path: Where to; the folder is made, an old file is replaced.
        header: What the recording says of itself.
    """

    def __init__(self, path: str | Path, header: Header) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        line = header.pack()
        self._file: BinaryIO = open(path, "wb")  # noqa: SIM115 (it is a context manager itself)
        self._file.write(MAGIC + line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, data: bytes | bytearray | memoryview, ms: int) -> None:
        """Append what came `ms` milliseconds after the start; nothing is appended for no bytes."""
        for start in range(0, len(data), RECORD_LIMIT):
            piece = data[start : start + RECORD_LIMIT]
            self._file.write(len(piece).to_bytes(4, "big"))
            self._file.write(piece)
            self._file.write(min(max(ms, 0), _U32).to_bytes(4, "big"))

    def stop(self, stop: float) -> None:
        """Say when it ended, in unix seconds, and close the file."""
        self._file.write(bytes(4) + json.dumps({"stop": stop}).encode() + b"\n")
        self._file.close()


def write(path: str | Path, recording: Recording) -> None:
    """Write a whole recording."""
    with Writer(path, recording.header) as writer:
        for data, ms in recording.chunks:
            writer.write(data, ms)
        if recording.stop is not None:
            writer.stop(recording.stop)


def read(path: str | Path) -> Recording:
    """Read a recording, as far as it goes.

    Raises:
        RecordingError: It is none, breaks the rules of its form, or is too large.
        OSError: It cannot be read.
    """
    path = Path(path)
    if (size := path.stat().st_size) > FILE_LIMIT:
        raise RecordingError(f"{path}: {size} bytes; the limit is {FILE_LIMIT}")
    try:
        return parse(path.read_bytes())
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from error


def parse(data: bytes) -> Recording:
    """Read the bytes of a recording; see `read`.

    Raises:
        RecordingError: They are none, or break the rules of its form.
    """
    if not data.startswith(MAGIC):
        raise RecordingError("it does not begin with 'FBS 001.002'")
    end = data.find(b"\n", len(MAGIC), len(MAGIC) + LINE_LIMIT)
    if end < 0:
        raise RecordingError(f"its first line does not end within {LINE_LIMIT} bytes")
    header = Header.unpack(data[len(MAGIC) : end])
    chunks: list[Chunk] = []
    position = end + 1
    while len(data) - position >= 4:
        length = int.from_bytes(data[position : position + 4], "big")
        position += 4
        if length == 0:
            return Recording(header, tuple(chunks), _stop(data[position:][:LINE_LIMIT]))
        if length > RECORD_LIMIT:
            raise RecordingError(
                f"a record of {length} bytes at byte {position - 4}; the limit is {RECORD_LIMIT}"
            )
        if len(data) - position < length + 4:
            break
        ms = int.from_bytes(data[position + length : position + length + 4], "big")
        chunks.append(Chunk(data[position : position + length], ms))
        position += length + 4
    return Recording(header, tuple(chunks))


def _stop(line: bytes) -> float | None:
    """Return when the recording ended; None if the recorder died while it said so."""
    said = _json_object(line)
    try:
        return None if said is None else _number(said["stop"])
    except (KeyError, TypeError, ValueError):
        return None


def _json_object(line: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return said if isinstance(said, dict) else None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a number: {value!r:.40}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"a number: {value!r:.40}")
    return number


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(1 << 31) <= value <= _U32:
        raise TypeError(f"an integer: {value!r:.40}")
    return value


def _exactly(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"a {kind.__name__}: {value!r:.40}")
    return value


def _pixel_format(value: object) -> PixelFormat:
    if value is None:
        return RGBX
    data = bytes.fromhex(_exactly(str, value))
    if len(data) != 16:
        raise ValueError(f"a pixel format of {len(data)} bytes")
    return PixelFormat.unpack(data)
