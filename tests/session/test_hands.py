import math

from auniverse.rfb import Frame, KeyEvent, PointerEvent
from auniverse.session import Hands


def test_releases_what_is_down_and_nothing_else():
    hands = Hands()
    hands.follow([KeyEvent(1, True), KeyEvent(2, True), KeyEvent(1, False), PointerEvent(3, 4, 5)])
    assert hands.held == {2}
    assert hands.release() == [KeyEvent(2, False), PointerEvent(3, 4, 0)]
    assert hands.release() == []


def test_a_pointer_without_buttons_needs_no_release():
    hands = Hands()
    hands.follow([PointerEvent(3, 4, 1), PointerEvent(5, 6, 0)])
    assert hands.release() == []


def test_measures_the_lag_of_the_newest_input_read():
    hands = Hands()
    assert math.isnan(hands.lag)
    hands.note_sent(2, 10.0)
    hands.note_sent(0, 10.5)
    hands.note_sent(1, 11.0)
    hands.note_read(Frame(7, 0.0, 1, 99.0), skew=-100.0)  # half of the first sending: not yet
    assert math.isnan(hands.lag)
    hands.note_read(Frame(8, 0.0, 2, 110.25), skew=-100.0)
    assert hands.lag == 0.25
    hands.note_read(Frame(9, 0.0, 3, 111.5), skew=-100.0)
    assert hands.lag == 0.5


def test_measures_the_way_to_a_confirmation_and_back():
    hands = Hands()
    hands.note_sent(2, 10.0)
    hands.note_sent(1, 11.0)
    hands.note_confirmed(2, 10.5)
    assert hands.lag == 0.5
    hands.note_confirmed(2, 99.0)  # old news
    assert hands.lag == 0.5
    hands.note_confirmed(3, 11.25)
    assert hands.lag == 0.25


def test_the_memory_of_unread_input_is_bounded():
    hands = Hands()
    for moment in range(10_000):
        hands.note_sent(1, float(moment))
    hands.note_read(Frame(1, 0.0, 1, 5.0), skew=0.0)  # long forgotten
    assert math.isnan(hands.lag)
    hands.note_read(Frame(2, 0.0, 10_000, 10_000.0), skew=0.0)
    assert hands.lag == 1.0
