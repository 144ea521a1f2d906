from __future__ import annotations

from auniverse.scoring import Judge, Patience, Score, Scorer, ScreenScorer, Sight


def test_a_sight_without_a_reason_is_no_time_out() -> None:
    assert Sight(1.0, True, 5.0).reason == ""


def test_what_reads_the_screen_is_a_scorer() -> None:
    scorer: Scorer = ScreenScorer(Judge(Score(), Patience()), None)
    scorer.begin()
