"""A pane does its work once for each change of its screen."""

import numpy as np

from auniverse.rfb import Box, copy_all
from auniverse.vector.blocks import Block, allocate_here
from auniverse.vector.pane import BOXES_KEPT, Pane
from auniverse.vector.view import View

SIZE = (30, 40)


def test_a_kept_picture_is_made_where_the_screen_changed_and_nowhere_else():
    pane = Pane(View(size=(15, 20)))
    screen = pane.open(40, 30)
    assert pane.develop(SIZE) == [Box(0, 0, 20, 15)]
    screen[...] = 8
    pane.damage([Box(3, 2, 2, 2)])
    assert pane.develop(SIZE) == [Box(1, 1, 2, 1)]
    assert pane.develop(SIZE) == []
    assert pane.picture[1, 1:3].ravel().tolist() == [8] * 6
    assert pane.picture.sum() == 8 * 6


def test_plain_pixels_are_not_kept_but_copied_from_the_screen():
    pane, block = Pane(View(crop=(2, 0, 6, 5))), Block((1, 5, 6, 3), allocate_here)
    screen = pane.open(40, 30)
    assert pane.develop(SIZE) == [Box(0, 0, 6, 5)]
    screen[...] = 5
    pane.damage([Box(0, 0, 4, 1), Box(20, 20, 4, 4)])
    (place,) = pane.develop(SIZE)
    assert place == Box(0, 0, 2, 1)
    block.stale[0].add(place)
    copy_all([pane.fill(block, 0)])
    assert pane.picture is None
    assert block.pixels.sum() == 5 * 2 * 3


def test_without_a_screen_there_is_nothing():
    pane, block = Pane(View()), Block((1, *SIZE, 3), allocate_here)
    assert pane.develop(SIZE) == []
    assert pane.fill(block, 0) is None
    assert not block.pixels.any()


def test_damage_that_nobody_looks_at_does_not_grow():
    pane = Pane(View())
    pane.open(40, 30)
    for _ in range(10):
        pane.damage([Box(1, 1, 1, 1)] * BOXES_KEPT)
        assert len(pane._damage) <= BOXES_KEPT
    pane.develop(SIZE)
    pane.damage([Box(1, 1, 1, 1)] * (BOXES_KEPT + 1))
    assert pane.develop(SIZE) == [Box(0, 0, 40, 30)]


def test_of_the_screen_before_nothing_is_left():
    pane = Pane(View(grey=True))
    pane.open(40, 30)[...] = 200
    pane.develop(SIZE)
    assert pane.picture.all()
    pane.open(10, 10)[...] = 100
    pane.develop(SIZE)
    assert np.count_nonzero(pane.picture) == 100
