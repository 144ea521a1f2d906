"""Remotes as a `VecEnv` of Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from auniverse.acquire import Spec
from auniverse.env import RemoteVectorEnv, info_of
from auniverse.errors import MissingDependencyError, UsageError

try:
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise MissingDependencyError(
        "Stable-Baselines3 is not installed: pip install 'auniverse[sb3]'"
    ) from error

Indices = int | Iterable[int] | None


class RemoteVecEnv(VecEnv):
    """Many remotes as one `VecEnv`: `PPO("CnnPolicy", RemoteVecEnv("gym-core.Pong-v5", 8))`.

    Observations are uint8 (n, height, width, 3) RGB, or what `view=` makes of them; they are
    copies. Infos are one dict for each remote. An episode that has ended brings
    `terminal_observation`, its last, and `TimeLimit.truncated`, whether it was cut off rather than
    terminated; the observation of that step is the first of the next episode already.

    A lost remote cuts its episode off: `TimeLimit.truncated`, `fault` says why, `valid` is False,
    and the reward of that step is 0.0 because there is none. The others never notice; the next
    episode begins when the remote is back.

    Args:
        env_id: What all of them play.
        num_envs: How many; 1 takes as many as `remotes` names.
        remotes: Which (see `auniverse.env.Options`); as many as needed are started by default.
        options: Anything else in `auniverse.env.Options`.

    Raises:
        UsageError: An option is wrong.
        ProvisionError: A remote did not start, where its spaces had to be asked for.
    """

    def __init__(
        self,
        env_id: str | None = None,
        num_envs: int = 1,
        remotes: Spec | None = None,
        **options: Any,
    ) -> None:
        self.envs = RemoteVectorEnv(
            env_id,
            num_envs,
            remotes,
            autoreset_mode=AutoresetMode.SAME_STEP,
            copy=True,  # torch warns of arrays that cannot be written to
            # no policy there reads text
            **{"text": False, **options},
        )
        self._actions: NDArray[Any] | None = None
        super().__init__(
            self.envs.num_envs, self.envs.single_observation_space, self.envs.single_action_space
        )

    def reset(self) -> Any:
        """Begin episodes, with what `seed` and `set_options` said last; return their first screens.

        Raises:
            UsageError: There are options; remotes have none.
            ProvisionError: A remote did not start.
            RemoteError: None can be reached, or one refuses.
        """
        if any(self._options):
            raise UsageError(f"options of a reset: remotes have none, not {self._options}")
        observations, infos = self.envs.reset(seed=self._seeds)
        self.reset_infos = [info_of(infos, slot) for slot in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Act everywhere and wait for all results.

        Raises:
            InvalidActionError: An action is not from `action_space`; nothing was sent.
            RemoteError: All remotes are lost for good.
        """
        observations, rewards, terminated, truncated, infos = self.envs.step(self._actions)
        self._actions = None
        over = terminated | truncated
        now = {key: column for key, column in infos.items() if "final_" not in key}
        each = [info_of(now, slot) for slot in range(self.num_envs)]
        for slot in np.flatnonzero(over).tolist():
            self.reset_infos[slot] = each[slot]
            last = infos["final_obs"][slot]
            each[slot] = {**info_of(infos["final_info"], slot), "terminal_observation": last}
        for info, cut in zip(each, truncated & ~terminated, strict=True):
            info["TimeLimit.truncated"] = bool(cut)
        return observations, rewards.astype(np.float32), over, each

    def close(self) -> None:
        """Give the remotes back. Twice is once."""
        self.envs.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Return the newest screens, if `render_mode` is "rgb_array"."""
        return self.envs.render() or [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Return an attribute of `RemoteVectorEnv` for each remote; spaces are those of one.

        Raises:
            AttributeError: It has none of that name.
        """
        single = f"single_{attr_name}"
        name = single if hasattr(type(self.envs), single) else attr_name
        return [getattr(self.envs, name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Set an attribute of all remotes.

        Raises:
            UsageError: `indices` are not all of them: their attributes are one.
        """
        if sorted(self._get_indices(indices)) != list(range(self.num_envs)):
            raise UsageError(f"set_attr({attr_name!r}): remotes have their attributes in common")
        setattr(self.envs, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method for each remote: `render` and `get_wrapper_attr`, there are no others.

        Raises:
            UsageError: It is another one: it would act on all remotes, not on each.
        """
        slots = list(self._get_indices(indices))
        if method_name == "get_wrapper_attr":
            return self.get_attr(method_args[0], slots)
        if method_name == "render":
            images = self.get_images()
            return [images[slot] for slot in slots]
        raise UsageError(f"env_method({method_name!r}): one remote has no methods of its own")

    def env_is_wrapped(self, wrapper_class: Any, indices: Indices = None) -> list[bool]:
        """Return that none is: wrappers of one environment have nothing to hold on to here."""
        return [False for _ in self._get_indices(indices)]
