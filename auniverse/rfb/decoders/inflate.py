"""Inflating what a stranger has deflated."""

from __future__ import annotations

import zlib

from auniverse.errors import MalformedRectangleError

#: Bytes given to zlib at once: what it cannot take yet it copies, every time that it is asked.
_CHUNK = 64 * 1024


def longest_deflated(size: int) -> int:
    """Return the most bytes that an honest server makes of `size` bytes, flushes included.

    With the fixed code a byte takes 9 bits at most; what is stored grows by less than 1 in 64.
    """
    return size + size // 8 + size // 64 + 1024


class Inflater:
    """One zlib stream, which outlives rectangles, updates and resizes.

    What a rectangle's data hold is read in pieces, so that nobody has to keep all of a screen
    inflated beside the screen itself::

        inflater.begin(data)
        piece = inflater.read(1000)
        inflater.end()
    """

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()
        self._data = memoryview(b"")
        self._read = 0  # bytes of what the data hold

    def begin(self, data: memoryview) -> None:
        """Take the next data of the stream; they must live until `end`.

        Raises:
            MalformedRectangleError: The stream has ended.
        """
        if self._stream.eof:
            raise MalformedRectangleError("the zlib stream had ended before")
        self._data, self._read = data, 0

    def read(self, at_most: int, at_least: int = 0) -> bytes:
        """Return what comes next, fewer bytes than `at_most` only at the end of the data.

        Raises:
            MalformedRectangleError: There are fewer than `at_least`, or it is no zlib stream.
        """
        pieces: list[bytes] = []
        missing = at_most
        while missing:
            piece = self._inflate(missing)
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        inflated = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if len(inflated) < at_least:
            expected = self._read + at_least
            raise MalformedRectangleError(
                f"it inflates to {self._read + len(inflated)} bytes instead of {expected} or more"
            )
        self._read += len(inflated)
        return inflated

    def end(self) -> None:
        """Make sure that nothing is left of the data.

        Raises:
            MalformedRectangleError: They hold more than was read, or the stream ends before them.
        """
        more = self._inflate(1)
        rest, self._data = self._data, memoryview(b"")
        if more:
            raise MalformedRectangleError(f"it inflates to more than {self._read} bytes")
        if rest:
            raise MalformedRectangleError("the zlib stream ends before its data")

    def inflate(self, data: memoryview, at_most: int, at_least: int = 0) -> bytes:
        """Return all that the next `data` of the stream hold.

        Raises:
            MalformedRectangleError: That is more than `at_most` bytes, or fewer than `at_least`;
                or it is no zlib stream.
        """
        self.begin(data)
        inflated = self.read(at_most, at_least)
        self.end()
        return inflated

    def _inflate(self, at_most: int) -> bytes:
        """Return 1 to `at_most` bytes, none at the end of the data."""
        while True:
            stream = self._stream
            if stream.eof:
                if not self._data:
                    return b""
                raise MalformedRectangleError("the zlib stream ends before its data")
            chunk = self._data[:_CHUNK]
            try:
                piece = stream.decompress(chunk, at_most)
            except zlib.error as exc:
                raise MalformedRectangleError(f"no zlib stream: {exc}") from exc
            left = len(stream.unconsumed_tail) + len(stream.unused_data)
            taken = len(chunk) - left
            self._data = self._data[taken:]
            if piece or not (taken or stream.eof):
                return piece
