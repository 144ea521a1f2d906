from __future__ import annotations

import pytest

from auniverse.host.games import GAMES, NUMBERED, PAIRED, atari_keys, find_game
from auniverse.keysyms import keysym


@pytest.mark.parametrize(
    ("meaning", "keys"),
    [
        ("NOOP", ()),
        ("FIRE", ("space",)),
        ("UP", ("ArrowUp",)),
        ("UPRIGHT", ("ArrowUp", "ArrowRight")),
        ("DOWNLEFTFIRE", ("ArrowDown", "ArrowLeft", "space")),
    ],
)
def test_atari_meanings(meaning, keys):
    assert atari_keys(meaning) == keys


def test_every_key_exists_and_no_two_actions_share_theirs():
    for game in GAMES.values():
        assert len(set(game.actions)) == len(game.actions)
        for key in (key for combination in (*game.actions, *game.axes) for key in combination):
            assert key is None or keysym(key)
    spare = [key for pair in PAIRED for key in pair]
    assert len(set(spare)) == len(spare)
    assert len(set(NUMBERED)) == len(NUMBERED)


def test_turns_take_one_key_each():
    for game in GAMES.values():
        assert not game.turns or all(len(keys) == 1 for keys in game.actions)


def test_a_game_is_known_by_any_ancestor():
    class TaxiEnv: ...

    class NightTaxi(TaxiEnv): ...

    assert find_game(NightTaxi()) is GAMES["TaxiEnv"]
    assert find_game(object()) is None
