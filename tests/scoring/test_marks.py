from __future__ import annotations

import numpy as np
import pytest

from auniverse.errors import UsageError
from auniverse.runtimes import read_sections
from auniverse.scoring import Mark, read_mark
from auniverse.scoring.marks import Paint, Region


def test_a_mark_is_on_where_enough_has_its_colour() -> None:
    shown = np.zeros((10, 10, 3), np.uint8)
    mark = Mark(Region(2, 2, 4, 4), Paint(200, 10, 10, 20), 0.5, 0.9)
    assert not mark.is_on(shown)
    shown[2:4, 2:6] = (215, 0, 30)
    assert mark.is_on(shown)
    shown[2:6, 2:6] = (200, 10, 10)
    assert not mark.is_on(shown)  # too much of it
    assert not mark.is_on(shown[:5])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("region: 1 2 3\ncolor: 1 2 3", "game.yml:1: region must be 4 whole numbers"),
        ("region: 1 2 0 4\ncolor: 1 2 3", "game.yml:1: region must be at least one pixel"),
        ("region: 1 2 3 99999\ncolor: 1 2 3", "region must be 4 whole numbers from 0 to 16384"),
        ("region: 1 2 3 4\ncolor: 1 2 256", "game.yml:2: color must be 3 whole numbers"),
        ("region: 1 2 3 4\ncolor: 1 -2 25", "color must be"),
        ("region: 1 2 3 4\ncolor: ² 2 25", "color must be"),
        ("region: 1 2 3 4", "color is missing"),
        ("region: 1 2 3 4\ncolor: 1 2 3\nshare: 2", "game.yml:3: share must lie between 0 and 1"),
        ("region: 1 2 3 4\ncolor: 1 2 3\nshade: 2", "game.yml:3: shade is not a known key"),
    ],
)
def test_a_wrong_mark_is_named(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_mark(read_sections(text, "game.yml"))
