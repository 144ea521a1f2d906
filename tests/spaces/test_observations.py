from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Text, Tuple
from gymnasium.vector.utils import batch_space
from hypothesis import given
from hypothesis import strategies as st

from auniverse.spaces import (
    CHARACTERS,
    TEXT_LENGTH,
    clean_text,
    observation_space,
    screen_space,
    text_space,
)

TEXTS = text_space()


@pytest.mark.parametrize("n", [None, 2])
def test_a_screen_space_is_the_plain_box(n: int | None) -> None:
    space = screen_space((6, 8, 3), n)
    plain = Box(0, 255, (6, 8, 3), np.uint8)
    plain = batch_space(plain, n) if n else plain  # type: ignore[assignment]
    assert space == plain
    assert plain == space
    assert repr(space) == repr(plain)
    assert (space.shape, space.dtype) == (plain.shape, plain.dtype)
    assert space.is_bounded() is True
    for seed in (1, 2):
        space.seed(seed)
        plain.seed(seed)
        assert np.array_equal(space.sample(), plain.sample())
    assert np.zeros(plain.shape, np.uint8) in space
    assert np.zeros((7, 8, 3), np.uint8) not in space
    assert np.zeros(plain.shape, np.float32) not in space
    assert pickle.loads(pickle.dumps(space)) == plain


def test_a_screen_space_costs_no_screens() -> None:
    tracemalloc.start()
    space = screen_space((768, 1024, 3), 64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert space.shape == (64, 768, 1024, 3)
    assert peak < 100_000


def test_observation_spaces() -> None:
    screen = Box(0, 255, (6, 8, 3), np.uint8)
    assert observation_space((6, 8, 3), text=False) == screen
    single = observation_space((6, 8, 3), text=True)
    assert single == Dict({"screen": screen, "text": TEXTS})
    batch = observation_space((6, 8, 3), text=True, n=3)
    assert batch == batch_space(single, 3)
    assert isinstance(batch, Dict)
    assert isinstance(batch["text"], Tuple)


def test_texts_in_many_scripts_stay_as_they_are() -> None:
    text = 'Click on "Ok" - Größe, naïve, €5, ☃ ▲ ⏎?\n\tλδξ, Москва → ≤ ░▒▓█ ┌─┐'
    assert clean_text(text).replace("\ufffd", "") == text.replace("⏎", "")
    assert clean_text("a\r\nb\rc") == "a\nb\nc"


def test_what_is_not_in_the_space_is_replaced_or_cut_off() -> None:
    assert clean_text("a\x1b[0m\x00漢") == "a\ufffd[0m\ufffd\ufffd"
    assert clean_text("x" * (TEXT_LENGTH + 1)) == "x" * TEXT_LENGTH
    assert clean_text("\r\n" * TEXT_LENGTH) == "\n" * TEXT_LENGTH
    assert isinstance(TEXTS, Text)
    assert CHARACTERS in TEXTS
    assert "" in TEXTS
    assert "\x1b" not in TEXTS


@given(st.text(st.characters()))
def test_any_text_becomes_an_element(text: str) -> None:
    assert clean_text(text) in TEXTS
    assert clean_text(clean_text(text)) == clean_text(text)
