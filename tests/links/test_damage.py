"""Damage that knows whether every pixel came."""

import numpy as np

from auniverse.links.damage import SeenDamage
from auniverse.rfb import Box


def test_damage_knows_when_every_pixel_came():
    damage = SeenDamage()
    assert damage.complete
    damage.watch(4, 2)
    damage.add(Box(0, 0, 4, 1))
    damage.add(Box(0, 0, 4, 1))
    assert not damage.complete
    damage.add(Box(0, 1, 4, 1))
    assert damage.complete
    assert damage.take() == [Box(0, 0, 4, 1), Box(0, 1, 4, 1)]


def test_damage_counts_pixels_of_any_place():
    rng = np.random.default_rng(1)
    for width, height in ((1, 1), (7, 3), (8, 2), (17, 9), (33, 5)):
        damage = SeenDamage()
        damage.watch(width, height)
        unseen = np.ones((height, width), bool)
        while unseen.any():
            assert not damage.complete
            x, y = rng.integers(width + 1), rng.integers(height + 1)
            box = Box(
                int(x), int(y), int(rng.integers(width - x + 1)), int(rng.integers(height - y + 1))
            )
            damage.add(box)
            unseen[y : y + box.height, x : x + box.width] = False
        assert damage.complete


def test_damage_of_a_screen_that_has_just_grown():
    damage = SeenDamage()
    damage.watch(9, 3)
    damage.add(Box(20, 1, 5, 5))
    assert not damage.complete
    damage.add(Box(0, 0, 50, 40))
    assert damage.complete
