"""Tight: JPEG, or filters and four zlib streams (encoding 7 of the IANA registry)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .inflate import Inflater, longest_deflated
from .jpeg import check_available, decode_jpeg, longest_jpeg
from .pixels import BAND, PACKED, bands, canvas, fill, windows

#: No rectangle may be wider.
WIDEST = 2048

#: Fewer bytes than this are sent as they are, and without a length.
SHORTEST_DEFLATED = 12

#: Of a diagonal of the gradient filter, besides that of its pixels; see `pixels`.
_DIAGONAL_WORK = 1024

_FILL = 8
_JPEG = 9
#: Basic compression without zlib, with and without an explicit filter. It may only be sent to who
#: asks for TIGHT_WITHOUT_ZLIB, but libvncserver sends it to whoever asks for compress level 0.
_PLAIN = (10, 14)
_EXPLICIT_FILTER = 4
_COPY, _PALETTE, _GRADIENT = range(3)


class _Layout(NamedTuple):
    """Where things are in a payload. If `length` is more than there is, only it counts."""

    length: int
    filter: int | None = None  # None: one colour fills it all, or it is JPEG
    colours: int = 0
    size: int = 0  # of the filtered pixels, inflated
    start: int = 0  # of the filtered pixels, deflated or not


class Tight:
    """Decodes Tight; its streams live until the server resets them."""

    def __init__(self, limits: Limits) -> None:
        self._inflaters = [Inflater() for _ in range(4)]

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, less as long as it cannot be told.

        Raises:
            UnsupportedEncodingError: It is JPEG, and that cannot be decoded here.
            MalformedRectangleError: It is impossibly wide or long, or of no known kind.
        """
        return _layout(data[offset:], rectangle).length

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Undo zlib and the filter, or JPEG, and paint it.

        Raises:
            MalformedRectangleError: It does not inflate to the rectangle's pixels, or has a
                colour that its palette has not.
        """
        layout = _layout(payload, rectangle)
        for stream in range(4):
            if payload[0] >> stream & 1:
                self._inflaters[stream] = Inflater()
        if payload[0] >> 4 == _JPEG:
            target = canvas(framebuffer, rectangle)
            if target.size:
                pixels = decode_jpeg(payload[layout.start :], *target.shape[::-1])
                target[...] = pixels.view(np.uint32)[..., 0]
            return
        if layout.filter is None:
            yield from fill(canvas(framebuffer, rectangle), windows(payload[1:4])[0])
            return
        palette = windows(payload[3 : 3 + PACKED * layout.colours])[::PACKED]
        row = _row_length(rectangle.width, layout.filter, layout.colours)
        above: NDArray[np.uint8] | None = None
        for band, filtered in self._bands(payload, layout, row, rectangle):
            if band.y > rectangle.y:
                yield BAND
            target = canvas(framebuffer, band)
            if layout.filter == _PALETTE:
                target[...] = _from_palette(palette, filtered, *target.shape)
            elif layout.filter == _GRADIENT:
                known = yield from _from_gradient(filtered, band.height, band.width, above)
                above = known[-1:].copy()
                target[...] = _packed_pixels(known.tobytes(), *target.shape)
            else:
                target[...] = _packed_pixels(filtered, *target.shape)

    def _bands(
        self, payload: memoryview, layout: _Layout, row: int, rectangle: Rectangle
    ) -> Iterator[tuple[Rectangle, bytes | memoryview]]:
        """Yield the rectangle band by band, each with its filtered pixels."""
        if payload[0] >> 4 in _PLAIN or layout.size < SHORTEST_DEFLATED:
            rest = payload[layout.start :]
            for band in bands(rectangle):
                yield band, rest[: row * band.height]
                rest = rest[row * band.height :]
            return
        inflater = self._inflaters[payload[0] >> 4 & 3]
        inflater.begin(payload[layout.start :])
        for band in bands(rectangle):
            yield band, inflater.read(row * band.height, row * band.height)
        inflater.end()


def _layout(data: memoryview, rectangle: Rectangle) -> _Layout:
    if rectangle.width > WIDEST:
        raise MalformedRectangleError(f"wider than {WIDEST} pixels")
    if not data:
        return _Layout(1)
    kind = data[0] >> 4
    if kind == _FILL:
        return _Layout(1 + PACKED)
    if kind == _JPEG:
        check_available()
        longest = longest_jpeg(rectangle.width * rectangle.height)
        return _with_length(data, _Layout(0, start=1), longest)
    if kind > _JPEG and kind not in _PLAIN:
        raise MalformedRectangleError(f"a compression of kind {kind}")
    start, name, colours = 1, _COPY, 0
    if kind & _EXPLICIT_FILTER:
        if len(data) < 2:
            return _Layout(2)
        start, name = 2, data[1]
        if name == _PALETTE:
            if len(data) < 3:
                return _Layout(3)
            colours = data[2] + 1
            start = 3 + PACKED * colours
    row = _row_length(rectangle.width, name, colours)
    return _with_pixels(data, _Layout(0, name, colours, row * rectangle.height, start))


def _row_length(width: int, name: int, colours: int) -> int:
    if name in (_COPY, _GRADIENT):
        return width * PACKED
    if name == _PALETTE:
        return -(-width // 8) if colours <= 2 else width
    raise MalformedRectangleError(f"a filter of kind {name}")


def _with_pixels(data: memoryview, layout: _Layout) -> _Layout:
    """Fill in the length, and where the pixels start if a compact length lies before them."""
    start, size = layout.start, layout.size
    if size < SHORTEST_DEFLATED:
        return layout._replace(length=start + size)
    if data[0] >> 4 not in _PLAIN:
        return _with_length(data, layout, longest_deflated(size))
    layout = _with_length(data, layout, size)
    if layout.start > start and layout.length - layout.start < size:
        raise MalformedRectangleError(f"{layout.length - layout.start} bytes instead of {size}")
    return layout


def _with_length(data: memoryview, layout: _Layout, longest: int) -> _Layout:
    """Read the compact length at `start`: 7 bits a byte, the third byte has 8."""
    start, length = layout.start, 0
    for shift in (0, 7, 14):
        if len(data) <= start:
            return layout._replace(length=start + 1)
        byte = data[start]
        start += 1
        length |= (byte if shift == 14 else byte & 127) << shift
        if byte < 128:
            break
    if length > longest:
        what = f"deflated bytes for {layout.size}" if layout.size else "bytes of JPEG"
        raise MalformedRectangleError(f"{length} {what}")
    return layout._replace(length=start + length, start=start)


def _packed_pixels(packed: bytes | memoryview, height: int, width: int) -> NDArray[np.uint32]:
    return windows(packed)[::PACKED].reshape(height, width)


def _from_palette(
    palette: NDArray[np.uint32], indices: bytes | memoryview, height: int, width: int
) -> NDArray[np.uint32]:
    """Indices of one byte, or of one bit if two colours will do; rows begin with a byte."""
    row = _row_length(width, _PALETTE, len(palette))
    index = np.frombuffer(indices, np.uint8).reshape(height, row)
    if len(palette) <= 2:
        index = np.unpackbits(index, axis=1, count=width)
    if index.max(initial=0) >= len(palette):
        raise MalformedRectangleError(f"colour {index.max()} of a palette of {len(palette)}")
    return palette.take(index)


def _from_gradient(
    differences: bytes | memoryview, height: int, width: int, above: NDArray[np.uint8] | None
) -> Generator[int, None, NDArray[np.uint8]]:
    """Add to every difference what its neighbours predict: left + above - above left, 0 to 255.

    All pixels of one diagonal depend on earlier diagonals only, so they are done at once. Yields as
    `Painter.paint` does.

    Args:
        differences: Three bytes for each pixel.
        height: Rows.
        width: Columns.
        above: The row above, uint8 (1, width, 3); black if None.
    """
    difference = np.frombuffer(differences, np.uint8).reshape(height, width, PACKED)
    known = np.zeros((height + 1, width + 1, PACKED), np.int16)  # black beyond the left and top
    if above is not None:
        known[0, 1:] = above
    for diagonal in range(height + width - 1):
        y = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        x = diagonal - y
        predicted = known[y + 1, x] + known[y, x + 1] - known[y, x]
        known[y + 1, x + 1] = difference[y, x] + predicted.clip(0, 255) & 255
        yield _DIAGONAL_WORK + PACKED * len(x)
    return known[1:, 1:].astype(np.uint8)
