from __future__ import annotations

import random

import pytest

from auniverse.errors import UsageError
from auniverse.runtimes import read_sections
from auniverse.scoring.lines import LONGEST, Heard, LineScorer, read_line_scorer

SETTINGS = """\
score: "score: (-?[0-9.e]+)"
rules: {hit: 2, miss: -1}
over: game over
text: "Q: (.*)\\\\?"
"""


def scorer(text: str = SETTINGS) -> LineScorer:
    return read_line_scorer(read_sections(text, "test.yml"))


def test_lines_earn_what_the_settings_say() -> None:
    reader = scorer()
    assert reader.hear(b"score: 10\n") == Heard(0.0, False, 10.0, None)
    assert reader.hear(b"score: 12.5\nhit\n") == Heard(4.5, False, 12.5, None)
    assert reader.hear(b"hit and miss\nnothing\n") == Heard(1.0, False, 12.5, None)
    assert reader.hear(b"game over\n") == Heard(0.0, True, 12.5, None)
    reader.begin()
    assert reader.hear(b"score: 3\n") == Heard(0.0, False, 3.0, None)


def test_a_question_is_told_before_its_line_ends_and_once() -> None:
    reader = scorer()
    assert reader.hear(b"Q: what?").text == "what"
    assert reader.hear(b" ").text is None
    assert reader.hear(b"\nQ: what?").text == "what"


def test_the_colours_of_a_terminal_are_passed_over() -> None:
    assert scorer().hear(b"\x1b[1;31mh\x1b[0mit\x07\r\n").reward == 2.0


def test_what_is_no_number_is_no_score() -> None:
    reader = scorer()
    assert reader.hear(b"score: e\nscore: 1e999\nscore: 1\n") == Heard(0.0, False, 1.0, None)


@pytest.mark.parametrize("seed", range(5))
def test_any_shreds_earn_the_same(seed: int) -> None:
    draw = random.Random(seed)
    data = b"score: 1\nhit\nQ: 1+1?\nscore: 5\nmiss\xff\xfe\ngame over\n" * 3
    whole, shreds = scorer(), scorer()
    expected = whole.hear(data)
    cuts = sorted(draw.randrange(len(data)) for _ in range(20))
    heard = [
        shreds.hear(data[start:end])
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)
    ]
    assert sum(piece.reward for piece in heard) == expected.reward
    assert any(piece.over for piece in heard)
    assert heard[-1].score == expected.score


def test_a_line_without_end_costs_no_memory() -> None:
    reader = scorer()
    for _ in range(100):
        reader.hear(b"x" * LONGEST)
    assert len(reader._rest) <= LONGEST
    assert reader.hear(b"\nhit\n").reward == 2.0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("over: '('", r"test\.yml:1: over is no regular expression"),
        ("score: '[0-9]+'", r"test\.yml:1: score needs a \(group\)"),
        ("rules: {x: many}", r"test\.yml:1: rules\.x must be a number"),
        ("rules: {'(': 1}", r"test\.yml:1: rules\.\( is no regular expression"),
        ("other: 1", "needs score, rules, over or text"),
    ],
)
def test_settings_that_make_no_sense(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        scorer(text)
