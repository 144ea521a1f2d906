"""Arithmetic on boxes: what a viewer asked for, minus what it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .types import Box, bounding_box


def area(boxes: Iterable[Box]) -> int:
    """Return the sum of the boxes' areas in pixels; overlaps count twice."""
    return sum(box.width * box.height for box in boxes)


def intersect(one: Box, other: Box) -> Box | None:
    """Return what both boxes cover, None if that is nothing."""
    left, top = max(one.x, other.x), max(one.y, other.y)
    right = min(one.x + one.width, other.x + other.width)
    bottom = min(one.y + one.height, other.y + other.height)
    return Box(left, top, right - left, bottom - top) if left < right and top < bottom else None


def subtract(box: Box, hole: Box) -> list[Box]:
    """Return `box` without `hole`: at most four boxes, above, left, right and below of it."""
    gone = intersect(box, hole)
    if gone is None:
        return [box]
    parts = (
        Box(box.x, box.y, box.width, gone.y - box.y),
        Box(box.x, gone.y, gone.x - box.x, gone.height),
        Box(gone.x + gone.width, gone.y, box.x + box.width - gone.x - gone.width, gone.height),
        Box(box.x, gone.y + gone.height, box.width, box.y + box.height - gone.y - gone.height),
    )
    return [part for part in parts if part.width and part.height]


def disjoint(boxes: Iterable[Box], *, limit: int = 256) -> list[Box]:
    """Cover `boxes` with boxes that do not overlap.

    The largest stay whole and the others lose what those cover. One box around all of them takes
    their place where it costs little (a quarter more pixels) or where they are more than `limit`.
    """
    sources = sorted(boxes, key=lambda box: box.width * box.height, reverse=True)
    if len(sources) < 2:
        return sources
    hull = bounding_box(sources)
    kept: list[Box] = []
    for source in sources:
        pieces = [source]
        for other in kept:
            pieces = [part for piece in pieces for part in subtract(piece, other)]
        kept += pieces
        if len(kept) > limit:
            return [hull]
    return [hull] if 4 * area([hull]) <= 5 * area(kept) else kept


def bands(box: Box, pixels: int = 64 * 1024) -> Iterator[Box]:
    """Cut `box` into bands of at most `pixels` (or one row), from top to bottom.

    Bands of more than 64 rows have a multiple of 64, so that they end where a ZRLE tile ends.
    """
    rows = max(1, pixels // box.width)
    if rows > 64:
        rows -= rows % 64
    for y in range(0, box.height, rows):
        yield Box(box.x, box.y + y, box.width, min(rows, box.height - y))
