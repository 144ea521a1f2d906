from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from auniverse.env import Options, Slots
from auniverse.env.slots import Phase
from auniverse.errors import (
    ConnectionLostError,
    InvalidActionError,
    UnknownEnvError,
    UsageError,
)
from auniverse.rewarder import V1
from auniverse.rfb import KeyEvent, PointerEvent
from auniverse.spaces import Controls
from tests.fakes import FakePool

ADDRESSES = "vnc://a:1+2,b:1+2,c:1+2"
LEFT, RIGHT = 0xFF51, 0xFF53


def slots_on(pool: FakePool, **options: Any) -> Slots:
    options = {"env_id": "gym-core.CartPole-v1", "screen": "3x2", **options}
    return Slots(Options(**options), pool.num_envs, open_pool=pool.opener())


def rewards_and_ends(turn: Any) -> tuple[list[float], list[bool], list[bool]]:
    return turn.rewards.tolist(), turn.terminations.tolist(), turn.truncations.tolist()


def test_nothing_is_acquired_before_it_is_needed() -> None:
    pool = FakePool("r")
    slots = slots_on(pool, fps=30, reset_timeout=5.0, link="lan", lockstep=True)
    assert slots.description.controls.actions == (("ArrowLeft",), ("ArrowRight",))
    assert (slots.description.controls.width, slots.description.controls.height) == (3, 2)
    assert slots.preset.space.n == 2  # type: ignore[attr-defined]
    assert slots.text is False
    assert (slots.opened, pool.calls) == (False, [])
    slots.restart({0: None})
    assert slots.opened
    slots.close()
    slots.close()
    with pytest.raises(UsageError, match="closed"):
        slots.restart({0: None})
    assert pool.calls[0] == (
        "open",
        1,
        {
            "env_id": "gym-core.CartPole-v1",
            "screen": "3x2",
            "start_timeout": None,
            "client_id": None,
            "docker_image": None,
            "vnc_kwargs": None,
            "fps": 30,
            "lockstep": True,
            "link": "lan",
            "view": None,
            "shared_memory": False,
            "silence": 5.0,
            "retries": 5,
            "on_exhausted": "drop",
            "reset_timeout": 5.0,
        },
    )
    assert pool.calls[-1] == ("close",)


def test_the_first_restart_asks_for_an_episode() -> None:
    pool = FakePool("r.", "r.")
    slots = slots_on(pool)
    turn = slots.restart({0: 7, 1: None})
    assert turn.screens.tolist() == np.ones((2, 2, 3, 3)).tolist()
    assert turn.infos["reset"].tolist() == turn.infos["_reset"].tolist() == [True, True]
    assert turn.texts == ("letter r", "letter r")
    assert pool.calls[1:] == [("reset", [7, None], [0, 1])]
    turn = slots.step([0, 1])
    assert rewards_and_ends(turn) == ([1, 1], [False, False], [False, False])
    assert pool.calls[2:] == [("send", [[KeyEvent(LEFT, True)], [KeyEvent(RIGHT, True)]], [0, 1])]
    slots.close()


def test_a_slot_that_is_over_takes_the_remotes_own_next_episode() -> None:
    pool = FakePool("r.tr.tr")
    slots = slots_on(pool)
    slots.restart({0: None})
    slots.step([0])
    assert rewards_and_ends(slots.step([0])) == ([1], [True], [False])
    assert slots.where(Phase.OVER) == [0]
    slots.restart({0: None})
    assert slots.where(Phase.PLAYING) == [0]
    assert pool.calls[-1] == ("send", [[]], [0])
    slots.step([0])
    assert pool.calls[-1] == ("send", [[KeyEvent(LEFT, True)]], [0])  # not held any more
    slots.step([0])
    slots.restart({0: 5})  # a seed wants an episode of its own
    assert pool.calls[-1] == ("reset", [5], [0])
    slots.close()


def test_stepping_over_an_end_drops_the_action() -> None:
    pool = FakePool("rtr.", "r...")
    slots = slots_on(pool)
    slots.restart({0: None, 1: None})
    slots.step([0, 0])
    turn = slots.step([1, 1])
    assert pool.calls[-1] == (
        "send",
        [[], [KeyEvent(LEFT, False), KeyEvent(RIGHT, True)]],
        [0, 1],
    )
    assert turn.infos["reset"].tolist() == [True, False]
    assert rewards_and_ends(turn) == ([0, 1], [False, False], [False, False])
    slots.close()


def test_some_slots_are_restarted_alone() -> None:
    pool = FakePool("rtr", "r.", "r.r")
    slots = slots_on(pool)
    slots.restart({0: None, 1: None, 2: None})
    slots.step([0, 0, 0])
    turn = slots.restart({0: None, 2: None})
    assert turn.screens[:, 0, 0, 0].tolist() == [3, 3]
    assert pool.calls[3:] == [("reset", [None], [2]), ("send", [[]], [0])]
    slots.close()


def test_a_lost_remote_ends_the_episode_and_restarting_waits_for_it() -> None:
    pool = FakePool("r.ffr.")
    slots = slots_on(pool)
    slots.restart({0: None})
    slots.step([0])
    turn = slots.step([0])
    assert rewards_and_ends(turn) == ([0], [False], [True])
    assert turn.infos["valid"].tolist() == [False]
    assert turn.infos["fault"][0]["type"] == "ConnectionLostError"
    turn = slots.restart({0: None})
    assert turn.infos["reset"].tolist() == [True]
    assert "fault" not in turn.infos
    slots.close()


def test_a_remote_that_is_lost_while_it_resets_is_waited_for() -> None:
    pool = FakePool("fr", "r")
    slots = slots_on(pool)
    turn = slots.restart({0: 3, 1: 4})
    assert turn.infos["reset"].tolist() == [True, True]
    slots.close()


def test_the_only_remote_lost_for_good_raises() -> None:
    pool = FakePool("r.x")
    slots = slots_on(pool)
    slots.restart({0: None})
    slots.step([0])
    assert slots.step([0]).infos["fault"][0]["retryable"] is False
    for _ in range(2):
        with pytest.raises(ConnectionLostError, match="slot 0 is gone"):
            slots.restart({0: None})
    with pytest.raises(ConnectionLostError, match="slot 0 is gone"):
        slots.step([0])
    slots.close()


def test_one_of_many_lost_for_good_stays_truncated() -> None:
    pool = FakePool("r...tr", "r.x", "r...fr")
    slots = slots_on(pool)
    slots.restart({0: None, 1: None, 2: None})
    slots.step([0, 0, 0])
    for _ in range(2):
        turn = slots.step([0, 0, 0])
        assert rewards_and_ends(turn) == ([1, 0, 1], [False] * 3, [False, True, False])
        assert turn.infos["valid"].tolist() == [True, False, True]
        assert turn.infos["_fault"].tolist() == [False, True, False]
        assert turn.infos["fault"][1]["retryable"] is False
    assert pool.calls[-1][2] == [0, 2]
    assert slots.restart({1: None}).infos["valid"].tolist() == [False]
    turn = slots.step([0, 0, 0])
    assert rewards_and_ends(turn) == ([1, 0, 0], [True, False, False], [False, True, True])
    turn = slots.restart({0: None, 1: None, 2: None})
    assert turn.infos["reset"].tolist() == [True, False, True]
    assert turn.screens[:, 0, 0, 0].tolist() == [6, 3, 6]
    slots.close()


def test_an_impossible_action_sends_nothing() -> None:
    pool = FakePool("r.", "r.")
    slots = slots_on(pool)
    slots.restart({0: None, 1: None})
    with pytest.raises(InvalidActionError):
        slots.step([0, 2])
    assert pool.calls[-1][0] == "reset"
    slots.step([0, 1])
    assert pool.calls[-1] == ("send", [[KeyEvent(LEFT, True)], [KeyEvent(RIGHT, True)]], [0, 1])
    slots.close()


def test_after_an_interrupt_every_slot_has_to_be_reset() -> None:
    pool = FakePool("rtr", "r.r")
    slots = slots_on(pool)
    slots.restart({0: None, 1: None})
    slots.step([0, 0])
    receive = pool.recv

    async def interrupted(min_envs: int | None = None) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return await asyncio.Event().wait()

    pool.recv = interrupted  # type: ignore[assignment,method-assign]
    with pytest.raises(KeyboardInterrupt):
        slots.step([0, 0])
    assert slots.where(Phase.FRESH) == [0, 1]
    pool.recv = receive  # type: ignore[method-assign]
    slots.restart({0: None, 1: None})
    assert pool.calls[-1] == ("reset", [None, None], [0, 1])
    slots.close()


@pytest.mark.parametrize(
    ("options", "number", "error", "complaint"),
    [
        ({}, 0, UsageError, "0 remotes are too few"),
        ({"remotes": 2}, 1, UsageError, "1 remotes are needed, not the 2"),
        ({"remotes": ADDRESSES}, 2, UsageError, "2 remotes are needed, not the 3"),
        ({"remotes": "docker.io"}, 1, UsageError, "remotes= is"),
        ({"env_id": "gym-core.Pongg"}, 1, UnknownEnvError, "gym-core.Pong-v5"),
        ({"env_id": None}, 1, UsageError, "which env_id"),
    ],
)
def test_options_that_cannot_be_are_refused(
    options: dict[str, Any], number: int, error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        Slots(Options(**{"env_id": "gym-core.Pong-v5", **options}), number)


def test_a_screen_of_another_size_is_refused() -> None:
    pool = FakePool("r")
    slots = slots_on(pool, screen="1024x768")
    with pytest.raises(UsageError, match="3x2 pixels: say screen='native'"):
        slots.restart({0: None})
    assert not slots.opened
    assert pool.calls[-1] == ("close",)
    slots.close()


def test_a_pool_that_broke_says_why() -> None:
    @asynccontextmanager
    async def breaking(spec: object, **options: Any) -> AsyncIterator[FakePool]:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            yield FakePool("r")

    async def fail() -> None:
        raise LookupError("broke")

    slots = Slots(Options("gym-core.CartPole-v1", screen="3x2"), 1, open_pool=breaking)  # type: ignore[arg-type]
    while True:  # until it broke
        try:
            assert slots.pool.num_envs == 1
        except ExceptionGroup as broken:
            assert "broke" in str(broken.exceptions[0])  # noqa: PT017
            break
    with pytest.raises(ExceptionGroup):
        slots.close()


def test_a_native_screen_is_asked_for() -> None:
    pool = FakePool("r")
    slots = slots_on(pool, screen="native")
    controls = slots.description.controls
    assert (controls.width, controls.height, controls.press) == (3, 2, "hold")
    assert [call[0] for call in pool.calls] == ["open"]
    slots.close()


def test_what_the_catalogue_does_not_know_the_remote_says() -> None:
    v1 = V1(0, False, 9, 9, (("a",), ("b",)), "tap", ("a", "b"), True, True)
    pool = FakePool("rr", v1=v1)
    slots = slots_on(pool, env_id="gym-core.Mine-v0", screen="7x7")
    assert slots.description.controls == Controls(
        (("a",), ("b",)), "tap", ("a", "b"), True, width=3, height=2
    )
    assert slots.text
    assert [call[0] for call in pool.calls] == ["open"]
    slots.close()


def test_a_remote_given_by_address_may_have_to_switch_first() -> None:
    pool = FakePool("rr.")
    slots = slots_on(pool, env_id="other.Game-v0", remotes="vnc://a:1+2")
    assert slots.description.controls == Controls(width=3, height=2)
    assert [call[0] for call in pool.calls] == ["open", "reset"]
    slots.restart({0: 1})
    slots.step([[("PointerEvent", 2, 1, 1)]])
    assert pool.calls[-1] == ("send", [[PointerEvent(2, 1, 1)]], [0])
    slots.close()


def test_the_text_is_an_option() -> None:
    assert slots_on(FakePool("r"), text=True).text
    assert slots_on(FakePool("r"), env_id="gym-core.FrozenLake-v1").text
    assert not slots_on(FakePool("r"), env_id="gym-core.FrozenLake-v1", text=False).text


@pytest.mark.parametrize(
    ("fps", "rate"), [("default", 50.0), (30, 30.0), (float("inf"), 50.0), (None, 50.0)]
)
def test_fps(fps: Any, rate: float) -> None:
    assert slots_on(FakePool("r"), fps=fps).fps == rate


def test_the_remotes_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYM_VNC_REMOTES", ADDRESSES)
    assert slots_on(FakePool("r", "r", "r")).spec == ADDRESSES
    assert slots_on(FakePool("r"), remotes=1).spec == 1
    monkeypatch.delenv("GYM_VNC_REMOTES")
    assert slots_on(FakePool("r", "r")).spec == 2
