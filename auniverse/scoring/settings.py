"""A scorer out of its YAML settings."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from auniverse.runtimes import Section

from .digits import SYMBOLS, Bitmap, Digits, read_bitmap
from .judge import Judge, Patience
from .marks import Mark, read_mark, read_paint, read_region
from .rules import AverageScore, NegativeScore, Rule, Score
from .screen import ScreenScorer

#: The longest side of a template, in pixels.
TEMPLATE_SIDE = 64
_FOREVER = 10.0**9


def read_scorer(section: Section) -> ScreenScorer:
    """Read `region` and what belongs to it, `over`, and what `read_judge` reads.

    Raises:
        UsageError: Something is missing or makes no sense; the message names file, line and key.
    """
    digits = _read_digits(section) if "digits" in section or "region" in section else None
    scorer = ScreenScorer(
        read_judge(section, scored=digits is not None), digits, read_marks(section, "over")
    )
    section.finish()
    return scorer


def read_judge(section: Section, *, scored: bool = True) -> Judge:
    """Read `rule` and what belongs to it, and the time-outs in seconds, of which 0 means never.

    Args:
        section: Where; other keys may stand in it.
        scored: Whether there is a score at all; if not, none is waited for.

    Raises:
        UsageError: As `read_scorer`.
    """
    rule = section.choice("rule", tuple(_RULES)) if "rule" in section else "score"
    default = Patience()
    unreadable = _read_seconds(section, "unreadable", default.unreadable)
    patience = Patience(
        stale=_read_seconds(section, "stale", default.stale),
        unreadable=unreadable if scored else inf,
        barren=_read_seconds(section, "barren", 0.0),
        limit=_read_seconds(section, "limit", 0.0),
    )
    max_delta = section.number("max_delta", 0, _FOREVER, _FOREVER)
    return Judge(_RULES[rule](section), patience, max_delta)


def read_marks(section: Section, key: str) -> tuple[Mark, ...]:
    """Read a list of marks; a missing one is empty."""
    return tuple(map(read_mark, section.items(key))) if key in section else ()


def _read_seconds(section: Section, key: str, default: float) -> float:
    return section.number(key, 0, _FOREVER, default) or inf


def _read_digits(section: Section) -> Digits:
    templates = {}
    scale = int(section.number("scale", 1, TEMPLATE_SIDE, 1))
    table = section.section("digits")
    for symbol, text in table.texts():
        if len(symbol) != 1 or symbol not in SYMBOLS:
            table.refuse(f"is no symbol of a number; those are {SYMBOLS}", symbol)
        templates[symbol] = _read_template(table, symbol, text, scale)
    try:
        return Digits(
            read_region(section),
            read_paint(section),
            templates,
            overlap=section.number("overlap", 0.5, 1.0, 0.8),
            spacing=int(section.number("spacing", 0, 1024, 16)),
            stray=section.number("stray", 0.0, 1.0, 0.1),
        )
    except ValueError as error:
        if type(error) is not ValueError:  # it says where already
            raise
        section.refuse(f"make no reader: {error}", "digits")


def _read_template(table: Section, symbol: str, text: str, scale: int) -> Bitmap:
    try:
        bitmap = read_bitmap(text).repeat(scale, axis=0).repeat(scale, axis=1)
    except ValueError as error:
        table.refuse(str(error), symbol)
    if max(bitmap.shape) > TEMPLATE_SIDE:
        table.refuse(f"is larger than {TEMPLATE_SIDE} pixels", symbol)
    return bitmap


def _read_score(section: Section) -> Score:
    return Score(
        _read_initial(section),
        allow_negative_rewards=section.truth("allow_negative_rewards", False),
    )


def _read_negative(section: Section) -> NegativeScore:
    return NegativeScore(_read_initial(section))


def _read_initial(section: Section) -> float | None:
    if "initial_score" not in section:
        return None
    return section.number("initial_score", -_FOREVER, _FOREVER)


_RULES: dict[str, Callable[[Section], Rule]] = {
    "score": _read_score,
    "negative_score": _read_negative,
    "average_score": lambda section: AverageScore(),
}
