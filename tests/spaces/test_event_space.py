from __future__ import annotations

import json
import pickle
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Tuple
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

from auniverse.errors import InvalidActionError
from auniverse.rfb import KeyEvent, PointerEvent
from auniverse.spaces import Events


@pytest.mark.parametrize(
    "space",
    [Events(), Events(["a", "ArrowUp"]), Events(["a"], pointer=False), Events([], width=3)],
    ids=repr,
)
def test_samples_are_elements_and_follow_the_seed(space: Events) -> None:
    space.seed(7)
    samples = [space.sample() for _ in range(200)]
    assert all(sample in space for sample in samples)
    assert all(len(sample) == 1 for sample in samples)
    kinds = {type(sample[0]) for sample in samples}
    assert (KeyEvent in kinds, PointerEvent in kinds) == (bool(space.keys), space.pointer)
    space.seed(7)
    assert samples == [space.sample() for _ in range(200)]


def test_samples_reach_the_edges() -> None:
    space = Events(["a", "b"], width=2, height=3, seed=1)
    seen = {space.sample()[0] for _ in range(2000)}
    assert {event for event in seen if isinstance(event, KeyEvent)} == {
        KeyEvent(key, down) for key in (0x61, 0x62) for down in (True, False)
    }
    assert {(event.x, event.y) for event in seen if isinstance(event, PointerEvent)} == {
        (x, y) for x in range(2) for y in range(3)
    }


@pytest.mark.parametrize(
    ("element", "inside"),
    [
        ([], True),
        ((), True),
        ([("KeyEvent", "a", True), ("PointerEvent", 99, 49, 255)], True),
        ([KeyEvent(0x61, False)], True),
        ([("KeyEvent", "b", True)], False),
        ([("PointerEvent", 100, 0, 0)], False),
        ([PointerEvent(0, 50, 0)], False),
        ([("KeyEvent", "a")], False),
        (KeyEvent(0x61, True), False),
        ("a", False),
        (0, False),
        (None, False),
        (np.zeros(3), False),
    ],
)
def test_contains(element: object, inside: bool) -> None:
    assert (element in Events(["a"], width=100, height=50)) is inside


def test_without_a_pointer_there_are_no_pointer_events() -> None:
    assert [("PointerEvent", 0, 0, 0)] not in Events(["a"], pointer=False)


def test_what_is_wrong_is_said() -> None:
    space = Events(["a"], width=100, height=50)
    with pytest.raises(InvalidActionError, match="key 'b' is not in"):
        space.parse([("KeyEvent", "b", True)])
    with pytest.raises(InvalidActionError, match="off the screen of 100x50"):
        space.parse([("PointerEvent", 100, 0, 0)])
    with pytest.raises(InvalidActionError, match="keys or a pointer"):
        Events([], pointer=False)
    with pytest.raises(InvalidActionError, match="no mask"):
        space.sample(mask=np.ones(1))


def test_equality_and_pictures() -> None:
    space = Events(["b", "a", "a"], width=10, height=20)
    assert space == Events([0x61, 0x62], width=10, height=20, seed=3)
    assert hash(space) == hash(Events(["a", "b"], width=10, height=20))
    others: list[Any] = [
        Events(["a"], width=10, height=20),
        Events(["a", "b"], width=11, height=20),
        Events(["a", "b"], width=10, height=21),
        Events(["a", "b"], width=10, height=20, pointer=False),
        "Events",
    ]
    assert all(space != other for other in others)
    assert repr(space) == "Events(2 keys, 10x20)"
    assert repr(Events(["a"], pointer=False)) == "Events(1 keys, no pointer)"
    assert (space.shape, space.dtype, space.is_np_flattenable) == (None, None, False)


def test_all_keys_are_the_default() -> None:
    space = Events()
    for key in ("a", "~", " ", "ArrowUp", "F12", "KP_0"):
        assert [("KeyEvent", key, True)] in space


def test_it_survives_json_and_pickle() -> None:
    space = Events(["a"], seed=5)
    samples = [*(space.sample() for _ in range(20)), []]
    text = json.dumps(space.to_jsonable(samples))
    assert space.from_jsonable(json.loads(text)) == samples
    with pytest.raises(InvalidActionError):
        space.from_jsonable([[["KeyEvent", "b", True]]])
    copy = pickle.loads(pickle.dumps(space))
    assert copy == space
    assert [copy.sample() for _ in range(5)] == [space.sample() for _ in range(5)]


def test_gymnasium_batches_it() -> None:
    space = Events(["a"], seed=5)
    batch = batch_space(space, 3)
    assert isinstance(batch, Tuple)
    actions = batch.sample()
    assert actions in batch
    assert [space.parse(action) for action in iterate(batch, actions)] == [
        list(action) for action in actions
    ]
    assert concatenate(space, list(actions), create_empty_array(space, 3)) == actions
    assert deepcopy(batch) == batch
