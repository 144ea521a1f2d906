from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from auniverse.errors import RFBError
from auniverse.rfb.framebuffer import Damage, Framebuffer
from auniverse.rfb.types import Box, Limits

boxes = st.builds(Box, *(st.integers(0, 20) for _ in range(4)))


def painted(boxes: list[Box] | tuple[Box, ...]) -> NDArray[np.bool_]:
    mask = np.zeros((40, 40), bool)
    for x, y, width, height in boxes:
        mask[y : y + height, x : x + width] = True
    return mask


@given(st.lists(boxes, max_size=30), st.integers(1, 5))
def test_damage_covers_all_that_was_added_and_stays_short(added: list[Box], limit: int) -> None:
    damage = Damage(limit)
    for box in added:
        damage.add(box)
        assert len(damage.boxes) <= limit
    assert (painted(damage.boxes) >= painted(added)).all()


@given(st.lists(boxes, max_size=30))
def test_below_the_limit_damage_is_exact(added: list[Box]) -> None:
    damage = Damage()
    for box in added:
        damage.add(box)
    assert (painted(damage.boxes) == painted(added)).all()


def test_damage_is_taken_once() -> None:
    damage = Damage()
    damage.add(Box(1, 2, 3, 4))
    assert damage
    assert damage.pixels == 12
    assert damage.take() == [Box(1, 2, 3, 4)]
    assert not damage
    assert damage.take() == []


def test_a_box_within_another_is_no_news() -> None:
    damage = Damage()
    damage.add(Box(2, 2, 2, 2))
    damage.add(Box(0, 0, 10, 10))
    damage.add(Box(1, 1, 3, 3))
    assert damage.boxes == (Box(0, 0, 10, 10),)


def test_a_new_screen_is_black_and_damaged() -> None:
    framebuffer = Framebuffer(3, 2)
    assert framebuffer.pixels.shape == (2, 3, 4)
    assert not framebuffer.pixels.any()
    assert (framebuffer.width, framebuffer.height) == (3, 2)
    assert framebuffer.damage.take() == [Box(0, 0, 3, 2)]


def test_it_lives_in_the_memory_it_is_given_and_clears_it() -> None:
    memory = np.full((2, 3, 4), 7, np.uint8)
    framebuffer = Framebuffer(3, 2, allocate=lambda width, height: memory)
    assert framebuffer.pixels is memory
    assert not memory.any()


@pytest.mark.parametrize("memory", [np.zeros((3, 2, 4), np.uint8), np.zeros((2, 3, 4), np.int8)])
def test_memory_of_the_wrong_shape(memory: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="allocate"):
        Framebuffer(3, 2, allocate=lambda width, height: memory)


@pytest.mark.parametrize("size", [(0, 1), (1, 0), (65535, 65535), (11, 10)])
def test_impossible_sizes_take_no_memory(size: tuple[int, int]) -> None:
    def allocate(width: int, height: int) -> NDArray[np.uint8]:
        raise AssertionError("memory was taken")

    with pytest.raises(RFBError, match="screen"):
        Framebuffer(*size, allocate=allocate, limits=Limits(pixels=100))


def test_resizing_forgets_what_was() -> None:
    framebuffer = Framebuffer(3, 2)
    framebuffer.pixels[...] = 9
    framebuffer.resize(5, 4)
    assert framebuffer.pixels.shape == (4, 5, 4)
    assert not framebuffer.pixels.any()
    assert framebuffer.damage.boxes == (Box(0, 0, 5, 4),)


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((0, 0, 3, 2), True),
        ((2, 1, 1, 1), True),
        ((3, 2, 0, 0), True),
        ((4, 0, 0, 0), False),
        ((0, 0, 4, 2), False),
        ((1, 1, 1, 2), False),
        ((-1, 0, 1, 1), False),
        ((0, -1, 1, 1), False),
    ],
)
def test_what_lies_on_the_screen(box: tuple[int, int, int, int], inside: bool) -> None:
    assert Framebuffer(3, 2).contains(box) is inside
