from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordEpisodeStatistics, RecordVideo, TimeLimit
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

from auniverse.env import RemoteEnv
from auniverse.errors import InvalidActionError, UsageError
from auniverse.portal import Portal
from auniverse.remotes import launch
from auniverse.spaces import PRESETS, Controls, clean_text

CARTPOLE, PONG, LAKE = (f"gym-core.{name}" for name in ("CartPole-v1", "Pong-v5", "FrozenLake-v1"))


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.mark.parametrize("lockstep", [False, True], ids=["real time", "lock-step"])
@pytest.mark.parametrize("env_id", [CARTPOLE, PONG, LAKE])
def test_gymnasiums_checker_is_content(env_id: str, lockstep: bool) -> None:
    env = gymnasium.make(env_id, lockstep=lockstep, render_mode="rgb_array")
    assert isinstance(env, RemoteEnv)
    check_env(env, skip_render_check=lockstep)
    env.close()


@pytest.mark.parametrize(
    ("env_id", "options"),
    [(CARTPOLE, {}), (PONG, {"lockstep": True}), (CARTPOLE, {"actions": "pointer"})],
)
def test_stable_baselines3s_checker_is_content(env_id: str, options: dict[str, object]) -> None:
    env = gymnasium.make(env_id, screen="96x64", fps=float("inf"), **options)
    check_env_for_sb3(env)
    env.close()


# A game has no joystick; tests/live/test_joystick.py has one.
@pytest.mark.parametrize("actions", sorted(set(PRESETS) - {"joystick"}))
def test_every_preset_plays(actions: str) -> None:
    env = gymnasium.make(PONG, actions=actions, lockstep=True, screen="96x64")
    check_env(env, skip_render_check=True)
    env.close()


def test_a_preset_of_your_own() -> None:
    mine = PRESETS["discrete"](Controls(actions=(("ArrowLeft",),)))
    env = RemoteEnv(CARTPOLE, actions=mine, lockstep=True, screen="96x64")
    assert env.action_space.n == 1  # type: ignore[attr-defined]
    env.reset(seed=0)
    env.step(0)
    env.close()


def test_lockstep_is_the_game_itself() -> None:
    """Rewards, ends and lengths are those of the same game played in this process."""
    ours, theirs = RemoteEnv(CARTPOLE, lockstep=True, screen="96x64"), gymnasium.make("CartPole-v1")
    ours.action_space.seed(3)
    for episode in range(3):
        seed = 5 if episode == 0 else None
        ours.reset(seed=seed)
        theirs.reset(seed=seed)
        over = False
        while not over:
            action = int(ours.action_space.sample())
            _, *mine = ours.step(action)
            _, *real = theirs.step(action)
            assert mine[:3] == real[:3]
            over = mine[1] or mine[2]
    ours.close()
    theirs.close()


def test_lockstep_repeats_itself_to_the_pixel() -> None:
    env = RemoteEnv(PONG, lockstep=True, screen="160x210")

    def play() -> list[np.ndarray]:
        first, _ = env.reset(seed=11)
        return [first, *(env.step(action)[0] for action in (1, 2, 3, 2, 5, 0) * 5)]

    first, second = play(), play()
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[-1])
    env.close()


def test_spaces_are_known_before_the_remote_is_there() -> None:
    env = gymnasium.make(LAKE)
    assert isinstance(env, RemoteEnv)
    assert env.observation_space["screen"].shape == (768, 1024, 3)  # type: ignore[index]
    assert env.action_space.n == 4  # type: ignore[attr-defined]
    assert env.metadata["render_fps"] == 10
    env.configure(screen=(320, 200), text=False, actions="keys", fps=20, remotes="process:1")
    assert env.observation_space.shape == (200, 320, 3)
    assert env.action_space.shape == (4,)
    assert env.metadata["render_fps"] == 20
    assert not env._slots.opened
    env.close()


def test_the_remote_is_asked_for_what_is_not_known() -> None:
    env = RemoteEnv(CARTPOLE, screen="native")
    assert env.observation_space.shape == (400, 600, 3)
    env.close()


def test_observations_are_your_own() -> None:
    env = RemoteEnv(LAKE, lockstep=True, render_mode="rgb_array")
    first, _ = env.reset(seed=1)
    assert first["text"] == clean_text(first["text"]) != ""
    before = first["screen"].copy()
    second = first
    while second["text"] == first["text"]:  # the lake is slippery
        second, *_ = env.step(2)
    assert np.array_equal(first["screen"], before)
    assert not np.array_equal(second["screen"], before)
    second["screen"][:] = 0
    picture = env.render()
    assert picture is not None
    assert picture.any()
    picture[:] = 0
    assert env.render().any()  # type: ignore[union-attr]
    env.close()


def test_infos_are_those_of_the_pool() -> None:
    env = RemoteEnv(CARTPOLE, lockstep=True, screen="96x64")
    _, info = env.reset(seed=1)
    assert info["reset"] is True
    _, reward, terminated, truncated, info = env.step(np.int64(0))
    assert [type(value) for value in (reward, terminated, truncated)] == [float, bool, bool]
    assert (info["reset"], info["valid"], info["env_id"]) == (False, True, CARTPOLE)
    assert type(info["updates"]) is int
    assert not [key for key in info if key.startswith("_")]
    env.close()


def test_misuse_is_said() -> None:
    env = RemoteEnv(CARTPOLE, lockstep=True, screen="96x64", render_mode="rgb_array")
    with pytest.raises(ResetNeeded):
        env.step(0)
    with pytest.raises(ResetNeeded):
        env.render()
    env.reset(seed=0)
    with pytest.raises(UsageError, match="before the first reset"):
        env.configure(fps=5)
    with pytest.raises(InvalidActionError):
        env.step(2)
    while not env.step(0)[2]:
        pass
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.close()
    env.close()
    with pytest.raises(ClosedEnvironmentError):
        env.step(0)
    with pytest.raises(ClosedEnvironmentError):
        env.reset()


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="render_mode='ansi'"):
        RemoteEnv(CARTPOLE, render_mode="ansi")
    with pytest.raises(UsageError, match="has no setting 'frames'"):
        RemoteEnv(CARTPOLE, frames=3)
    with pytest.raises(UsageError, match="not the 2"):
        RemoteEnv(CARTPOLE, remotes=2)
    env = RemoteEnv(CARTPOLE, actions="joystick")
    with pytest.raises(UsageError, match="joystick"):
        _ = env.action_space


def test_without_a_render_mode_nothing_is_rendered() -> None:
    env = RemoteEnv(CARTPOLE)
    with pytest.warns(UserWarning, match="render_mode='rgb_array'"):
        assert env.render() is None
    env.close()


def test_without_a_display_human_warns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    env = RemoteEnv(CARTPOLE, lockstep=True, screen="96x64", render_mode="human")
    with pytest.warns(UserWarning, match="no display"):
        env.reset(seed=0)
    env.step(0)  # a second warning would be an error
    env.close()


def test_gymnasiums_wrappers_work_unmodified(tmp_path: Path) -> None:
    inner = RemoteEnv(CARTPOLE, lockstep=True, screen="96x64", render_mode="rgb_array")
    env = RecordVideo(
        RecordEpisodeStatistics(TimeLimit(inner, 5)), str(tmp_path / "films"), lambda episode: True
    )
    env.reset(seed=0)
    for _ in range(5):
        _, _, terminated, truncated, info = env.step(0)
    assert (terminated, truncated, info["episode"]["r"], info["episode"]["l"]) == (
        False,
        True,
        5.0,
        5,
    )
    env.close()
    (film,) = (tmp_path / "films").iterdir()
    assert film.stat().st_size > 0


def test_a_remote_that_runs_already() -> None:
    portal = Portal()
    (remote,) = portal.open(launch("gym-core", env_id=PONG, screen="96x64")).wait()
    with pytest.raises(UsageError, match="96x64 pixels: say screen='native'"):
        RemoteEnv(CARTPOLE, remotes=[remote]).reset()
    env = RemoteEnv(CARTPOLE, remotes=[remote], screen="native")
    assert env.observation_space.shape == (64, 96, 3)
    _, info = env.reset()
    assert info["env_id"] == CARTPOLE
    env.step(1)
    env.close()
    env = RemoteEnv(None, remotes=[remote])  # what it runs, as it is
    assert env.observation_space.shape == (64, 96, 3)
    assert env.action_space.n == 2  # type: ignore[attr-defined]
    env.close()
    portal.close()


def test_what_the_catalogue_does_not_describe_the_remote_does() -> None:
    env = RemoteEnv("gym-core.MiniGrid-DoorKey-6x6-v0", lockstep=True, screen="96x64")
    assert env.action_space.n == 7  # type: ignore[attr-defined]
    assert env.observation_space["screen"].shape == (64, 96, 3)  # type: ignore[index]
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    env.close()
