from __future__ import annotations

from dataclasses import replace

import pytest

from auniverse.cli.agent import Noop, Random, controls_of, make_agent
from auniverse.errors import UsageError
from auniverse.keysyms import keysym
from auniverse.rewarder import V1
from auniverse.rfb import KeyEvent
from auniverse.runtimes import env
from auniverse.spaces import Controls
from auniverse.vector import INFO_KEYS, Batch, Frames, Result

LEFT, RIGHT = keysym("ArrowLeft"), keysym("ArrowRight")
PADDLE = Controls(actions=(("ArrowLeft",), ("ArrowRight",)), keys=("ArrowLeft", "ArrowRight"))


def batch_of(*resets: bool) -> Batch:
    blank = {key: kind() for key, kind in INFO_KEYS.items()}
    results = [
        Result(slot, 0.0, False, False, {**blank, "reset": reset, "valid": True})
        for slot, reset in enumerate(resets)
    ]
    return Batch(Frames(len(resets)).snapshot([]), results)


def test_equal_seeds_play_equally_and_slots_differ() -> None:
    agents = [Random([PADDLE] * 2, seed=5) for _ in range(2)]
    first, second = ([agent.act([0, 1]) for _ in range(40)] for agent in agents)
    assert first == second
    assert [events[0] for events in first] != [events[1] for events in first]


def test_a_slot_plays_the_same_whoever_else_does() -> None:
    alone, among = Random([PADDLE] * 2, seed=5), Random([PADDLE] * 2, seed=5)
    assert [alone.act([1])[0] for _ in range(20)] == [among.act([0, 1])[1] for _ in range(20)]


def test_keys_go_down_once_and_up_again() -> None:
    agent = Random([PADDLE], seed=0)
    down: set[int] = set()
    for _ in range(50):
        for event in agent.act([0])[0]:
            assert isinstance(event, KeyEvent)
            assert (event.keysym in down) is not event.down
            (down.add if event.down else down.discard)(event.keysym)
        assert len(down) == 1
    assert down <= {LEFT, RIGHT}


def test_a_reset_lets_go_of_everything() -> None:
    one_way = replace(PADDLE, actions=(("ArrowLeft",),))
    agent = Random([one_way, one_way], seed=0)
    press = [KeyEvent(LEFT, True)]
    assert agent.act([0, 1]) == [press, press]
    agent.observe(batch_of(True, False))
    assert agent.act([0, 1]) == [press, []]


def test_an_action_is_repeated() -> None:
    agent = Random([replace(PADDLE, press="tap")], seed=0, repeat=3)
    assert [bool(agent.act([0])[0]) for _ in range(6)] == [False, False, True] * 2


def test_noop_does_nothing() -> None:
    agent = make_agent("noop", [PADDLE])
    assert isinstance(agent, Noop)
    assert agent.act([0, 3]) == [[], []]


def test_there_is_no_other_agent() -> None:
    with pytest.raises(UsageError, match="random, noop"):
        make_agent("genius", [PADDLE])


def test_controls_come_from_the_catalogue_else_from_the_remote() -> None:
    v1 = V1(0, False, 400, 300, (("x",),), "tap", ("x",), False, False)
    assert controls_of(env("gym-core.CartPole-v1"), v1, (1024, 768)) == replace(
        PADDLE, pointer=False
    )
    unlisted = env("gym-core.Unlisted-v0")
    assert controls_of(unlisted, v1, (400, 300)) == Controls(
        (("x",),), "tap", ("x",), False, 400, 300
    )
    assert controls_of(unlisted, None, (400, 300)).actions == ()
