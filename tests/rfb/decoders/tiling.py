"""A small encoder of tiles, for ZRLE and TRLE, and what to encode with it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

# One function a kind of tile, from a list of rows of colours (3 bytes each).

Tile = list[list[bytes]]
Encode = Callable[[Tile], bytes]


def flat(tile: Tile) -> list[bytes]:
    return [colour for row in tile for colour in row]


def palette_of(tile: Tile) -> list[bytes]:
    return list(dict.fromkeys(flat(tile)))


def runs(colours: list[bytes]) -> list[tuple[bytes, int]]:
    return [(colour, len(list(run))) for colour, run in groupby(colours)]


def run_length(length: int) -> bytes:
    return b"\xff" * ((length - 1) // 255) + bytes([(length - 1) % 255])


def raw(tile: Tile) -> bytes:
    return b"\0" + b"".join(flat(tile))


def solid(tile: Tile) -> bytes:
    (colour,) = palette_of(tile)
    return b"\1" + colour


def packed(tile: Tile) -> bytes:
    palette = palette_of(tile)
    bits = {2: 1, 3: 2, 4: 2}.get(len(palette), 4)
    out = bytes([len(palette)]) + b"".join(palette)
    for row in tile:
        digits = "".join(f"{palette.index(colour):0{bits}b}" for colour in row)
        digits += "0" * (-len(digits) % 8)
        out += int(digits, 2).to_bytes(len(digits) // 8, "big")
    return out


def plain_runs(tile: Tile) -> bytes:
    return b"\x80" + b"".join(colour + run_length(n) for colour, n in runs(flat(tile)))


def palette_runs(tile: Tile) -> bytes:
    palette = palette_of(tile)
    out = bytes([128 + len(palette)]) + b"".join(palette)
    for colour, n in runs(flat(tile)):
        index = palette.index(colour)
        out += bytes([index]) if n == 1 else bytes([128 + index]) + run_length(n)
    return out


def tiles(pixels: NDArray[np.uint8], encode: Encode, side: int = 64) -> bytes:
    height, width, _ = pixels.shape
    out = b""
    for y in range(0, height, side):
        for x in range(0, width, side):
            part = pixels[y : y + side, x : x + side, :3]
            out += encode([[colour.tobytes() for colour in row] for row in part])
    return out


CASES = [
    *[(raw, size, 0) for size in ((1, 1), (5, 3), (64, 64), (65, 130))],
    *[(solid, size, 1) for size in ((1, 1), (5, 3), (65, 65))],
    *[(packed, (13, 11), colours) for colours in (2, 3, 4, 5, 15, 16)],
    *[(packed, (8, 1), colours) for colours in (2, 4, 5)],
    (packed, (70, 66), 2),
    *[(plain_runs, (13, 11), colours) for colours in (0, 1, 2, 40)],
    *[(plain_runs, size, 1) for size in ((1, 1), (255, 1), (64, 4), (64, 8), (70, 70))],
    *[(palette_runs, (13, 11), colours) for colours in (2, 3, 100, 127)],
    *[(palette_runs, (64, 64), colours) for colours in (2, 127)],
]
