from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.scoring import AverageScore, NegativeScore, Score

scores = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30)


@given(scores)
def test_rewards_add_up_to_the_difference(values: list[int]) -> None:
    rule = Score(allow_negative_rewards=True)
    rule.begin()
    assert sum(rule.reward(value, 0.0) for value in values) == values[-1] - values[0]
    against = NegativeScore(5)
    against.begin()
    assert sum(against.reward(value, 0.0) for value in values) == 5 - values[-1]


@given(scores)
def test_what_was_lost_is_not_earned_twice(values: list[int]) -> None:
    rule = Score(0)
    rule.begin()
    rewards = [rule.reward(value, 0.0) for value in values]
    assert min(rewards) >= 0
    assert sum(rewards) == max(0, *values)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 50)), min_size=2, max_size=20))
def test_an_average_is_that_over_time(spans: list[tuple[int, int]]) -> None:
    rule = AverageScore()
    for _ in range(2):  # the second episode does not know the first
        rule.begin()
        now, total = 100.0, 0.0
        for value, seconds in spans:
            total += rule.reward(value, now)
            now += seconds
        total += rule.reward(0, now)
        area = sum(value * seconds for value, seconds in spans)
        assert total == pytest.approx(area / (now - 100.0))


def test_the_first_score_is_worth_nothing_unless_the_beginning_is_known() -> None:
    assert Score().reward(500, 0.0) == 0
    assert Score(0).reward(500, 0.0) == 500
    assert NegativeScore().reward(500, 0.0) == 0
