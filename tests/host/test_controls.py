from __future__ import annotations

import numpy as np
import pytest

from auniverse.host.controls import MAX_TURNS, HeldActions, HeldAxes, TappedActions
from auniverse.keysyms import keysym
from auniverse.rfb import KeyEvent, PointerEvent

PAD = ((), ("space",), ("ArrowUp",), ("ArrowUp", "space"), ("ArrowLeft",), ("ArrowRight",))
FIRE, UP, LEFT, RIGHT = "space", "ArrowUp", "ArrowLeft", "ArrowRight"


def down(controls, *keys):
    for key in keys:
        controls.press(KeyEvent(keysym(key), True))


def up(controls, *keys):
    for key in keys:
        controls.press(KeyEvent(keysym(key), False))


def test_a_key_counts_while_it_is_down():
    pad = HeldActions(PAD)
    assert pad.keys == (FIRE, UP, LEFT, RIGHT)
    assert pad.take() == 0
    down(pad, LEFT)
    assert [pad.take(), pad.take()] == [4, 4]
    up(pad, LEFT)
    assert pad.take() == 0


def test_the_largest_combination_wins():
    pad = HeldActions(PAD)
    down(pad, FIRE, UP, LEFT)
    assert pad.take() == 3
    up(pad, FIRE)
    assert pad.take() == 4, "of two single keys the later"


def test_of_equals_the_latest_pressed_wins():
    pad = HeldActions(PAD)
    down(pad, LEFT, RIGHT)
    assert pad.take() == 5
    up(pad, LEFT)
    down(pad, LEFT)
    assert pad.take() == 4
    down(pad, RIGHT)  # auto-repeat of a held key is no new press
    assert pad.take() == 4


def test_a_key_that_came_and_went_counts_for_one_frame():
    pad = HeldActions(PAD)
    down(pad, UP)
    up(pad, UP)
    assert [pad.take(), pad.take()] == [2, 0]
    down(pad, LEFT)
    assert pad.take() == 4
    up(pad, LEFT)
    down(pad, UP, FIRE)
    up(pad, UP)
    assert [pad.take(), pad.take()] == [3, 1]


def test_unknown_keys_and_the_pointer_mean_nothing():
    pad = HeldActions(PAD)
    for code in range(10_000, 11_000):
        pad.press(KeyEvent(code, True))
    pad.press(PointerEvent(1, 1, 1))
    assert pad.take() == 0


def test_without_an_idle_action_the_last_one_goes_on():
    cart = HeldActions(((LEFT,), (RIGHT,)))
    assert cart.take() == 0
    down(cart, RIGHT)
    up(cart, RIGHT)
    assert [cart.take(), cart.take()] == [1, 1]
    cart.forget()
    assert cart.take() == 0


def test_an_idle_action_can_be_named():
    numbered = HeldActions((("0",), ("1",)), start=3, idle=0)
    down(numbered, "1")
    assert numbered.take() == 4
    up(numbered, "1")
    assert numbered.take() == 3


def test_reset_lets_all_keys_go():
    pad = HeldActions(PAD)
    down(pad, UP)
    pad.forget()
    assert pad.take() == 0
    down(pad, UP)
    assert pad.take() == 2


def test_every_tap_is_one_turn():
    board = TappedActions(((LEFT,), (RIGHT,)), start=1)
    assert board.take() is None
    down(board, LEFT, LEFT)  # held, not tapped again
    up(board, LEFT)
    down(board, RIGHT, LEFT)
    assert [board.take() for _ in range(4)] == [1, 2, 1, None]


def test_turns_do_not_pile_up():
    board = TappedActions(((LEFT,), (RIGHT,)))
    for _ in range(2 * MAX_TURNS):
        down(board, LEFT)
        up(board, LEFT)
    turns = [board.take() for _ in range(MAX_TURNS + 1)]
    assert turns == [0] * MAX_TURNS + [None]
    down(board, LEFT)
    board.forget()
    assert board.take() is None


@pytest.fixture
def wheel():
    low = np.array([-1, 0, 0], np.float32)
    return HeldAxes(((LEFT, RIGHT), (None, UP), (None, FIRE)), low, np.full(3, 2, "f4"), (101, 51))


def test_axes_by_keys(wheel):
    assert wheel.keys == (LEFT, RIGHT, UP, FIRE)
    assert wheel.take().tolist() == [0, 0, 0]
    assert wheel.take().dtype == np.float32
    down(wheel, LEFT, UP)
    assert wheel.take().tolist() == [-1, 2, 0]
    down(wheel, RIGHT)
    assert wheel.take().tolist() == [2, 2, 0], "the later of the two"
    up(wheel, RIGHT, UP)
    assert wheel.take().tolist() == [-1, 0, 0]
    down(wheel, FIRE)
    up(wheel, FIRE)
    assert wheel.take().tolist() == [-1, 0, 2]
    assert wheel.take().tolist() == [-1, 0, 0]
    wheel.forget()
    assert wheel.take().tolist() == [0, 0, 0]


def test_axes_by_the_pointer(wheel):
    wheel.press(PointerEvent(100, 50, 0))
    assert wheel.take().tolist() == [0, 0, 0], "only while button 1 is down"
    wheel.press(PointerEvent(0, 0, 1))
    down(wheel, RIGHT, FIRE)
    assert wheel.take().tolist() == [-1, 2, 2], "left and top; the third has no pointer"
    wheel.press(PointerEvent(50, 25, 1))
    assert wheel.take().tolist() == [0.5, 1, 2]
    wheel.press(PointerEvent(100, 50, 4))
    assert wheel.take().tolist() == [0.5, 1, 2], "let go since the last frame"
    assert wheel.take().tolist() == [2, 0, 2], "the keys again"


def test_a_click_counts_for_one_frame(wheel):
    wheel.press(PointerEvent(100, 50, 1))
    wheel.press(PointerEvent(100, 50, 0))
    assert wheel.take().tolist() == [2, 0, 0]
    assert wheel.take().tolist() == [0, 0, 0]


def test_one_axis_ignores_the_pointers_row():
    lever = HeldAxes(((LEFT, RIGHT),), np.array([-2], "f4"), np.array([2], "f4"), (11, 11))
    lever.press(PointerEvent(10, 3, 1))
    assert lever.take().tolist() == [2]


def test_nothing_at_rest_lies_outside_the_range():
    throttle = HeldAxes((("q", "a"),), np.array([1], "f4"), np.array([3], "f4"), (5, 5))
    assert throttle.take().tolist() == [1]
