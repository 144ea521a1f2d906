"""Ray is imported late: it takes seconds, and most workers run none of this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakePool

from .conftest import SCRIPTED

Script = Callable[..., FakePool]


pytestmark = pytest.mark.xdist_group("rllib")


def runner_of(number: int, *, module: bool = False, **options: Any) -> Any:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
    from ray.rllib.algorithms.ppo import PPOConfig

    from auniverse.interop.rllib import RemoteEnvRunner

    config = PPOConfig() if module else AlgorithmConfig()
    config.environment(options.pop("env_id"), env_config=options)
    config.env_runners(env_runner_cls=RemoteEnvRunner, num_envs_per_env_runner=number)
    return RemoteEnvRunner(config=config)


def of_length(episodes: list[Any]) -> list[int]:
    return sorted(len(episode) for episode in episodes)


def numbers(episode: Any) -> list[int]:
    """Return what the fake screens show, one number each."""
    seen = episode.get_observations()
    assert seen.dtype == np.float32
    return np.rint(seen[:, 0, 0, 0] * 255).astype(int).tolist()


def test_episodes_are_those_of_the_remotes(scripted: Script) -> None:
    scripted("r..tr...", "r......")
    runner = runner_of(2, **SCRIPTED)
    episodes = runner.sample(num_timesteps=9, random_actions=True)
    assert of_length(episodes) == [1, 3, 5]
    ended = next(episode for episode in episodes if episode.is_done)
    assert (ended.is_terminated, ended.get_return()) == (True, 3)
    assert numbers(ended) == [1, 2, 3, 4]
    runner.stop()


def test_a_lost_remote_leaves_no_step_behind(scripted: Script) -> None:
    scripted("r..fr...", "r......")
    runner = runner_of(2, **SCRIPTED)
    episodes = runner.sample(num_timesteps=9, random_actions=True)
    assert of_length(episodes) == [1, 2, 5]
    (lost,) = [episode for episode in episodes if episode.is_done]
    assert (lost.is_truncated, lost.is_terminated, lost.get_return()) == (True, False, 2)
    assert numbers(lost) == [1, 2, 3]
    assert all(info["valid"] for info in lost.get_infos())
    metrics = runner.get_metrics()
    assert metrics["auniverse_episodes_lost"].peek() == 1
    assert "episode_return_mean" not in metrics or np.isnan(metrics["episode_return_mean"].peek())
    runner.stop()


def test_an_episode_that_was_lost_at_once_is_none(scripted: Script) -> None:
    scripted("rfr...", "r......")
    runner = runner_of(2, **SCRIPTED)
    episodes = runner.sample(num_timesteps=5, random_actions=True)
    assert of_length(episodes) == [1, 3]
    assert not any(episode.is_done for episode in episodes)
    runner.stop()


@pytest.mark.filterwarnings("ignore:.*RLModule:DeprecationWarning")
def test_its_modules_see_the_pixels() -> None:
    options = {"env_id": "gym-core.CartPole-v1", "lockstep": True, "screen": "42x42"}
    runner = runner_of(2, module=True, **options)
    episodes = runner.sample(num_timesteps=20, explore=True)
    assert sum(map(len, episodes)) == 20
    assert episodes[0].get_observations(0).shape == (42, 42, 3)
    assert episodes[0].get_observations(0) in runner.env.single_observation_space
    assert all("action_logp" in episode.extra_model_outputs for episode in episodes)
    runner.stop()
