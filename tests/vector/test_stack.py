"""A stack copies what changed, and knows what it does not know."""

import numpy as np

from auniverse.rfb import Box
from auniverse.vector.blocks import Block, allocate_here
from auniverse.vector.stack import LOGGED, Stack

SHAPE = (200, 300, 3)
WHOLE = [Box(0, 0, 300, 200)]


def played(stack, results):
    """Push so many pictures, each another in one corner."""
    picture = np.zeros(SHAPE, np.uint8)
    stack.push(picture, WHOLE, first=True)
    for turn in range(results):
        picture[:2, :2] = turn
        stack.push(picture, [Box(0, 0, 2, 2)], first=False)
    return picture


def corners(block):
    return block.pixels[0, :, 0, 0, 0].tolist()


def test_only_what_changed_is_copied_into_a_block():
    stack, block = Stack(3, SHAPE), Block((1, 3, *SHAPE), allocate_here)
    picture = played(stack, 8)
    stack.fill(block, 0)
    assert corners(block) == [5, 6, 7]
    block.pixels[:, :, 100:] = 9  # nobody has said that this changed
    picture[:2, :2] = 8
    stack.push(picture, [Box(0, 0, 2, 2)], first=False)
    stack.fill(block, 0)
    assert corners(block) == [6, 7, 8]
    assert (block.pixels[:, :, 100:] == 9).all()


def test_a_block_from_long_ago_or_another_episode_is_filled_anew():
    stack, block = Stack(3, SHAPE), Block((1, 3, *SHAPE), allocate_here)
    for results in (5, LOGGED + 9):
        played(stack, results)
        block.pixels[:, :, 100:] = 9
        stack.fill(block, 0)
        assert corners(block) == [results - 3, results - 2, results - 1]
        assert not block.pixels[:, :, 100:].any()


def test_pictures_that_stand_still_cost_nothing():
    stack, block = Stack(2, SHAPE), Block((1, 2, *SHAPE), allocate_here)
    picture = played(stack, 1)
    for _ in range(5):
        stack.push(picture, [], first=False)
    stack.fill(block, 0)
    assert corners(block) == [0, 0]
    picture[:2, :2] = 4
    stack.push(picture, [Box(0, 0, 2, 2)], first=False)
    stack.fill(block, 0)
    assert corners(block) == [0, 4]
