from __future__ import annotations

import numpy as np
import pytest

from auniverse.errors import MalformedRectangleError
from auniverse.rfb.decoders.tiles import Tiles, packed_row, reader_of

from ..wire import picture
from .tiling import CASES, Encode, tiles

PALETTE = b"\2" + b"abcdef"


def reading(data: bytes, *, reuse: bool = False) -> Tiles:
    return Tiles(reader_of(data), len(data), reuse=reuse)


@pytest.mark.parametrize(("encode", "size", "colours"), CASES)
def test_tiles_one_after_the_other(encode: Encode, size: tuple[int, int], colours: int) -> None:
    width, height = min(size[0], 64), min(size[1], 64)
    pixels = picture(width, height, colours)
    reader = reading(tiles(pixels, encode) * 2)
    for _ in range(2):
        target = np.zeros((height, width), np.uint32)
        reader.paint(target)
        assert (target.view(np.uint8).reshape(height, width, 4)[..., :3] == pixels[..., :3]).all()


def test_a_palette_is_reused_where_that_is_allowed() -> None:
    data = PALETTE + b"\x80" + b"\1xyz" + b"\x7f\x40" + b"\x81\1\0"
    reader, tile = reading(data, reuse=True), np.zeros((1, 2), np.uint32)
    seen = []
    for _ in range(4):
        reader.paint(tile)
        seen.append(tile.view(np.uint8).reshape(2, 4)[:, :3].tobytes())
    assert seen == [b"defabc", b"xyzxyz", b"abcdef", b"defabc"]


@pytest.mark.parametrize("kind", [127, 129])
@pytest.mark.parametrize("reuse", [True, False])
def test_what_cannot_be_reused(kind: int, reuse: bool) -> None:
    text = "reuses a palette of 0" if reuse else f"kind {kind}"
    with pytest.raises(MalformedRectangleError, match=text):
        reading(bytes([kind, 0, 0]), reuse=reuse).paint(np.zeros((1, 1), np.uint32))


def test_a_palette_that_is_too_large_for_packing_is_not_packed() -> None:
    reader = reading(bytes([128 + 17]) + bytes(51) + b"\0" + b"\x7f" + bytes(9), reuse=True)
    tile = np.zeros((1, 1), np.uint32)
    reader.paint(tile)
    with pytest.raises(MalformedRectangleError, match="reuses a palette of 17"):
        reader.paint(tile)


def test_how_long_a_row_of_indices_is() -> None:
    assert [packed_row(n, 9) for n in (2, 3, 4, 5, 16)] == [
        *((1, 2), (2, 3), (2, 3), (4, 5), (4, 5)),
    ]


def test_more_tiles_than_are_held_at_once() -> None:
    asked: list[int] = []
    read = reader_of(b"\1abc" * 600_000 + b"x")

    def count(at_most: int) -> bytes:
        asked.append(at_most)
        return read(at_most)

    reader, tile = Tiles(count, 10**9), np.zeros((1, 1), np.uint32)
    for _ in range(600_000):
        reader.paint(tile)
    assert asked == [1 << 17] * 19
    with pytest.raises(MalformedRectangleError, match="1 bytes after"):
        reader.end()
