from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, MultiBinary
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import (
    VecCheckNan,
    VecEnv,
    VecExtractDictObs,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    VecTransposeImage,
)

import auniverse
from auniverse.errors import ConnectionLostError, InvalidActionError, UsageError
from auniverse.interop.sb3 import RemoteVecEnv
from tests.fakes import FakePool

from .conftest import SCRIPTED

pytestmark = pytest.mark.xdist_group("sb3")

Script = Callable[..., FakePool]
CARTPOLE: dict[str, Any] = {
    "env_id": "gym-core.CartPole-v1",
    "num_envs": 2,
    "lockstep": True,
    "screen": "60x40",
}


def steps(env: VecEnv, count: int) -> list[Any]:
    return [env.step(np.zeros(env.num_envs, np.int64)) for _ in range(count)]


def test_an_episodes_end_brings_its_last_screen(scripted: Script) -> None:
    scripted("r.tr.", "r..cr")
    env = RemoteVecEnv(num_envs=2, **SCRIPTED)
    first = env.reset()
    assert first.tolist() == np.ones((2, 2, 3, 3)).tolist()
    assert first.flags.writeable
    assert [info["text"] for info in env.reset_infos] == ["letter r"] * 2
    _, (screens, rewards, dones, infos), (_, _, later, cut) = steps(env, 3)
    assert (rewards.dtype, rewards.tolist(), dones.tolist()) == (np.float32, [1, 1], [True, False])
    assert screens[:, 0, 0, 0].tolist() == [4, 3]  # the next episode's first, and what goes on
    assert infos[0]["terminal_observation"][0, 0, 0] == 3
    assert [info["TimeLimit.truncated"] for info in infos] == [False, False]
    assert [info["text"] for info in infos] == ["letter t", "letter ."]
    assert env.reset_infos[0]["text"] == "letter r"
    assert not any(key.startswith(("_", "final")) for info in infos for key in info)
    assert "terminal_observation" not in infos[1]
    assert (later.tolist(), cut[1]["TimeLimit.truncated"]) == ([False, True], True)
    assert cut[1]["terminal_observation"][0, 0, 0] == 4
    env.close()
    env.close()


def test_a_lost_remote_is_cut_off_and_earns_nothing(scripted: Script) -> None:
    scripted("r.fr.", "r....")
    env = RemoteVecEnv(num_envs=2, **SCRIPTED)
    env.reset()
    _, (_, rewards, dones, infos), (_, after, _, healed) = steps(env, 3)
    assert (rewards.tolist(), dones.tolist()) == ([0, 1], [True, False])
    lost, other = infos
    assert (lost["valid"], lost["fault"]["type"]) == (False, "ConnectionLostError")
    assert lost["TimeLimit.truncated"]
    assert lost["terminal_observation"].shape == (2, 3, 3)
    assert (other["valid"], "fault" in other) == (True, False)
    assert (after.tolist(), [info["valid"] for info in healed]) == ([1, 1], [True, True])
    assert not any("fault" in info for info in healed)
    env.close()


def test_who_is_lost_for_good_is_cut_off_at_every_step(scripted: Script) -> None:
    scripted("r.x", "r...x")
    env = RemoteVecEnv(num_envs=2, **SCRIPTED)
    env.reset()
    for _, rewards, dones, infos in steps(env, 3)[1:]:
        assert (rewards.tolist(), dones.tolist()) == ([0, 1], [True, False])
        assert infos[0]["TimeLimit.truncated"]
        assert not infos[0]["fault"]["retryable"]
    with pytest.raises(ConnectionLostError):  # nobody is left
        steps(env, 1)
    env.close()


def test_seeds_are_for_one_reset(scripted: Script) -> None:
    pool = scripted("r.r.r", "r.r.r")
    env = RemoteVecEnv(num_envs=2, **SCRIPTED)
    assert env.seed(7) == [7, 8]
    env.reset()
    env.reset_infos = []
    with pytest.raises(InvalidActionError):
        env.step(np.array([0, 2]))
    assert [call for call in pool.calls if call[0] == "reset"] == [("reset", [7, 8], [0, 1])]
    steps(env, 1)
    env.reset()
    assert pool.calls[-1] == ("reset", [None, None], [0, 1])
    env.set_options({"level": 3})
    with pytest.raises(UsageError, match="level"):
        env.reset()
    env.close()


def test_attributes_and_methods(scripted: Script) -> None:
    scripted("r", "r")
    env = RemoteVecEnv(num_envs=2, render_mode="rgb_array", **SCRIPTED)
    assert isinstance(env.observation_space, Box)
    assert env.observation_space.shape == (2, 3, 3)
    assert env.get_attr("action_space") == [env.action_space] * 2
    assert env.get_attr("num_envs", 1) == [2]
    assert env.env_method("get_wrapper_attr", "render_mode", indices=[0]) == ["rgb_array"]
    assert not env.has_attr("frobnicate")
    env.set_attr("label", "here")
    assert env.get_attr("label") == ["here", "here"]
    with pytest.raises(UsageError, match="in common"):
        env.set_attr("label", "there", indices=0)
    with pytest.raises(UsageError, match="no methods of its own"):
        env.env_method("close")
    assert env.env_is_wrapped(Monitor) == [False, False]
    env.reset()
    (image,) = env.env_method("render", indices=[1])
    assert image.shape == (2, 3, 3)
    picture = env.render()
    assert picture is not None
    assert picture.shape == (4, 3, 3)
    env.close()


def test_without_a_render_mode_there_are_no_images(scripted: Script) -> None:
    scripted("r")
    env = RemoteVecEnv(**SCRIPTED)
    env.reset()
    with pytest.warns(UserWarning, match="render_mode='rgb_array'"):
        assert list(env.get_images()) == [None]
    env.close()


def test_keys_are_a_multi_binary() -> None:
    env = RemoteVecEnv("gym-core.CartPole-v1", actions="keys")
    assert env.action_space == MultiBinary(2)
    env.close()


def test_its_own_wrappers_and_algorithms_work() -> None:
    remotes = RemoteVecEnv(**CARTPOLE)
    remotes.seed(1)
    monitored = VecMonitor(VecCheckNan(remotes, raise_exception=True))
    env = VecTransposeImage(VecFrameStack(monitored, 2))
    assert env.observation_space.shape == (6, 40, 60)
    model = PPO("CnnPolicy", env, n_steps=8, batch_size=16, n_epochs=1, seed=1, device="cpu")
    model.learn(16)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=1)
    assert mean >= 8
    normalized = VecNormalize(monitored)
    assert normalized.reset().shape == (2, 40, 60, 3)
    assert np.isfinite(normalized.step(np.array([0, 1]))[0]).all()
    env.close()


def test_text_can_be_had_where_it_is_wanted() -> None:
    env = RemoteVecEnv("gym-core.FrozenLake-v1", lockstep=True, screen="60x40", text=True)
    assert VecExtractDictObs(env, "screen").reset().shape == (1, 40, 60, 3)
    env.close()


def test_a_view_is_what_policies_see() -> None:
    view = auniverse.View(size=(36, 40), grey=True, stack=4)
    env = RemoteVecEnv("gym-core.CartPole-v1", lockstep=True, view=view)
    model = PPO("CnnPolicy", env, n_steps=4, batch_size=4, n_epochs=1, device="cpu")
    assert model.observation_space.shape == env.reset().shape[1:] == (4, 36, 40)
    assert model.learn(4).num_timesteps == 4
    env.close()
