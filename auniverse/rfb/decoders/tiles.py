"""Tiles as ZRLE and TRLE share them: raw, of one colour, of a palette, or run-length encoded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError

from .pixels import PACKED, RUN_WORK, TILE_WORK, windows

RAW = 0
#: A tile of one colour has a palette of one; these say how many bits an index takes.
LARGEST_PACKED_PALETTE = 16
LARGEST_PALETTE = 127
#: TRLE only: as the last palette, packed or in runs.
REUSED_PACKED = 127
PLAIN_RUNS = 128
REUSED_RUNS = 129

_LARGEST_TILE = 64 * 64
_LONGEST_TILE = 1 + PACKED * LARGEST_PALETTE + _LARGEST_TILE * (PACKED + 1)
#: Bytes of tiles that are held at once.
_PIECE = 128 * 1024


def packed_row(colours: int, width: int) -> tuple[int, int]:
    """Return how many bits an index of a packed palette takes, and how many bytes a row does."""
    bits = 1 if colours <= 2 else 2 if colours <= 4 else 4
    return bits, -(-width * bits // 8)


def check_reuse(colours: int, at_most: int) -> None:
    """Make sure that there is a palette to take over.

    Raises:
        MalformedRectangleError: There is none, or it has more than `at_most` colours.
    """
    if not 0 < colours <= at_most:
        raise MalformedRectangleError(f"reuses a palette of {colours}")


def reader_of(data: bytes | memoryview) -> Callable[[int], bytes]:
    """Return what reads the tiles that `data` are, for `Tiles`."""
    rest = memoryview(data)

    def read(at_most: int) -> bytes:
        nonlocal rest
        piece, rest = bytes(rest[:at_most]), rest[at_most:]
        return piece

    return read


class Tiles:
    """Reads tiles one after the other, and never holds many of them.

    Args:
        read: Returns what comes next, fewer bytes than it is asked for only at the end.
        at_most: No more bytes than this are what honest tiles take.
        reuse: Whether a tile may take over the last palette (RFC 6143 §7.7.5), as in TRLE.
    """

    def __init__(self, read: Callable[[int], bytes], at_most: int, *, reuse: bool = False) -> None:
        self._source = read
        self._piece = min(_PIECE, at_most + 1)
        self._data = read(self._piece)
        self._windows = windows(self._data)
        self._more = len(self._data) == self._piece
        self._position = 0  # where in the data the next tile begins
        self._runs = 0  # of the tile that was painted last
        self._reuse = reuse
        self._palette = self._windows[:0]

    def end(self) -> None:
        """Make sure that no bytes are left, as far as they are read.

        Raises:
            MalformedRectangleError: There are some.
        """
        left = len(self._data) - self._position
        if left:
            raise MalformedRectangleError(f"{left} bytes after its tiles")

    def paint(self, tile: NDArray[np.uint32]) -> int:
        """Paint the next tile; return the work that it was.

        Raises:
            MalformedRectangleError: It is of no known kind, ends early, or says too much.
        """
        self._refill()
        self._runs = 0
        kind = self._data[self._take(1)]
        if kind == RAW:
            tile[...] = self._colours(tile.size).reshape(tile.shape)
        elif kind == 1:
            tile[...] = self._colours(1)[0]
        elif kind == PLAIN_RUNS:
            tile[...] = self._plain_runs(tile.size).reshape(tile.shape)
        elif kind <= LARGEST_PACKED_PALETTE or (kind == REUSED_PACKED and self._reuse):
            palette = self._palette_of(kind, REUSED_PACKED, LARGEST_PACKED_PALETTE)
            tile[...] = self._packed(palette, *tile.shape)
        elif kind > REUSED_RUNS or (kind == REUSED_RUNS and self._reuse):
            palette = self._palette_of(kind - PLAIN_RUNS, 1, LARGEST_PALETTE)
            tile[...] = self._palette_runs(palette, tile.size).reshape(tile.shape)
        else:
            raise MalformedRectangleError(f"a tile of kind {kind}")
        return TILE_WORK + tile.size + RUN_WORK * self._runs

    def _refill(self) -> None:
        """Make sure that the next tile, if it is one, lies whole in the data."""
        if self._more and len(self._data) - self._position < _LONGEST_TILE:
            piece = self._source(self._piece)
            self._data = self._data[self._position :] + piece
            self._windows = windows(self._data)
            self._more = len(piece) == self._piece
            self._position = 0

    def _palette_of(self, count: int, reused: int, at_most: int) -> NDArray[np.uint32]:
        if count != reused:
            self._palette = self._colours(count)
        else:
            check_reuse(len(self._palette), at_most)
        return self._palette

    def _take(self, count: int) -> int:
        """Step over `count` bytes; return where they begin."""
        start = self._position
        if start + count > len(self._data):
            raise MalformedRectangleError("its tiles end early")
        self._position += count
        return start

    def _colours(self, count: int) -> NDArray[np.uint32]:
        start = self._take(PACKED * count)
        return self._windows[start : self._position : PACKED]

    def _packed(self, palette: NDArray[np.uint32], height: int, width: int) -> NDArray[np.uint32]:
        """Indices of 1, 2 or 4 bits; every row begins with a byte of its own."""
        bits, row = packed_row(len(palette), width)
        start = self._take(height * row)
        packed = np.frombuffer(self._data, np.uint8, height * row, start).reshape(height, row, 1)
        shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
        indices = (packed >> shifts & (1 << bits) - 1).reshape(height, -1)[:, :width]
        return _look_up(palette, indices)

    def _plain_runs(self, size: int) -> NDArray[np.uint32]:
        starts, lengths = [], []
        while size > 0:
            starts.append(self._take(PACKED))
            lengths.append(self._run_length())
            size -= lengths[-1]
        self._runs = len(lengths)
        return _repeat(self._windows[starts], lengths, size)

    def _palette_runs(self, palette: NDArray[np.uint32], size: int) -> NDArray[np.uint32]:
        indices, lengths = [], []
        while size > 0:
            index = self._data[self._take(1)]
            indices.append(index & 127)
            lengths.append(self._run_length() if index & 128 else 1)
            size -= lengths[-1]
        self._runs = len(lengths)
        return _repeat(_look_up(palette, np.array(indices)), lengths, size)

    def _run_length(self) -> int:
        """One more than the sum of bytes up to the first that is not 255."""
        length = 1
        while (more := self._data[self._take(1)]) == 255:
            length += 255
        return length + more


def _look_up(palette: NDArray[np.uint32], indices: NDArray[np.integer]) -> NDArray[np.uint32]:
    if indices.max(initial=0) >= len(palette):
        raise MalformedRectangleError(f"colour {indices.max()} of a palette of {len(palette)}")
    return palette.take(indices)


def _repeat(colours: NDArray[np.uint32], lengths: list[int], left: int) -> NDArray[np.uint32]:
    if left < 0:
        raise MalformedRectangleError(f"a run goes {-left} pixels past its tile")
    return np.repeat(colours, lengths)
