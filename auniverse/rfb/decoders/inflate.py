"""Inflating what a stranger has deflated."""

from __future__ import annotations

import zlib

from auniverse.errors import MalformedRectangleError


def longest_deflated(size: int) -> int:
    """Return the most bytes that an honest server makes of `size` bytes, flushes included."""
    return size + size // 4 + 1024


class Inflater:
    """One zlib stream, which outlives rectangles, updates and resizes."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()

    def inflate(self, data: memoryview, at_most: int, at_least: int = 0) -> bytes:
        """Return what the next `data` of the stream holds.

        Raises:
            MalformedRectangleError: It holds more than `at_most` bytes, fewer than `at_least`, or
                is no zlib stream.
        """
        if self._stream.eof:
            raise MalformedRectangleError("the zlib stream had ended before")
        # Room for one byte more, so that the limit never leaves anything behind unseen (and 0
        # would mean no limit).
        try:
            inflated = self._stream.decompress(data, at_most + 1)
        except zlib.error as exc:
            raise MalformedRectangleError(f"no zlib stream: {exc}") from exc
        if len(inflated) > at_most:
            raise MalformedRectangleError(f"it inflates to more than {at_most} bytes")
        if len(inflated) < at_least:
            raise MalformedRectangleError(
                f"it inflates to {len(inflated)} bytes instead of {at_least}"
            )
        if self._stream.unused_data:
            raise MalformedRectangleError("the zlib stream ends before its data")
        return inflated
