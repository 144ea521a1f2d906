from __future__ import annotations

from auniverse.scoring import Judge, Patience, Score, ScreenScorer

from .painted import picture, reader


def test_a_picture_that_is_drawn_over_has_changed() -> None:
    scorer = ScreenScorer(Judge(Score(), Patience(stale=5)), reader())
    shown = picture("1")
    assert not scorer.look(shown, 0.0).over
    shown[:] = picture("2")  # the lookout's own array
    assert scorer.look(shown, 4.0) == (1, False, 2, "")
    assert not scorer.look(shown, 8.0).over
    assert scorer.look(shown, 9.0).over
