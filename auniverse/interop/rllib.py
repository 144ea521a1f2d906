"""Remotes for Ray RLlib: an env runner that leaves out what no remote has said."""

from __future__ import annotations

from typing import Any

import gymnasium

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
    All remotes of one runner are one `RemoteVectorEnv`: no process and no thread for each.

    A lost remote cuts its episode off. Its last step, which has no reward, is left out of the
    episode, so that RLlib bootstraps from what was seen before; an episode with nothing else in it
    is left out whole. No metric counts it. `auniverse_episodes_lost` counts them instead.
    RLlib's `restart_failed_sub_environments`, which would begin all of them anew, is not needed:
    the other remotes of the runner play on, and the lost one is back when its pool has healed it.
    """

    def make_env(self) -> None:
        """Create the remotes as one vector environment; they start when they are first needed."""
        config = self.config.copy(copy_frozen=False)
        config.gym_env_vectorize_mode = gymnasium.VectorizeMode.VECTOR_ENTRY_POINT
        # RLlib's stacks of pixels have no room for words, and torch wants arrays it may write to.
        config.env_config = {"text": False, "copy": True, **config.env_config}
        self.config = config
        super().make_env()

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


def is_lost(episode: SingleAgentEpisode) -> bool:
    """Tell whether an episode ended because its remote was lost."""
    return bool(episode.is_truncated and not episode.get_infos(-1).get("valid", True))


def without_last(episode: SingleAgentEpisode) -> SingleAgentEpisode:
    """Return an episode without its last step, cut off there."""
    shorter: SingleAgentEpisode = episode[:-1]
    shorter.is_truncated = True
    return shorter
