from __future__ import annotations

import numpy as np

from auniverse.rfb.encoders.raw import Raw
from auniverse.rfb.types import RGBX

from ..viewing import RGB332

PIXELS = np.array([[[1, 2, 3, 0], [4, 5, 6, 0]], [[7, 8, 9, 0], [255, 255, 255, 0]]], np.uint8)


def test_rows_follow_each_other() -> None:
    assert bytes(Raw().encode(PIXELS, RGBX)) == bytes(
        [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 255, 255, 255, 0]
    )
    assert bytes(Raw().encode(PIXELS, RGB332)) == bytes([0, 0, 0, 0xFF])


def test_a_part_of_the_screen_has_only_its_own_columns() -> None:
    assert bytes(Raw().encode(PIXELS[:, 1:], RGBX)) == bytes([4, 5, 6, 0, 255, 255, 255, 0])


def test_full_rows_are_handed_over_without_a_copy() -> None:
    payload = Raw().encode(PIXELS[1:], RGBX)
    assert isinstance(payload, memoryview)
    assert np.shares_memory(np.asarray(payload), PIXELS)
