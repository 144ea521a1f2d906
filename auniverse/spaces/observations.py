"""Observation spaces: a screen, and the text that goes with it."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Text
from gymnasium.vector.utils import batch_space

#: The longest text of an observation, in characters.
TEXT_LENGTH = 4096

_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
#: Blocks of Unicode whose printable characters texts are made of, first and last code point.
_BLOCKS = (
    (0x0020, 0x024F),  # Latin
    (0x0370, 0x052F),  # Greek, Cyrillic
    (0x2010, 0x2044),  # punctuation
    (0x20A0, 0x20BF),  # currency
    (0x2100, 0x2311),  # letter-like, numbers, arrows, mathematics
    (0x2500, 0x27BF),  # boxes, shapes, symbols
)
#: The characters of a text; a `gymnasium.spaces.Text` has to know each of them.
CHARACTERS = (
    "\t\n"
    + "".join(
        character
        for first, last in _BLOCKS
        for character in map(chr, range(first, last + 1))
        if character.isprintable()
    )
    + _UNKNOWN
)
_CHARACTER_SET = frozenset(CHARACTERS)


def clean_text(text: str) -> str:
    r"""Make a remote's text an element of `text_space`.

    Line ends become "\n", any other character that is not in `CHARACTERS` becomes U+FFFD, and
    what exceeds `TEXT_LENGTH` is cut off. (`info["text"]` has it as it came.)
    """
    lines = text[: 2 * TEXT_LENGTH].replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        character if character in _CHARACTER_SET else _UNKNOWN for character in lines[:TEXT_LENGTH]
    )


def text_space() -> Text:
    """Return the space of cleaned texts: 0 to `TEXT_LENGTH` of `CHARACTERS`."""
    return Text(TEXT_LENGTH, min_length=0, charset=CHARACTERS)


def screen_space(shape: tuple[int, ...], n: int | None = None) -> Box:
    """Return the space of screens: uint8 of that shape, such as (height, width, 3), or n of them.

    It equals `Box(0, 255, shape, np.uint8)`, and what `batch_space` makes of it, but its bounds are
    one byte in memory each, where those hold four whole arrays of the space's shape.
    """
    shape = shape if n is None else (n, *shape)
    space = Box(0, 255, (1,) * len(shape), np.uint8)
    space._shape = shape
    for bound in ("low", "high", "bounded_below", "bounded_above"):
        setattr(space, bound, np.broadcast_to(getattr(space, bound), shape))
    return space


def observation_space(
    shape: tuple[int, ...], *, text: bool, n: int | None = None
) -> gymnasium.Space[Any]:
    """Return the space of observations.

    Args:
        shape: Of what is seen of the screen, such as (height, width, 3).
        text: Whether the task's text is part of it.
        n: Make it a batch of so many; None: a single one.

    Returns:
        A `Box` for the screen; with text `Dict(screen=Box, text=Text)`. In a batch the texts are
        a tuple, as `gymnasium.vector.utils.batch_space` has it.
    """
    screen = screen_space(shape, n)
    if not text:
        return screen
    texts: gymnasium.Space[Any] = text_space()
    return Dict({"screen": screen, "text": texts if n is None else batch_space(texts, n)})
