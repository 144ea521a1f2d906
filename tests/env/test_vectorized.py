from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.spaces import MultiDiscrete, Tuple
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers import vector as wrappers
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics, RecordVideo

from auniverse.env import RemoteVectorEnv, Slots
from auniverse.errors import InvalidActionError, UsageError
from tests.fakes import FakePool

CARTPOLE, LAKE = "gym-core.CartPole-v1", "gym-core.FrozenLake-v1"
LOCKSTEP: dict[str, Any] = {"lockstep": True, "screen": "96x64"}
OWN_KEYS = {"final_obs", "_final_obs", "final_info", "_final_info"}


def real_cartpoles(n: int, mode: AutoresetMode) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * n, autoreset_mode=mode)


def actions(n: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(4)
    while True:
        yield random.integers(2, size=n)


def test_workers_change_nothing_but_who_does_the_work() -> None:
    alone, shared = (
        gymnasium.make_vec(CARTPOLE, num_envs=3, workers=workers, **LOCKSTEP)
        for workers in (None, 2)
    )
    assert np.array_equal(alone.reset(seed=3)[0], shared.reset(seed=3)[0])
    for action, _ in zip(actions(3), range(30), strict=False):
        for mine, theirs in zip(alone.step(action)[:4], shared.step(action)[:4], strict=True):
            assert np.array_equal(mine, theirs)
    alone.close()
    shared.close()


@pytest.mark.parametrize("mode", AutoresetMode)
def test_autoreset_is_as_in_gymnasiums_own(mode: AutoresetMode) -> None:
    n = 3
    theirs = RecordEpisodeStatistics(real_cartpoles(n, mode))
    ours = RecordEpisodeStatistics(
        gymnasium.make_vec(CARTPOLE, num_envs=n, autoreset_mode=mode, **LOCKSTEP)
    )
    assert ours.metadata["autoreset_mode"] is mode
    ours.reset(seed=[1, 2, 3])
    theirs.reset(seed=[1, 2, 3])
    episodes, returns = 0, np.zeros(n)
    for action in actions(n):
        *mine, my_infos = ours.step(action)
        *real, real_infos = theirs.step(action)
        returns += mine[1]
        for name, a, b in zip(
            ("reward", "terminated", "truncated"), mine[1:], real[1:], strict=True
        ):
            assert np.array_equal(a, b), name
            assert a.dtype == b.dtype
        assert my_infos.keys() & OWN_KEYS == real_infos.keys() & OWN_KEYS
        over = real[2] | real[3]
        if "episode" in my_infos:
            # in DISABLED, SyncVectorEnv takes the mask out of the options that the wrapper reads
            counted = returns[over] if mode is AutoresetMode.DISABLED else None
            for key in ("r", "l"):
                expected = real_infos["episode"][key][over] if counted is None else counted
                assert np.array_equal(my_infos["episode"][key][over], expected)
        episodes += over.sum()
        returns[over] = 0
        if mode is AutoresetMode.SAME_STEP and over.any():
            for key in ("_final_obs", "_final_info"):
                assert np.array_equal(my_infos[key], real_infos[key])
            assert [frame is not None for frame in my_infos["final_obs"]] == over.tolist()
            assert my_infos["reset"].tolist() == over.tolist()
            assert not my_infos["final_info"]["reset"].any()
            assert my_infos["final_info"]["_reset"].tolist() == over.tolist()
        if mode is AutoresetMode.DISABLED and over.any():
            ours.reset(options={"reset_mask": over.copy()})
            theirs.reset(options={"reset_mask": over.copy()})
        if episodes >= 7:
            break
    ours.close()
    theirs.close()


def test_same_step_shows_the_last_screen_and_the_first() -> None:
    same, nexts = (
        RemoteVectorEnv(CARTPOLE, 2, autoreset_mode=mode, copy=True, **LOCKSTEP)
        for mode in (AutoresetMode.SAME_STEP, "NextStep")
    )
    screens, _ = same.reset(seed=5)
    assert np.array_equal(screens, nexts.reset(seed=5)[0])
    for number in range(100):
        screens, _, terminations, _, infos = same.step([1, number % 2])
        real, _, real_terminations, _, _ = nexts.step([1, number % 2])
        if terminations.any():
            break
        assert np.array_equal(screens, real)
    assert terminations.tolist() == real_terminations.tolist()
    over, other = (0, 1) if terminations[0] else (1, 0)
    assert not terminations[other]
    assert np.array_equal(infos["final_obs"][over], real[over])
    assert infos["final_obs"][over] in same.single_observation_space
    first, *_ = nexts.step([1, 1])
    assert np.array_equal(screens[over], first[over])
    assert np.array_equal(screens[other], real[other])
    same.close()
    nexts.close()


def test_some_are_reset() -> None:
    env = RemoteVectorEnv(CARTPOLE, 3, autoreset_mode="Disabled", **LOCKSTEP)
    mask = np.array([True, False, True])
    with pytest.raises(ResetNeeded, match=r"\[1\] were never reset"):
        env.reset(options={"reset_mask": mask})
    first, _ = env.reset(seed=[4, 5, 6])
    moved, *_ = env.step([0, 0, 0])
    again, infos = env.reset(seed=[4, 0, 6], options={"reset_mask": mask})
    assert np.array_equal(again, np.stack([first[0], moved[1], first[2]]))
    assert infos["_reset"].tolist() == infos["reset"].tolist() == mask.tolist()
    assert not again.flags.writeable
    while not env.step([0, 0, 0])[2].any():
        pass
    with pytest.raises(ResetNeeded, match="call reset first"):
        env.step([0, 0, 0])
    env.close()


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        ([True, False], TypeError),
        (np.array([1, 0]), TypeError),
        (np.array([True]), ValueError),
        (np.array([False, False]), ValueError),
    ],
)
def test_what_is_no_mask_is_refused(mask: Any, error: type[Exception]) -> None:
    env = RemoteVectorEnv(CARTPOLE, 2, **LOCKSTEP)
    with pytest.raises(error, match="reset_mask"):
        env.reset(options={"reset_mask": mask})
    env.close()


def test_seeds() -> None:
    env = RemoteVectorEnv(CARTPOLE, 2, copy=True, **LOCKSTEP)
    by_number, _ = env.reset(seed=3)
    by_list, _ = env.reset(seed=[3, 4])
    other, _ = env.reset(seed=[4, None])
    assert np.array_equal(by_number, by_list)
    assert np.array_equal(by_number[1], other[0])
    assert not np.array_equal(by_number[0], other[0])
    with pytest.raises(ValueError, match="3 seeds for 2 remotes"):
        env.reset(seed=[1, 2, 3])
    env.close()


def test_spaces_are_known_before_the_remotes_are_there() -> None:
    env = gymnasium.make_vec(LAKE, num_envs=2, text=True)
    assert isinstance(env, RemoteVectorEnv)
    for single, batch in (
        (env.single_observation_space, env.observation_space),
        (env.single_action_space, env.action_space),
    ):
        assert batch == batch_space(single, 2)
    assert isinstance(env.action_space, MultiDiscrete)
    env.configure(actions="events", text=False, screen=(30, 20))
    assert isinstance(env.action_space, Tuple)
    assert env.observation_space.shape == (2, 20, 30, 3)
    assert not env._slots.opened
    env.close()


def test_texts_go_with_their_screens() -> None:
    env = RemoteVectorEnv(LAKE, 2, autoreset_mode="SameStep", **LOCKSTEP)
    observations, infos = env.reset(seed=1)
    assert observations in env.observation_space
    assert observations["text"] == tuple(infos["text"])
    for _ in range(200):
        observations, _, terminations, _, infos = env.step(env.action_space.sample())
        assert observations in env.observation_space
        if terminations.any():
            break
    slot = int(np.flatnonzero(terminations)[0])
    assert infos["final_obs"][slot] in env.single_observation_space
    assert infos["final_obs"][slot]["text"] == infos["final_info"]["text"][slot]
    assert infos["final_obs"][slot]["text"] != observations["text"][slot]
    env.close()


def test_raw_events_for_many() -> None:
    env = RemoteVectorEnv(CARTPOLE, 2, actions="events", **LOCKSTEP)
    env.reset(seed=0)
    env.action_space.seed(1)
    env.step(env.action_space.sample())
    env.step([[], [("KeyEvent", "ArrowLeft", True)]])
    with pytest.raises(InvalidActionError, match="1 actions for 2 remotes"):
        env.step([[]])
    env.close()


def test_snapshots_are_read_only_and_yours_to_keep_and_copies_are_writable() -> None:
    env = RemoteVectorEnv(CARTPOLE, 2, **LOCKSTEP)
    first, _ = env.reset(seed=0)
    assert not first.flags.writeable
    before = first.copy()
    for _ in range(8):
        last, *_ = env.step([1, 1])
    assert np.array_equal(first, before)
    assert not np.array_equal(last, before)
    env.close()
    env = RemoteVectorEnv(CARTPOLE, 2, copy=True, **LOCKSTEP)
    first, _ = env.reset(seed=0)
    first[:] = 7
    assert not (env.step([1, 1])[0] == 7).any()
    env.close()


def test_it_runs_in_real_time() -> None:
    env = RemoteVectorEnv("gym-core.Pong-v5", 2, screen="96x64")
    env.reset()
    for _ in range(30):
        observations, rewards, _, _, infos = env.step(env.action_space.sample())
        assert observations in env.observation_space
        assert (rewards.shape, infos["_valid"].all(), infos["valid"].all()) == ((2,), True, True)
    env.close()


def test_gymnasiums_wrappers_work_unmodified(tmp_path: Path) -> None:
    env = gymnasium.make_vec(CARTPOLE, num_envs=2, render_mode="rgb_array", **LOCKSTEP)
    wrapped = DictInfoToList(
        RecordVideo(RecordEpisodeStatistics(env), str(tmp_path / "films"), video_length=5)
    )
    wrapped.reset(seed=0)
    for _ in range(30):
        _, _, terminations, _, infos = wrapped.step(np.array([0, 0]))
        if terminations[0]:
            assert infos[0]["episode"]["r"] == infos[0]["episode"]["l"] > 0
            break
    wrapped.close()
    (film,) = (tmp_path / "films").iterdir()
    assert film.stat().st_size > 0


def test_gymnasiums_own_vectorizer_takes_single_ones() -> None:
    env = gymnasium.make_vec(CARTPOLE, num_envs=2, vectorization_mode="sync", **LOCKSTEP)
    assert isinstance(env, SyncVectorEnv)
    observations, _ = env.reset(seed=1)
    assert observations.shape == (2, 64, 96, 3)
    assert env.step(np.array([0, 1]))[1].tolist() == [1, 1]
    env.close()


@pytest.mark.parametrize(
    ("number", "remotes", "count"),
    [(1, None, 1), (3, None, 3), (1, 4, 4), (4, "process:4", 4), (1, "vnc://a:1+2,b:1+2", 2)],
)
def test_how_many(number: int, remotes: Any, count: int) -> None:
    assert RemoteVectorEnv(CARTPOLE, number, remotes).num_envs == count


def test_misuse_is_said() -> None:
    with pytest.raises(UsageError, match="3 remotes are needed, not the 2"):
        RemoteVectorEnv(CARTPOLE, 3, 2)
    with pytest.raises(UsageError, match="rgb_array or None"):
        RemoteVectorEnv(CARTPOLE, render_mode="human")
    with pytest.raises(ValueError, match="is not a valid AutoresetMode"):
        RemoteVectorEnv(CARTPOLE, autoreset_mode="never")
    env = RemoteVectorEnv(CARTPOLE, 2, render_mode="rgb_array", **LOCKSTEP)
    with pytest.raises(ResetNeeded):
        env.step([0, 0])
    with pytest.raises(ResetNeeded):
        env.render()
    env.reset()
    with pytest.raises(UsageError, match="before the first reset"):
        env.configure(fps=5)
    with pytest.raises(InvalidActionError):
        env.step([0, 2])
    frames = env.render()
    assert frames is not None
    assert [frame.shape for frame in frames] == [(64, 96, 3)] * 2
    env.close()
    env.close()
    for call in (env.reset, lambda: env.step([0, 0])):
        with pytest.raises(ClosedEnvironmentError):
            call()  # type: ignore[operator]


def test_without_a_render_mode_nothing_is_rendered() -> None:
    with pytest.warns(UserWarning, match="render_mode='rgb_array'"):
        assert RemoteVectorEnv(CARTPOLE).render() is None


SCRIPTS = ("r..tr.cr..", "r.....tr..")


class Scripted(gymnasium.Env[Any, Any]):
    """What a slot of `FakePool` plays, as an environment."""

    observation_space = gymnasium.spaces.Box(0, 255, (2, 3, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, script: str) -> None:
        self.script, self.played = script, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        assert self.play() == "r"
        return self.observation(), {}

    def step(self, action: int) -> Any:
        letter = self.play()
        return self.observation(), 1.0, letter == "t", letter == "c", {}

    def play(self) -> str:
        self.played += 1
        return self.script[self.played - 1]

    def observation(self) -> Any:
        return np.full((2, 3, 3), self.played, np.uint8)


WRAPPERS: dict[str, Any] = {
    "clip reward": lambda env: wrappers.ClipReward(env, 0, 0.5),
    "dtype": lambda env: wrappers.DtypeObservation(env, np.float64),
    "flatten": wrappers.FlattenObservation,
    "grayscale": wrappers.GrayscaleObservation,
    "infos as a list": wrappers.DictInfoToList,
    "normalize observation": wrappers.NormalizeObservation,
    "normalize reward": wrappers.NormalizeReward,
    "rescale": lambda env: wrappers.RescaleObservation(env, np.float32(0), np.float32(1)),
    "reshape": lambda env: wrappers.ReshapeObservation(env, (18,)),
    "resize": lambda env: wrappers.ResizeObservation(env, (4, 6)),
    "statistics": wrappers.RecordEpisodeStatistics,
    "transform action": lambda env: wrappers.TransformAction(env, lambda action: 1 - action),
    "transform each": lambda env: wrappers.VectorizeTransformObservation(
        env, gymnasium.wrappers.TransformObservation, func=np.flip, observation_space=None
    ),
    "transform each reward": lambda env: wrappers.VectorizeTransformReward(
        env, gymnasium.wrappers.TransformReward, func=lambda reward: 2 * reward
    ),
    "transform observation": lambda env: wrappers.TransformObservation(env, np.negative),
    "transform reward": lambda env: wrappers.TransformReward(env, np.negative),
}


@pytest.mark.parametrize("mode", AutoresetMode, ids=lambda mode: mode.name)
@pytest.mark.parametrize("name", WRAPPERS)
def test_vector_wrappers_do_here_what_they_do_to_gymnasiums_own(
    name: str, mode: AutoresetMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = partial(Slots, open_pool=FakePool(*SCRIPTS).opener())
    monkeypatch.setattr("auniverse.env.vectorized.Slots", slots)
    remote = RemoteVectorEnv(CARTPOLE, 2, screen="3x2", autoreset_mode=mode, copy=True)
    own = SyncVectorEnv([partial(Scripted, script) for script in SCRIPTS], autoreset_mode=mode)
    try:
        theirs = WRAPPERS[name](own)
    except ValueError as refusal:  # many have no answer to SAME_STEP
        with pytest.raises(ValueError, match=re.escape(str(refusal))):
            WRAPPERS[name](remote)
        return
    ours = WRAPPERS[name](remote)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert np.array_equal(ours.reset()[0], theirs.reset()[0])
    act = np.zeros(2, np.int64)
    for _ in range(7):
        *mine, _ = ours.step(act)
        *real, _ = theirs.step(act)
        for a, b in zip(mine, real, strict=True):
            assert type(a) is type(b)
            assert np.array_equal(a, b)
        if mode is AutoresetMode.DISABLED and (over := np.array(mine[2] | mine[3])).any():
            again, expected = (e.reset(options={"reset_mask": over.copy()}) for e in (ours, theirs))
            assert np.array_equal(again[0], expected[0])
    ours.close()
    theirs.close()
