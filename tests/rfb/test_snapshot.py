from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.rfb.native import available
from auniverse.rfb.native.decoder import compiled
from auniverse.rfb.region import intersect
from auniverse.rfb.snapshot import (
    copy_all,
    copy_all_in_numpy,
    copy_rgb,
    copy_rgb_in_numpy,
    shrink,
    shrink_in_numpy,
    snapshot,
)
from auniverse.rfb.types import Box

from .wire import picture

SCREEN = picture(90, 40)
SCREEN[..., 3] = 99

needs_native = pytest.mark.skipif(not available(), reason="the compiled copies were not built")


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(st.integers(0, 89)), draw(st.integers(0, 39))
    return Box(x, y, draw(st.integers(1, 90 - x)), draw(st.integers(1, 40 - y)))


@given(boxes())
def test_a_box_goes_to_the_same_place_and_nothing_else_changes(box: Box) -> None:
    expected = np.zeros((40, 90, 3), np.uint8)
    x, y, width, height = box
    expected[y : y + height, x : x + width] = SCREEN[y : y + height, x : x + width, :3]
    for copy in (copy_rgb, copy_rgb_in_numpy):
        target = np.zeros((3, 40, 90, 3), np.uint8)
        copy(SCREEN, target[1], box)
        assert (target[1] == expected).all()
        assert not target[::2].any()


@pytest.mark.parametrize("box", [Box(0, 0, 91, 1), Box(0, 39, 1, 2), Box(90, 40, 1, 1)])
@pytest.mark.parametrize("copy", [copy_rgb, copy_rgb_in_numpy])
def test_a_box_off_either_picture(copy: object, box: Box) -> None:
    assert callable(copy)
    larger = np.zeros((50, 100, 4), np.uint8)
    with pytest.raises(ValueError, match=r"box|Box"):
        copy(SCREEN, np.zeros((50, 100, 3), np.uint8), box)
    with pytest.raises(ValueError, match=r"box|Box"):
        copy(larger, np.zeros((40, 90, 3), np.uint8), box)


@given(st.lists(st.lists(boxes(), max_size=3), max_size=4))
def test_many_are_copied_in_one_go(wanted: list[list[Box]]) -> None:
    screens = [SCREEN ^ np.uint8(number) for number in range(len(wanted))]
    for copy in (copy_all, copy_all_in_numpy):
        targets = [np.zeros((40, 90, 3), np.uint8) for _ in wanted]
        copy(list(zip(screens, targets, wanted, strict=True)))
        for screen, target, these in zip(screens, targets, wanted, strict=True):
            expected = np.zeros_like(target)
            for x, y, width, height in these:
                expected[y : y + height, x : x + width] = screen[y : y + height, x : x + width, :3]
            assert np.array_equal(target, expected)


@pytest.mark.parametrize("copy", [copy_all, copy_all_in_numpy])
@pytest.mark.parametrize("box", [Box(0, 0, 91, 1), Box(0, 39, 1, 2), Box(-1, 0, 2, 1)])
def test_if_one_does_not_fit_none_is_copied(copy: object, box: Box) -> None:
    assert callable(copy)
    target = np.zeros((40, 90, 3), np.uint8)
    with pytest.raises(ValueError, match=r"box|Box"):
        copy([(SCREEN, target, [Box(0, 0, 9, 9)]), (SCREEN, target, [box])])
    assert not target.any()


def test_all_of_it() -> None:
    copy = snapshot(SCREEN)
    assert (copy == SCREEN[..., :3]).all()
    assert copy.flags.c_contiguous
    assert copy.base is None


def test_a_part() -> None:
    assert (snapshot(SCREEN, crop=Box(3, 4, 50, 6)) == SCREEN[4:10, 3:53, :3]).all()


def test_the_mean_of_an_area() -> None:
    small = snapshot(SCREEN, size=(45, 20))
    mean = SCREEN[..., :3].reshape(20, 2, 45, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - mean).max() <= 0.51
    white = np.full((37, 53, 4), 255, np.uint8)
    assert (snapshot(white, size=(10, 7)) == 255).all()


def test_grey() -> None:
    colours = np.array([[[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [9, 9, 9, 0]]], np.uint8)
    assert snapshot(colours, grey=True).tolist() == [[[76], [150], [29], [9]]]


def mean_of(box: Box, width: int, height: int, grey: bool) -> np.ndarray:
    """Every source pixel cut into width x height parts: exact, plain and slow."""
    x, y, w, h = box
    cut = SCREEN[y : y + h, x : x + w, :3].astype(np.int64)
    parts = cut.repeat(height, axis=0).repeat(width, axis=1)
    sums = parts.reshape(height, h, width, w, 3).sum(axis=(1, 3))
    if grey:
        luma = sums @ np.array([19595, 38470, 7471]) + 32768 * w * h
        return (luma // (65536 * w * h))[..., None]
    return (2 * sums + w * h) // (2 * w * h)


@given(boxes(), st.integers(1, 20), st.integers(1, 20), st.booleans())
@settings(deadline=None)
def test_every_pixel_is_the_mean_of_its_area(box: Box, width: int, height: int, grey: bool) -> None:
    wanted = mean_of(box, width, height, grey)
    for smaller in (shrink, shrink_in_numpy):
        target = np.empty(wanted.shape, np.uint8)
        assert smaller(SCREEN, target, box, [box]) == [Box(0, 0, width, height)]
        assert np.array_equal(target, wanted)


@pytest.mark.parametrize("grey", [True, False])
def test_sums_that_do_not_fit_into_16_or_32_bits(grey: bool) -> None:
    tall = np.random.default_rng(1).integers(0, 256, (1100, 7, 4), np.uint8)
    seen = [np.empty((2, 1, 1 if grey else 3), np.uint8) for _ in range(2)]
    for smaller, target in zip((shrink, shrink_in_numpy), seen, strict=True):
        smaller(tall, target, Box(0, 0, 7, 1100), [Box(0, 0, 7, 1100)])
    assert np.array_equal(*seen)
    large = np.full((4100, 4200, 4), 255, np.uint8)
    assert (snapshot(large, size=(1, 1), grey=grey) == 255).all()


@given(boxes(), st.lists(boxes(), max_size=4), st.integers(1, 100), st.integers(1, 50), st.data())
@settings(deadline=None)
def test_what_changed_is_all_that_is_written_and_the_picture_is_that_of_the_whole_screen(
    region: Box, damage: list[Box], width: int, height: int, data: st.DataObject
) -> None:
    grey = data.draw(st.booleans())
    target = snapshot(SCREEN, crop=region, size=(width, height), grey=grey)
    screen = SCREEN.copy()
    for x, y, w, h in damage:
        screen[y : y + h, x : x + w, :3] ^= 0x5A
    wanted = snapshot(screen, crop=region, size=(width, height), grey=grey)
    for bring_up_to_date in (shrink, shrink_in_numpy):
        seen = target.copy()
        written = bring_up_to_date(screen, seen, region, damage)
        assert np.array_equal(seen, wanted)
        untouched = np.ones((height, width), np.bool_)
        for x, y, w, h in written:
            untouched[y : y + h, x : x + w] = False
        assert np.array_equal(seen[untouched], target[untouched])
        assert len(written) == sum(intersect(box, region) is not None for box in damage)


@pytest.mark.parametrize("crop", [Box(0, 0, 0, 4), Box(-1, 0, 4, 4), Box(80, 30, 11, 1)])
def test_a_part_that_is_none(crop: Box) -> None:
    with pytest.raises(ValueError, match="Box"):
        snapshot(SCREEN, crop=crop, size=(4, 4))


def test_a_size_without_pixels() -> None:
    with pytest.raises(ValueError, match="0x4 pixels"):
        snapshot(SCREEN, size=(0, 4))


@needs_native
def test_what_the_compiled_copies_refuse() -> None:
    target = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="box"):
        compiled.shrink(SCREEN, target, (0, 0, 0, 4), [])
    with pytest.raises(ValueError, match="box"):
        compiled.shrink(SCREEN, target, (1, 0, 90, 4), [])
    with pytest.raises(ValueError, match="no screen"):
        compiled.shrink(SCREEN, target, (0, 0, 4, 4), [Box(0, -1, 1, 1)])
    with pytest.raises(TypeError):
        compiled.shrink(SCREEN, target, (0, 0, 4, 4), [None])
    with pytest.raises(ValueError, match="picture"):
        compiled.shrink(SCREEN, target[..., :2], (0, 0, 4, 4), [])
    with pytest.raises(ValueError, match="picture"):
        compiled.copy_rgb(target, target, 0, 0, 1, 1)
    with pytest.raises(ValueError, match="picture"):
        compiled.copy_all([(SCREEN, SCREEN, [])])
    for jobs in (None, [None], [(SCREEN, target)], [(SCREEN, target, ())]):
        with pytest.raises(TypeError):
            compiled.copy_all(jobs)  # type: ignore[arg-type]
    for box in ((0, 0, 1), None, ("a", 0, 1, 1)):
        with pytest.raises(TypeError):
            compiled.copy_all([(SCREEN, target, [box])])  # type: ignore[list-item]
