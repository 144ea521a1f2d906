from __future__ import annotations

import logging
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from auniverse import classic
from auniverse.classic import ClassicEnv
from auniverse.errors import (
    InvalidActionError,
    RemoteError,
    UnknownEnvError,
    UsageError,
)
from auniverse.portal import Portal
from auniverse.remotes import launch
from auniverse.spaces import Events

CARTPOLE = "gym-core.CartPole-v1"
LEFT = [("KeyEvent", "ArrowLeft", True)]
Made = Callable[..., ClassicEnv]

#: The first program of Universe's documentation of remotes, to the letter.
UNIVERSE_SCRIPT = """
    import gym
    import universe # register the universe environments

    env = gym.make('flashgames.DuskDrive-v0')
    env.configure(remotes=1) # downloads and starts a flashgames runtime
    observation_n = env.reset()

    while True:
            action_n = [[('KeyEvent', 'ArrowUp', True)] for ob in observation_n] # your agent here
            observation_n, reward_n, done_n, info = env.step(action_n)
            env.render()
"""


@pytest.fixture
def made() -> Iterator[Made]:
    envs = []

    def make(env_id: str = CARTPOLE, **options: Any) -> ClassicEnv:
        env = classic.make(env_id)
        envs.append(env)
        if options:
            env.configure(**options)
        return env

    yield make
    for env in envs:
        env.close()


def step_until(
    env: ClassicEnv, reached: Callable[..., bool], action: Any = ()
) -> tuple[Any, Any, Any, Any]:
    """Step until something shows; the test's own timeout ends what never does."""
    while True:
        result = env.step([action] * env.n)
        if reached(*result):
            return result


def all_seen(observation_n: list[Any], *_: Any) -> bool:
    return all(observation_n)


def any_done(_o: Any, _r: Any, done_n: list[Any], _i: Any) -> bool:
    return any(done_n)


def test_a_script_of_universes_runs_with_its_imports_and_id_changed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    script = textwrap.dedent(UNIVERSE_SCRIPT)
    script = re.sub(
        r"import gym\nimport universe .*", "from auniverse import classic as gym", script
    )
    script = script.replace("flashgames.DuskDrive-v0", "gym-core.Pong-v5")
    script = script.replace("while True", "for number in range(90)")
    names: dict[str, Any] = {}
    with caplog.at_level(logging.WARNING):
        exec(compile(script, "script", "exec"), names)
    (observation,) = names["observation_n"]
    assert observation["vision"].shape == (768, 1024, 3)
    assert observation["vision"].any()
    assert names["reward_n"] == [0.0]
    assert names["done_n"] == [False]
    assert names["info"]["n"][0]["env_status.env_state"] == "running"
    assert [record.getMessage() for record in caplog.records] == [
        "render shows nothing: there is no display to open a window on"
    ]
    names["env"].close()


def test_the_life_of_an_episode(made: Made) -> None:
    env = made(remotes=2, fps=None, start_timeout=30.0, client_id="me", ignore_clock_skew=True)
    assert (env.n, env.reset()) == (2, [None, None])

    observation_n, reward_n, done_n, info = env.step([LEFT, []])
    assert (observation_n, reward_n, done_n) == ([None, None], [0.0, 0.0], [False, False])
    for status in info["n"]:
        assert status["mask.masked.observation"] is status["mask.masked.action"] is True
        assert status["env_status.episode_id"] is None

    rewards = np.zeros(2)
    while not all(observation_n):  # one may play on while the other is not seen yet
        observation_n, reward_n, done_n, info = env.step([[], []])
        rewards += reward_n
    for observation, status in zip(observation_n, info["n"], strict=True):
        assert observation.keys() == {"vision", "text"}
        assert (observation["vision"].shape, observation["vision"].dtype) == (
            (768, 1024, 3),
            np.uint8,
        )
        assert status["env_status.env_state"] == "running"
        assert not [key for key in status if key.startswith("mask")]
    kept = observation_n[0]["vision"]
    before = kept.copy()

    while not any(done_n):
        observation_n, reward_n, done_n, info = env.step([LEFT, LEFT])
        rewards += reward_n
    ended = done_n.index(True)
    status = info["n"][ended]
    assert rewards[ended] >= 8
    assert observation_n[ended] is None
    assert status["env_status.complete.env_state"] == "running"
    assert status["env_status.env_state"] == "resetting"
    assert status["mask.masked.observation"] is True
    old = int(status["env_status.complete.episode_id"])

    observation_n, _, _, info = step_until(env, lambda seen, *_: seen[ended] is not None)
    status = info["n"][ended]
    assert int(status["env_status.episode_id"]) == old + 1
    assert status["env_status.env_state"] == "running"
    assert np.array_equal(kept, before)
    assert isinstance(status["stats.vnc.updates.n"], int)
    low, high = status["stats.gauges.diagnostics.lag.observation"]
    assert low <= high


def test_reset_begins_new_episodes_at_once(made: Made) -> None:
    env = made("gym-core.Pong-v5", remotes=1)
    env.reset()
    _, _, _, info = step_until(env, all_seen)
    first = int(info["n"][0]["env_status.episode_id"])
    assert info["n"][0]["env_status.reset.episode_id"] == str(first)
    assert env.reset() == [None]
    _, reward_n, done_n, info = step_until(env, all_seen, LEFT)
    assert int(info["n"][0]["env_status.reset.episode_id"]) > first
    assert (reward_n, done_n) == ([0.0], [False])


def test_texts_come_once(made: Made) -> None:
    env = made("gym-core.FrozenLake-v1", remotes=1)
    env.reset()
    (observation,), *_ = step_until(env, all_seen)
    (text,) = observation["text"]
    assert isinstance(text, str)
    (observation,), *_ = env.step([[]])
    assert observation["text"] == []
    tap = [("KeyEvent", "ArrowDown", True), ("KeyEvent", "ArrowDown", False)]
    (observation,), *_ = step_until(env, lambda seen, *_: bool(seen[0] and seen[0]["text"]), tap)
    assert observation["text"] != [text]


def test_without_a_rewarder_there_are_pixels_only(made: Made) -> None:
    portal = Portal()
    (remote,) = portal.open(launch("gym-core", env_id=CARTPOLE, screen="96x64")).wait()
    address = f"vnc://{remote.host}:{remote.vnc_port}?password={remote.vnc_password}"
    env = made("other.Thing-v0", remotes=address)
    env.reset()
    (observation,), reward_n, done_n, _ = env.step([[]])
    assert observation == {"vision": None, "text": []}
    assert (reward_n, done_n) == ([None], [None])
    (observation,), reward_n, done_n, _ = step_until(
        env, lambda seen, *_: seen[0]["vision"] is not None, LEFT
    )
    assert observation["vision"].shape == (64, 96, 3)
    assert (reward_n, done_n) == ([None], [None])
    portal.close()


def test_a_lost_remote_reports_once_and_the_others_go_on(made: Made) -> None:
    portal = Portal()
    opened = portal.open(launch("gym-core", n=2, env_id=CARTPOLE, screen="96x64"))
    other = portal.open(launch("gym-core", env_id=CARTPOLE, screen="96x64"))
    kept = other.wait()[0]
    env = made(CARTPOLE, remotes=[opened.wait()[0], kept])
    env.reset()
    step_until(env, all_seen)
    opened.close()
    observation_n, reward_n, done_n, info = step_until(
        env, lambda _o, _r, _d, info: "error" in info["n"][0]
    )
    assert (observation_n[0], reward_n[0], done_n[0]) == (None, 0.0, True)
    assert "ConnectionLostError" in info["n"][0]["error"]
    assert info["n"][0]["env_status.disconnected"] is True
    assert "error" not in info["n"][1]
    (first, second), _, _, info = step_until(env, lambda seen, *_: seen[1] is not None)
    assert first is None
    assert second is not None
    assert "error" not in info["n"][0]
    portal.close()


def test_nobody_there_is_an_error_of_step(made: Made) -> None:
    env = made(remotes="vnc://127.0.0.1:1+2", start_timeout=0.2)
    assert env.reset() == [None]
    with pytest.raises(RemoteError, match=r"127\.0\.0\.1"):
        step_until(env, lambda *_: False)


def test_the_tick(made: Made) -> None:
    env = made("gym-core.Pong-v5", remotes=1, fps=50)
    env.reset()
    slept = [env.step([[]])[3]["stats.throttle.sleep"] for _ in range(20)]
    assert all(0 <= seconds <= 1 / 50 for seconds in slept)
    assert any(seconds > 0 for seconds in slept)


def test_seeds_are_those_of_the_first_episodes(made: Made) -> None:
    visions = []
    for seed in (3, [3], 4):
        env = made("gym-core.MiniGrid-FourRooms-v0")  # time stands still in it between two keys
        env.seed(seed)
        env.configure(remotes=1)
        env.reset()
        (observation,), *_ = step_until(env, all_seen)
        visions.append(observation["vision"])
    assert np.array_equal(visions[0], visions[1])
    assert not np.array_equal(visions[0], visions[2])


def test_misuse_is_said(made: Made) -> None:
    env = made()
    assert isinstance(env.action_space, Events)
    assert env.action_space.sample() in env.action_space
    for call in (env.reset, lambda: env.step([])):
        with pytest.raises(UsageError, match="configure first"):
            call()  # type: ignore[operator]
    env.configure(remotes=1)
    with pytest.raises(UsageError, match="configured already"):
        env.configure(remotes=1)
    env.reset()
    with pytest.raises(UsageError, match="2 actions for 1 remotes"):
        env.step([[], []])
    with pytest.raises(InvalidActionError, match="no key"):
        env.step([[("KeyEvent", "Arrow", True)]])
    env.close()
    env.close()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"docker_image": "x", "remotes": "process:1"}, "docker_image= and warm= are for"),
        ({"sample_env_ids": ["x"], "record": True}, "record, sample_env_ids not supported"),
        ({"remote": 1}, "knows no remote"),
        ({"vnc_kwargs": {"subscription": []}}, "subscription not supported"),
    ],
)
def test_options_that_cannot_be_had_are_said(
    made: Made, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        made(**options)


def test_an_unknown_id_is_said(made: Made) -> None:
    with pytest.raises(UnknownEnvError):
        made("mario.Unheard-v0", remotes=1)


def test_options_that_ask_for_nothing_are_taken(made: Made, monkeypatch: Any) -> None:
    monkeypatch.setenv("GYM_VNC_REMOTES", "2")
    env = made(
        client_id=None,
        docker_image=None,
        record=False,
        disable_action_probes=True,
        skip_metadata=True,
        allocate_sync=False,
        replace_on_crash=True,
        vnc_kwargs={"encoding": "zrle", "compress_level": 0, "quality_level": 9},
        observer=False,
    )
    assert env.n == 2
    assert env.metadata["video.frames_per_second"] == 50


def test_it_renders(made: Made, monkeypatch: Any) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = made(remotes=1)
    env.render()
    env.reset()
    step_until(env, all_seen)
    env.render(mode="human")
    assert env._window is not None
    env.render(close=True)
