from __future__ import annotations

import numpy as np
import pytest

from auniverse.rfb.screen import Screen
from auniverse.rfb.types import Box

from .viewing import ask, joined


def test_a_new_screen_is_black_and_has_no_frame() -> None:
    screen = Screen(4, 3, "desk")
    assert screen.pixels.shape == (3, 4, 4)
    assert not screen.pixels.any()
    assert (screen.width, screen.height, screen.whole) == (4, 3, Box(0, 0, 4, 3))
    assert (screen.frame, screen.drawn_at, screen.announced, screen.name) == (0, 0.0, -1, "desk")


def test_paint_writes_rgbx_and_damages_every_viewer() -> None:
    screen = Screen(4, 3)
    viewers = [joined(screen), joined(screen)]
    for viewer in viewers:
        ask(viewer, screen.whole)
        assert not viewer.damage
    screen.paint(1, 2, np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert screen.pixels[2].tolist() == [[0] * 4, [1, 2, 3, 0], [4, 5, 6, 0], [0] * 4]
    assert not screen.pixels[:2].any()
    assert [viewer.damage.boxes for viewer in viewers] == [(Box(1, 2, 2, 1),)] * 2


def test_paint_takes_any_strides() -> None:
    screen = Screen(3, 2)
    picture = np.arange(18, dtype=np.uint8).reshape(3, 2, 3).transpose(1, 0, 2)[:, ::-1]
    screen.paint(0, 0, picture)
    assert (screen.pixels[:, :, :3] == picture).all()


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (3, 0), (0, 2), (4, 3)])
def test_paint_refuses_what_is_not_on_the_screen(place: tuple[int, int]) -> None:
    screen = Screen(4, 3)
    with pytest.raises(ValueError, match="picture of 2x2"):
        screen.paint(*place, np.ones((2, 2, 3), np.uint8))
    assert not screen.pixels.any()


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2, 3), np.float32),
    ],
)
def test_paint_refuses_what_is_no_picture(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="instead of uint8"):
        Screen(4, 3).paint(0, 0, picture)


def test_painting_nothing_damages_nothing() -> None:
    screen = Screen(4, 3)
    viewer = joined(screen)
    ask(viewer, screen.whole)
    screen.paint(4, 3, np.zeros((0, 0, 3), np.uint8))
    assert not viewer.damage


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5), (65536, 1), (65535, 65535)])
def test_an_impossible_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="a screen of"):
        Screen(*size)
    screen = Screen(4, 3)
    with pytest.raises(ValueError, match="a screen of"):
        screen.resize(*size)
    assert screen.whole == Box(0, 0, 4, 3)


def test_resize_turns_black_and_damages_everything_once() -> None:
    screen = Screen(4, 3)
    viewer = joined(screen)
    screen.paint(0, 0, np.ones((3, 4, 3), np.uint8))
    screen.resize(2, 9)
    assert screen.pixels.shape == (9, 2, 4)
    assert not screen.pixels.any()
    assert viewer.damage.boxes == (Box(0, 0, 2, 9),)


def test_resize_to_the_same_size_keeps_the_picture() -> None:
    screen = Screen(4, 3)
    viewer = joined(screen)
    ask(viewer, screen.whole)
    screen.paint(0, 0, np.ones((1, 1, 3), np.uint8))
    screen.resize(4, 3)
    assert screen.pixels.any()
    assert viewer.damage.boxes == (Box(0, 0, 1, 1),)


def test_finish_numbers_frames_and_announces_only_when_told() -> None:
    screen = Screen(4, 3)
    screen.finish(7, 12.5)
    assert (screen.frame, screen.drawn_at, screen.announced) == (7, 12.5, -1)
    screen.finish(8, 13.5, announce=True)
    assert (screen.frame, screen.drawn_at, screen.announced) == (8, 13.5, 8)
    screen.finish(9, 14.5)
    assert screen.announced == 8


def test_viewers_are_those_between_joining_and_closing() -> None:
    screen = Screen(4, 3)
    assert screen.viewers == ()
    first, second = joined(screen), joined(screen)
    assert screen.viewers == (first, second)
    first.close()
    first.close()
    assert screen.viewers == (second,)
    screen.leave(first)
    assert screen.viewers == (second,)
