from __future__ import annotations

from auniverse.scoring import Agreement, Sight

PLAYING = Sight(1.0, False, 7.0)
OVER = Sight(2.0, True, 9.0)


def test_an_end_waits_until_the_other_source_has_told_its_last_points() -> None:
    """What a busy machine does: the end is seen before the browser has passed on the last call."""
    agreement = Agreement(1.0)
    assert agreement.settle(PLAYING, [Sight(0.0, False, 3.0)], 0.0) == PLAYING
    seen = agreement.settle(OVER, [Sight(0.0, False, 7.0)], 5.0)
    assert (seen.reward, seen.over) == (2.0, False)  # what was earned is told at once
    still = OVER._replace(reward=0.0)
    assert not agreement.settle(still, [Sight(0.0, False, 8.0)], 5.1).over
    assert agreement.settle(still, [Sight(0.0, False, 9.0)], 5.2).over


def test_who_has_ended_too_has_told_all_whatever_its_score_is_counted_in() -> None:
    agreement = Agreement(1.0)
    assert not agreement.settle(OVER, [Sight(0.0, False, 800.0)], 5.0).over
    assert agreement.settle(OVER, [Sight(0.0, True, 900.0)], 5.1).over


def test_an_end_that_was_seen_is_not_forgotten() -> None:
    agreement = Agreement(1.0)
    assert not agreement.settle(OVER, [PLAYING], 5.0).over
    gone = Sight(0.0, False, None)  # the last screen has given way to the menu
    assert not agreement.settle(gone, [PLAYING], 5.5).over
    assert agreement.settle(gone, [Sight(0.0, True, 9.0)], 5.6).over


def test_it_waits_no_longer_than_its_patience() -> None:
    agreement = Agreement(1.0)
    assert not agreement.settle(OVER, [PLAYING], 5.0).over
    assert not agreement.settle(OVER, [PLAYING], 5.9).over
    late = agreement.settle(OVER._replace(reason="the episode has lasted"), [PLAYING], 6.0)
    assert (late.over, late.reason) == (True, "")  # it did end
    agreement.begin()
    assert not agreement.settle(OVER, [PLAYING], 7.0).over


def test_one_source_alone_and_an_episode_that_is_given_up_end_at_once() -> None:
    assert Agreement().settle(OVER, [], 5.0) == OVER
    given_up = Sight(0.0, True, 9.0, "no score could be read for 70 s")
    assert Agreement().settle(given_up, [PLAYING], 5.0) == given_up
