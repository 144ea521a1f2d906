"""Snapshots equal the live screens, stay the agent's, and copy only what changed."""

import numpy as np
import pytest

from auniverse.rfb import Box
from auniverse.vector import Frames


def paint(frames, screens, slot, x, y, width, height, rng):
    screens[slot][y : y + height, x : x + width, :3] = rng.integers(
        0, 256, (height, width, 3), np.uint8
    )
    frames.damage(slot, [Box(x, y, width, height)])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def opened(slots, width, height):
    frames = Frames(slots)
    return frames, [frames.allocator(slot)(width, height) for slot in range(slots)]


def live(frames):
    return np.stack(frames.screens)[..., :3]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_the_largest_screens_set_the_shape_and_smaller_ones_are_padded_with_black(order):
    frames = Frames(3)
    sizes = [(4, 9), (8, 6), (5, 5)]  # width, height
    for slot in order:
        frames.allocator(slot)(*sizes[slot])[...] = slot + 1
    assert frames.shape == (9, 8, 3)
    batch = frames.rows([0, 1, 2])
    for slot, (width, height) in enumerate(sizes):
        assert (batch[slot, :height, :width] == slot + 1).all()
        assert batch[slot].sum() == 3 * width * height * (slot + 1)
    frames.allocator(1)(20, 20)[...] = 9
    assert frames.shape == (9, 8, 3), "what was once returned stays the shape"
    assert (frames.rows([1]) == 9).all()


def test_a_screen_that_opens_again_takes_its_old_memory():
    frames, (screen,) = opened(1, 8, 6)
    assert frames.allocator(0)(8, 6) is screen
    assert frames.allocator(0)(8, 7) is not screen


def test_snapshots_equal_the_live_screens_after_any_damage(rng):
    frames, screens = opened(3, 20, 10)
    held = []
    for turn in range(200):
        for _ in range(rng.integers(0, 4)):
            x, y = int(rng.integers(0, 20)), int(rng.integers(0, 10))
            width, height = int(rng.integers(1, 21 - x)), int(rng.integers(1, 11 - y))
            paint(frames, screens, int(rng.integers(0, 3)), x, y, width, height, rng)
        snapshot = frames.rows([0, 1, 2])
        assert np.array_equal(snapshot, live(frames))
        if turn % 3 == 0:
            held.append((snapshot, snapshot.copy()))
        if turn % 7 == 0:
            held.clear()
    for kept, as_it_was in held:
        assert np.array_equal(kept, as_it_was)


def test_a_snapshot_that_is_held_never_changes_and_a_dropped_one_is_filled_again(rng):
    frames, screens = opened(1, 8, 8)
    first = frames.rows([0])
    address = first.__array_interface__["data"][0]
    view = first[0, 2:4]  # a view of it is enough to hold it
    del first
    paint(frames, screens, 0, 0, 0, 8, 8, rng)
    second = frames.rows([0])
    assert second.__array_interface__["data"][0] != address
    assert not view.any()
    del view
    third = frames.rows([0])
    assert third.__array_interface__["data"][0] == address
    assert np.array_equal(third, second)


def test_snapshots_are_contiguous_and_read_only():
    frames, _ = opened(2, 8, 8)
    for snapshot in (frames.rows([0, 1]), frames.rows([1])):
        assert snapshot.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            snapshot[0] = 1


def test_some_rows_come_in_the_order_asked_for(rng):
    frames, screens = opened(3, 4, 4)
    for slot in range(3):
        paint(frames, screens, slot, 0, 0, 4, 4, rng)
    some = frames.rows([2, 0])
    assert np.array_equal(some, live(frames)[[2, 0]])


def test_only_damage_is_copied(rng):
    frames, screens = opened(1, 8, 8)
    frames.rows([0])
    screens[0][:, :, :3] = 9  # painted, but only one box of it noted
    frames.damage(0, [Box(1, 1, 2, 2)])
    snapshot = frames.rows([0])
    assert snapshot[0, 1:3, 1:3].min() == 9
    assert snapshot.sum() == 9 * 3 * 4


@pytest.mark.parametrize(("width", "height"), [(4, 12), (12, 4), (3, 3), (12, 12)])
def test_a_screen_of_another_size_shows_its_upper_left_part_on_black(rng, width, height):
    frames, screens = opened(2, 8, 8)
    paint(frames, screens, 1, 0, 0, 8, 8, rng)
    frames.rows([0, 1])
    other = frames.allocator(1)(width, height)
    other[...] = 7
    frames.damage(1, [Box(0, 0, width, height)])
    expected = np.zeros((8, 8, 3), np.uint8)
    expected[:height, :width] = 7
    assert np.array_equal(frames.rows([1])[0], expected)
    assert not frames.rows([0]).any()


def test_without_screens_there_is_nothing_to_see():
    assert Frames(2).rows([0, 1]).shape == (2, 0, 0, 3)
