from __future__ import annotations

import pytest

from auniverse.scoring import Judge, Patience, Score


def judge(**patience: float) -> Judge:
    return Judge(Score(0), Patience(**patience), max_delta=100)


@pytest.mark.parametrize(
    ("patience", "scores", "changed", "ended_at", "why"),
    [
        ({"stale": 5}, [1] * 20, False, 5, "nothing has changed"),
        ({"unreadable": 7}, [None] * 20, True, 7, "no score"),
        ({"barren": 3}, [0, 1, 1, 1, 1, 1], True, 4, "no reward"),
        ({"limit": 9}, list(range(20)), True, 9, "lasted"),
    ],
)
def test_an_episode_is_given_up(
    patience: dict[str, float],
    scores: list[float | None],
    changed: bool,
    ended_at: int,
    why: str,
) -> None:
    watched = judge(**patience)
    for _ in range(2):
        watched.begin()
        for now, score in enumerate(scores):
            sight = watched.judge(score, False, 1000.0 + now, changed=changed)
            assert sight.over == (now >= ended_at)
            if sight.over:
                assert why in sight.reason
                break


def test_the_defaults_are_those_of_universe() -> None:
    assert (Patience().stale, Patience().unreadable) == (100, 70)


def test_the_end_is_no_time_out_and_keeps_its_reward() -> None:
    sight = judge(limit=1).judge(50, True, 99.0, changed=True)
    assert sight == (50, True, 50, "")


def test_a_leap_was_misread() -> None:
    watched = judge()
    assert watched.judge(50, False, 0.0, changed=True).reward == 50
    assert watched.judge(950, False, 1.0, changed=True) == (0, False, None, "")
    assert watched.judge(60, False, 2.0, changed=True).reward == 10
