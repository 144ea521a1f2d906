from __future__ import annotations

import textwrap

import numpy as np
import pytest

from auniverse.errors import UsageError
from auniverse.runtimes import read_sections
from auniverse.scoring import read_scorer

from .painted import ART, picture

DIGITS = "digits:\n" + "".join(
    f'  "{symbol}": |\n{textwrap.indent(art, "    ")}\n' for symbol, art in ART.items()
)
WHERE = "region: 4 3 120 11\ncolor: 255 255 255\n"
OVER = "over:\n- {region: 0 17 10 3, color: 200 0 0}\n"


def test_a_scorer_reads_its_score_and_sees_the_end() -> None:
    scorer = read_scorer(read_sections(f"{WHERE}initial_score: 0\n{OVER}{DIGITS}", "game.yml"))
    for _ in range(2):
        scorer.begin()
        assert scorer.look(picture("5"), 0.0) == (5, False, 5, "")
        assert scorer.look(picture("5"), 1.0) == (0, False, 5, "")
        end = picture("25")
        end[17:, :10] = (210, 5, 5)
        assert scorer.look(end, 2.0) == (20, True, 25, "")


def test_the_time_outs() -> None:
    scorer = read_scorer(read_sections(f"{WHERE}unreadable: 3\nstale: 0\n{DIGITS}", "game.yml"))
    dark = np.zeros_like(picture("1"))
    assert [scorer.look(dark, now).over for now in (0.0, 2.9, 3.0)] == [False, False, True]
    assert not read_scorer(read_sections(OVER, "game.yml")).look(dark, 0.0).over
    alone = read_scorer(read_sections("stale: 10", "game.yml"))  # without a score
    assert [alone.look(dark, now).over for now in (0.0, 9.0, 10.0)] == [False, False, True]


def test_templates_can_be_drawn_larger() -> None:
    text = f"region: 8 6 240 22\ncolor: 255 255 255\nscale: 2\n{DIGITS}"
    shown = picture("77").repeat(2, axis=0).repeat(2, axis=1)
    assert read_scorer(read_sections(text, "game.yml")).look(shown, 0.0).score == 77


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (WHERE, "game.yml:1: digits make no reader: there is no template for 0, 1, 2"),
        (DIGITS, "region is missing"),
        (WHERE + 'digits:\n  "10": "#"', "game.yml:4: digits.10 is no symbol of a number"),
        (WHERE + 'digits:\n  "1": "#x"', "game.yml:4: digits.1 must be lines of # and ."),
        (WHERE + 'scale: 64\ndigits:\n  "1": "##"', "digits.1 is larger than 64 pixels"),
        (WHERE + "rule: guess\n" + DIGITS, "rule must be score or negative_score or average_score"),
        (WHERE + "stale: -1\n" + DIGITS, "stale must lie between 0 and"),
        (WHERE + "overlap: 0.1\n" + DIGITS, "overlap must lie between 0.5 and 1"),
        ("region: 0 0 9999 9999\ncolor: 0 0 0\n" + DIGITS, "too large to be compared"),
        ("over: 3", "game.yml:1: over must be a list"),
        ("rule: average_score\ninitial_score: 3", "initial_score is not a known key"),
        ("nonsense: 3", "game.yml:1: nonsense is not a known key"),
    ],
)
def test_wrong_settings_are_named(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_scorer(read_sections(text, "game.yml"))
