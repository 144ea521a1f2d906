"""Streams of updates, made at random: every encoding, by encoders as small as they can be."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb.encoders import ZRLE as ZRLEEncoder
from auniverse.rfb.encoders import Zlib as ZlibEncoder
from auniverse.rfb.types import FRAME_LAYOUT, RGBX

from ..decoders.test_tight import Encoder as TightEncoder
from ..decoders.test_zrle import zrle
from ..decoders.tiling import packed, palette_runs, plain_runs, raw, solid
from ..wire import CURSOR, DESKTOP_SIZE, FRAME, LAST_RECT, picture, rectangle, update

Pixels = NDArray[np.uint8]

RRE, CORRE, HEXTILE, TRLE = 2, 4, 5, 15
POINTER_POSITION, X_CURSOR, ALPHA_CURSOR = -232, -240, -314


def colours_of(pixels: Pixels) -> list[bytes]:
    return [colour.tobytes() for row in pixels for colour in row]


def spans(pixels: Pixels) -> list[tuple[int, int, int, bytes]]:
    """Runs of one colour within a row: x, y, width, colour."""
    found = []
    for y, row in enumerate(pixels):
        x = 0
        for colour, run in groupby(pixel.tobytes() for pixel in row):
            width = len(list(run))
            found.append((x, y, width, colour))
            x += width
    return found


def rre(pixels: Pixels, layout: str = ">HHHH") -> bytes:
    """RRE, or with the layout of four bytes CoRRE: every run in a row is a subrectangle."""
    background = colours_of(pixels)[0] if pixels.size else bytes(4)
    pieces = [
        colour + struct.pack(layout, x, y, width, 1)
        for x, y, width, colour in spans(pixels)
        if colour != background
    ]
    return struct.pack(">I", len(pieces)) + background + b"".join(pieces)


def corre(pixels: Pixels) -> bytes:
    return rre(pixels, ">BBBB")


def tiles_of(pixels: Pixels, side: int = 16) -> list[Pixels]:
    height, width, _ = pixels.shape
    corners = [(x, y) for y in range(0, height, side) for x in range(0, width, side)]
    return [pixels[y : y + side, x : x + side] for x, y in corners]


class Hextile:
    """Says what it can leave out by leaving it out, as servers do."""

    def __init__(self) -> None:
        self.background = self.foreground = b""

    def tile(self, pixels: Pixels) -> bytes:
        colours = list(dict.fromkeys(colours_of(pixels)))
        pieces = [span for span in spans(pixels) if span[3] != colours[0]]
        places = [bytes([x << 4 | y, width - 1 << 4]) for x, y, width, _ in pieces]
        if len(pieces) > 40:
            return b"\1" + pixels.tobytes()
        flags, head = 0, b""
        if colours[0] != self.background:
            self.background = colours[0]
            flags, head = 2, self.background
        if not pieces:
            return bytes([flags]) + head
        if len(colours) > 2:
            body = b"".join(span[3] + place for span, place in zip(pieces, places, strict=True))
            return bytes([flags | 8 | 16]) + head + bytes([len(pieces)]) + body
        if colours[1] != self.foreground:
            self.foreground = colours[1]
            flags |= 4
            head += self.foreground
        return bytes([flags | 8]) + head + bytes([len(pieces)]) + b"".join(places)


def hextile(pixels: Pixels) -> bytes:
    encoder = Hextile()
    return b"".join(map(encoder.tile, tiles_of(pixels)))


def trle(pixels: Pixels, chance: random.Random | None = None) -> bytes:
    """Each tile in one of the ways that its colours allow; the last palette again if it will do."""
    chance = chance or random.Random(0)
    out, palette = b"", []
    for part in tiles_of(pixels[..., :3]):
        tile = [[colour.tobytes() for colour in row] for row in part]
        colours = list(dict.fromkeys(colour for row in tile for colour in row))
        ways: list[Callable[[list[list[bytes]]], bytes]] = [raw, plain_runs]
        if len(colours) == 1:
            ways.append(solid)
        if 2 <= len(colours) <= 16:
            ways.append(packed)
        if 2 <= len(colours) <= 127:
            ways.append(palette_runs)
        way = chance.choice(ways)
        encoded = way(tile)
        if way in (packed, palette_runs):
            same = colours == palette
            palette = colours
            if same:
                kind = 127 if way is packed else 129
                encoded = bytes([kind]) + encoded[1 + 3 * len(colours) :]
        out += encoded
    return out


class Server:
    """Sends one random update after the other."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        self.width, self.height = width, height
        self.chance = random.Random(seed)
        self.tight, self.zlib, self.zrle = TightEncoder(), ZlibEncoder(), ZRLEEncoder()
        self.raw_zrle = zlib.compressobj()

    def updates(self, count: int) -> bytes:
        return b"".join(self.update() for _ in range(count))

    def update(self) -> bytes:
        rectangles = [self.rectangle() for _ in range(self.chance.randrange(6))]
        if self.chance.random() < 0.3:
            frame = FRAME_LAYOUT.pack(self.chance.randrange(1 << 64), 1.5, 3, 2.5)
            rectangles.append(rectangle(0, 0, 0, 0, FRAME, frame))
        if self.chance.random() < 0.2:
            last = rectangle(0, 0, 0, 0, LAST_RECT)
            return update(*rectangles, last, count=0xFFFF)
        return update(*rectangles)

    def rectangle(self) -> bytes:
        chance = self.chance
        if chance.random() < 0.1:
            return self.pseudo()
        width, height = (1 + chance.randrange(size) for size in (self.width, self.height))
        x, y = chance.randrange(self.width - width + 1), chance.randrange(self.height - height + 1)
        colours = min(chance.choice((0, 1, 2, 3, 9, 60)), width * height)
        pixels = picture(width, height, colours, chance.randrange(1000))
        encoding, encode = chance.choice(self.ENCODINGS)
        if encoding == CORRE:
            width, height = min(width, 255), min(height, 255)
            pixels = pixels[:height, :width]
        return rectangle(x, y, width, height, encoding, encode(self, pixels))

    def pseudo(self) -> bytes:
        chance = self.chance
        if chance.random() < 0.7:
            return self.pointer()
        self.width, self.height = 1 + chance.randrange(80), 1 + chance.randrange(80)
        return rectangle(0, 0, self.width, self.height, DESKTOP_SIZE)

    def pointer(self) -> bytes:
        """Its shape in each of the ways there are, or its place, now and then off the screen."""
        chance = self.chance
        x, y, width, height = (chance.randrange(20) for _ in range(4))
        bits = -(-width // 8) * height
        encoding, size = chance.choice(
            (
                (CURSOR, 4 * width * height + bits),
                (X_CURSOR, 6 + 2 * bits if width * height else 0),
                (ALPHA_CURSOR, 4 * width * height),
                (POINTER_POSITION, 0),
            )
        )
        if encoding == POINTER_POSITION:
            return rectangle(x * y, y, 0, 0, encoding)
        raw = bytes(4) if encoding == ALPHA_CURSOR else b""
        return rectangle(x, y, width, height, encoding, raw + chance.randbytes(size))

    def copy(self, pixels: Pixels) -> bytes:
        height, width, _ = pixels.shape
        x = self.chance.randrange(self.width - width + 1)
        return struct.pack(">HH", x, self.chance.randrange(self.height - height + 1))

    def tight_palette(self, pixels: Pixels) -> bytes:
        if len(set(colours_of(pixels))) > 256:
            return self.tight.copy(pixels, 3)
        return self.tight.palette(pixels)

    ENCODINGS: tuple[tuple[int, Callable[[Server, Pixels], bytes]], ...] = (
        (0, lambda self, pixels: pixels.tobytes()),
        (1, copy),
        (6, lambda self, pixels: bytes(self.zlib.encode(pixels, RGBX))),
        (7, lambda self, pixels: b"\x80abc"),
        (7, lambda self, pixels: self.tight.copy(pixels)),
        (7, lambda self, pixels: self.tight.gradient(pixels)),
        (7, tight_palette),
        (16, lambda self, pixels: bytes(self.zrle.encode(pixels, RGBX))),
    )


__all__ = ["Server", "corre", "hextile", "rre", "trle", "zrle"]
