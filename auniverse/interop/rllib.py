"""Remotes for Ray RLlib: an env runner that leaves out what no remote has said."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers.vector import DictInfoToList, TransformObservation
from numpy.typing import NDArray

from auniverse.errors import MissingDependencyError

try:
    from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
    from ray.rllib.env.single_agent_episode import SingleAgentEpisode
except ImportError as error:
    raise MissingDependencyError(
        "RLlib is not installed: pip install 'auniverse[rllib]'"
    ) from error


class RemoteEnvRunner(SingleAgentEnvRunner):
    """RLlib's own env runner on remotes.

    ::

        config = (
            PPOConfig()
            .environment("gym-core.Pong-v5", env_config={"lockstep": True, "screen": "96x64"})
            .env_runners(env_runner_cls=RemoteEnvRunner, num_envs_per_env_runner=4)
        )

    The environment is an id that auniverse knows, its `env_config` any of `auniverse.env.Options`.
    All remotes of one runner are one `RemoteVectorEnv`: no process and no thread for each. What is
    seen is float32 from 0 to 1, as RLlib's modules want it, (height, width, 3) or as `view` says.

    A lost remote cuts its episode off. Its last step, which has no reward, is left out of the
    episode, so that RLlib bootstraps from what was seen before; an episode with nothing else in it
    is left out whole. No metric counts it. `auniverse_episodes_lost` counts them instead.
    RLlib's `restart_failed_sub_environments`, which would begin all of them anew, is not needed:
    the other remotes of the runner play on, and the lost one is back when its pool has healed it.
    """

    env: Any

    def make_env(self) -> None:
        """Create the remotes as one vector environment; they start when they are first needed."""
        config = self.config.copy(copy_frozen=False)
        config.gym_env_vectorize_mode = "vector_entry_point"
        config.env_config = {**config.env_config, "text": False}
        self.config = config
        super().make_env()
        remotes: Any = self.env.env  # beneath the wrapper that gives RLlib its infos
        space = gymnasium.spaces.Box(0, 1, remotes.single_observation_space.shape, np.float32)
        self.env = DictInfoToList(
            TransformObservation(remotes, floats, batch_space(space, self.num_envs), space)
        )

    def _sample(self, **options: Any) -> list[SingleAgentEpisode]:
        episodes = super()._sample(**options)
        lost = {id(episode) for episode in episodes if is_lost(episode)}
        if not lost:
            return episodes
        self._done_episodes_for_metrics = [
            episode for episode in self._done_episodes_for_metrics if id(episode) not in lost
        ]
        self.metrics.log_value("auniverse_episodes_lost", len(lost), reduce="sum")
        kept = (without_last(e) if id(e) in lost else e for e in episodes)
        return [episode for episode in kept if len(episode)]


def floats(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pixels as float32 from 0 to 1."""
    return pixels.astype(np.float32) / np.float32(255)


def is_lost(episode: SingleAgentEpisode) -> bool:
    """Tell whether an episode ended because its remote was lost."""
    return bool(episode.is_truncated and not episode.get_infos(-1).get("valid", True))


def without_last(episode: SingleAgentEpisode) -> SingleAgentEpisode:
    """Return an episode without its last step, cut off there."""
    shorter: SingleAgentEpisode = episode[:-1]
    shorter.is_truncated = True
    return shorter
