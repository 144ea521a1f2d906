"""Pictures that show numbers, in the font of our own games."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auniverse.scoring.digits import Digits, read_bitmap
from auniverse.scoring.marks import Paint, Region

GAMES = Path(__file__).parents[2] / "auniverse" / "host" / "flashgames"
_FONT = re.findall(r'"([.#]{35})"', (GAMES / "src" / "Cabinet.hx").read_text())
ART = {
    str(digit): "\n".join(pixels[row : row + 5] for row in range(0, 35, 5))
    for digit, pixels in enumerate(_FONT)
}
ART["-"] = "\n".join(["....."] * 3 + ["#####"] + ["....."] * 3)
BITMAPS = {symbol: read_bitmap(art) for symbol, art in ART.items()}
WHITE = Paint(255, 255, 255, 60)
REGION = Region(4, 3, 120, 11)


def picture(text: str, *, x: int = 6, y: int = 5) -> NDArray[np.uint8]:
    """A dark picture with a text in white, symbols one column apart."""
    shown = np.full((20, 130, 3), 16, np.uint8)
    for place, symbol in enumerate(text):
        left = x + 6 * place
        shown[y : y + 7, left : left + 5][BITMAPS[symbol]] = 255
    return shown


def reader(**options: float) -> Digits:
    return Digits(REGION, WHITE, BITMAPS, **options)
