from __future__ import annotations

import numpy as np
import pytest

from auniverse.host.scale import GAP, MAX_BOXES, Canvas, changes
from auniverse.rfb import Box, Screen, Viewer


def expected(picture, width, height):
    """The plain way: scale all of it, one pixel after the other."""
    rows, columns = picture.shape[:2]
    across = min(width, height * columns // rows)
    down = min(height, width * rows // columns)
    screen = np.zeros((height, width, 3), np.uint8)
    left, top = (width - across) // 2, (height - down) // 2
    for y in range(down):
        for x in range(across):
            screen[top + y, left + x] = picture[y * rows // down, x * columns // across]
    return screen


@pytest.mark.parametrize(
    ("picture", "screen"),
    [((21, 16), (102, 76)), ((40, 60), (60, 40)), ((50, 70), (33, 21)), ((8, 8), (9, 31))],
    ids=["larger", "native", "smaller", "tall"],
)
def test_painting_changes_equals_painting_all(picture, screen):
    random = np.random.default_rng(0)
    shown = Screen(*screen)
    canvas = Canvas(shown, picture[1], picture[0])
    image = np.zeros((*picture, 3), np.uint8)
    for _ in range(60):
        image = image.copy()
        for _ in range(random.integers(4)):
            y, x = random.integers(picture[0]), random.integers(picture[1])
            height, width = random.integers(1, 9, 2)
            image[y : y + height, x : x + width] = random.integers(256, size=3)
        canvas.show(image)
        assert np.array_equal(shown.pixels[:, :, :3], expected(image, *screen))


def test_only_what_changed_is_painted():
    shown = Screen(320, 200)
    viewer = Viewer(shown, password=None, challenge=bytes(16))
    viewer.receive_data(b"RFB 003.008\n\1\1")
    canvas = Canvas(shown, 160, 100)
    image = np.zeros((100, 160, 3), np.uint8)
    canvas.show(image)
    viewer.damage.take()
    canvas.show(image)
    canvas.show(image.copy())
    assert not viewer.damage
    image = image.copy()
    image[10:20, 10:20] = image[10:12, 100:104] = image[90, 159] = 9
    canvas.show(image)
    assert viewer.damage.boxes == (
        Box(20, 20, 20, 20),
        Box(200, 20, 8, 20),
        Box(318, 180, 2, 2),
    )


def test_clear_paints_black_and_the_next_picture_whole():
    shown = Screen(40, 20)
    canvas = Canvas(shown, 40, 20)
    image = np.full((20, 40, 3), 7, np.uint8)
    canvas.show(image)
    canvas.clear()
    assert not shown.pixels.any()
    canvas.show(image)
    assert (shown.pixels[:, :, :3] == 7).all()


def test_any_layout_of_memory_is_taken():
    shown = Screen(30, 20)
    image = np.random.default_rng(1).integers(256, size=(30, 20, 3), dtype=np.uint8)
    turned = image.transpose(1, 0, 2)
    canvas = Canvas(shown, 30, 20)
    canvas.show(turned)
    assert np.array_equal(shown.pixels[:, :, :3], turned)


def test_a_program_may_draw_into_one_array():
    shown = Screen(30, 20)
    image = np.zeros((20, 30, 3), np.uint8)
    canvas = Canvas(shown, 30, 20)
    for value in range(3):
        image[value, 4:9] = value + 1
        canvas.show(image)
        assert np.array_equal(shown.pixels[:, :, :3], image)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 4), (30, 20, 3), (20, 31, 3)])
def test_another_picture_than_announced_is_refused(shape):
    canvas = Canvas(Screen(30, 20), 30, 20)
    with pytest.raises(ValueError, match="30x20"):
        canvas.show(np.zeros(shape, np.uint8))


def test_another_type_is_refused():
    canvas = Canvas(Screen(30, 20), 30, 20)
    with pytest.raises(ValueError, match="float64"):
        canvas.show(np.zeros((20, 30, 3)))


def test_a_point_of_the_screen_is_a_point_of_the_picture():
    canvas = Canvas(Screen(1024, 768), 160, 210)
    assert canvas.box == Box(219, 0, 585, 768)
    assert canvas.locate(219, 0) == (0, 0)
    assert canvas.locate(219 + 584, 767) == (159, 209)
    assert canvas.locate(0, 900) == (0, 209), "beside it: the nearest pixel"
    assert canvas.locate(1023, 384) == (159, 105)


def test_changes_cover_all_that_differs_and_stay_few():
    random = np.random.default_rng(2)
    for share in (0.001, 0.02, 0.5):
        before = np.zeros((60, 81, 3), np.uint8)
        after = before.copy()
        after[random.random((60, 81)) < share, 1] = 1
        boxes = changes(before, after)
        assert 0 < len(boxes) <= MAX_BOXES
        covered = np.zeros((60, 81), bool)
        for x, y, width, height in boxes:
            assert 0 <= x < x + width <= 81
            assert 0 <= y < y + height <= 60
            covered[y : y + height, x : x + width] = True
        assert covered[(before != after).any(axis=2)].all()
    assert changes(before, before.copy()) == []


def test_a_wide_gap_makes_two_boxes_and_a_narrow_one_does_not():
    before = np.zeros((64, 64, 3), np.uint8)
    for gap, count in ((GAP, 1), (GAP + 1, 2)):
        for axis in (0, 1):
            after = before.copy()
            marks = after if axis == 0 else after.transpose(1, 0, 2)
            marks[3, 5] = marks[3 + 1 + gap, 5] = 1
            assert len(changes(before, after)) == count


def test_too_many_boxes_become_one():
    before = np.zeros((100, 200, 3), np.uint8)
    after = before.copy()
    after[4:97:12, 3:197:12] = 1
    assert changes(before, after) == [Box(3, 4, 193, 85)]
