"""Many remotes as a `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, iterate
from numpy.typing import NDArray

from auniverse.acquire import Spec, count_remotes
from auniverse.errors import InvalidActionError, UsageError
from auniverse.spaces import observation_space
from auniverse.vector import stack_infos

from .infos import info_of, spread, with_masks
from .options import Options
from .slots import Phase, Slots, Turn

Step = tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class RemoteVectorEnv(VectorEnv[Any, Any, NDArray[Any]]):
    """Many remotes as one Gymnasium vector environment, without a process or a thread for each.

    As `RemoteEnv`, and: observations are uint8 (n, height, width, 3) RGB, or what a `view` makes of
    them; with text a dict of `screen` and `text`, a tuple. A remote that is lost for good stays as
    an episode that is truncated at every step, not valid and with its fault; once all are, their
    error is raised.

    Args:
        env_id: What all of them play.
        num_envs: How many; 1 takes as many as `remotes` names.
        remotes: Which (see `Options`); as many as needed are started by default.
        autoreset_mode: What happens after an episode's end, as Gymnasium means it: NEXT_STEP,
            SAME_STEP or DISABLED.
        copy: Whether observations are writable and your own. If not, they are snapshots of the
            pool: yours to keep, but read-only.
        options: Anything else in `Options`, and settings of the environment, such as a page's
            `url`.

    Raises:
        UsageError: An option is wrong, or `num_envs` and `remotes` contradict each other.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  # as Gymnasium declares it
        "render_modes": ["rgb_array"],
        "render_fps": 60.0,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        env_id: str | None = None,
        num_envs: int = 1,
        remotes: Spec | None = None,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = False,
        **options: Any,
    ) -> None:
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.copy = copy
        self._wanted = num_envs
        self._screens: NDArray[np.uint8] | None = None
        self._texts: tuple[str, ...] = ()
        self._apply(Options.read(env_id, remotes, options))

    def configure(self, **options: Any) -> None:
        """Change options (see `Options`) before the remotes are acquired.

        Raises:
            UsageError: They are acquired already, or an option is wrong.
        """
        if self._slots.opened:
            raise UsageError("configure before the first reset: the remotes are there already")
        self._apply(self._slots.options.change(options))

    def _apply(self, options: Options) -> None:
        if options.render_mode not in (None, *self.metadata["render_modes"]):
            raise UsageError(f"render_mode={options.render_mode!r}: rgb_array or None")
        given = count_remotes(options.spec(self._wanted))
        self._slots = Slots(options, given if self._wanted == 1 else self._wanted)
        self.num_envs = self._slots.num_envs
        self.render_mode = options.render_mode
        self.metadata = {
            **type(self).metadata,
            "render_fps": self._slots.fps,
            "autoreset_mode": self.autoreset_mode,
        }
        for side in ("observation_space", "action_space"):
            for space in (side, f"single_{side}"):
                self.__dict__.pop(space, None)

    @cached_property
    def single_observation_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """The space of one remote's observations."""
        return self._observation_space(None)

    @cached_property
    def observation_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """The space of observations."""
        return self._observation_space(self.num_envs)

    @cached_property
    def single_action_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """The space of one remote's actions."""
        return self._slots.preset.space

    @cached_property
    def action_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """The space of actions."""
        return batch_space(self.single_action_space, self.num_envs)

    def _observation_space(self, n: int | None) -> gymnasium.Space[Any]:
        return observation_space(self._slots.observation_shape, text=self._slots.text, n=n)

    # -- playing -------------------------------------------------------------------------------

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episodes and wait for all of their first observations.

        Args:
            seed: One for each remote, or one number: remote i gets `seed + i`.
            options: `reset_mask`, a bool array (num_envs,): which remotes; all by default.

        Raises:
            ClosedEnvironmentError: The environment is closed.
            ResetNeeded: The mask leaves out a remote that was never reset.
            ProvisionError: A remote did not start.
            RemoteError: None can be reached, or one refuses.
            TypeError: The mask is no bool array.
            ValueError: The mask or the seeds have another length, or the mask is all False.
        """
        self._refuse_if_closed()
        if isinstance(seed, int):
            super().reset(seed=seed)
        seeds = self._seeds(seed)
        mask = (options or {}).get("reset_mask")
        if mask is None:
            turn = self._slots.restart(dict(enumerate(seeds)))
            return self._observe(turn.screens, turn.texts), turn.infos
        chosen = self._chosen(mask)
        turn = self._slots.restart({slot: seeds[slot] for slot in chosen})
        return self._replace(chosen, turn), spread(turn.infos, chosen, self.num_envs)

    def step(self, actions: Any) -> Step:
        """Act everywhere and wait for all results; see `autoreset_mode` for ended episodes.

        Raises:
            ClosedEnvironmentError: The environment is closed.
            ResetNeeded: Somewhere no episode is running.
            InvalidActionError: An action is not from `single_action_space`; nothing was sent.
            RemoteError: All remotes are lost for good.
        """
        self._refuse_if_closed()
        self._refuse_if_reset_is_needed()
        each = list(iterate(self.action_space, actions))
        if len(each) != self.num_envs:
            raise InvalidActionError(f"{len(each)} actions for {self.num_envs} remotes")
        turn = self._slots.step(each)
        observations, infos = self._observe(turn.screens, turn.texts), turn.infos
        over = self._slots.where(Phase.OVER)
        if over and self.autoreset_mode is AutoresetMode.SAME_STEP:
            observations, infos = self._restart_in_the_same_step(over, turn)
        return observations, turn.rewards, turn.terminations, turn.truncations, infos

    def _restart_in_the_same_step(self, over: list[int], last: Turn) -> tuple[Any, dict[str, Any]]:
        final_obs = np.full(self.num_envs, None, object)
        for slot in over:
            final_obs[slot] = self._single(last, slot)
        was_over = np.isin(np.arange(self.num_envs), over)
        first = self._slots.restart(dict.fromkeys(over))
        infos = [info_of(last.infos, slot) for slot in range(self.num_envs)]
        for position, slot in enumerate(over):
            infos[slot] = info_of(first.infos, position)
        final_info = {key: column[over] for key, column in last.infos.items()}
        return self._replace(over, first), {
            **with_masks(stack_infos(infos), self.num_envs),
            "final_obs": final_obs,
            "_final_obs": was_over,
            "final_info": spread(final_info, over, self.num_envs),
            "_final_info": was_over.copy(),
        }

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Return the newest screens, read-only, if `render_mode` is "rgb_array".

        They are whole screens, in colours, whatever a `view` makes of them.

        Raises:
            ResetNeeded: There are none yet.
        """
        if self.render_mode is None:
            gymnasium.logger.warn("render without a render_mode: say render_mode='rgb_array'")
            return None
        if self._screens is None:
            raise ResetNeeded("call reset before render")
        return tuple(self._slots.picture(slot, seen) for slot, seen in enumerate(self._screens))

    def close_extras(self, **kwargs: Any) -> None:
        """Give the remotes back."""
        self._slots.close()

    # -- inside --------------------------------------------------------------------------------

    def _observe(self, screens: NDArray[np.uint8], texts: tuple[str, ...]) -> Any:
        self._screens, self._texts = screens, texts
        seen = screens.copy() if self.copy else screens
        return {"screen": seen, "text": texts} if self._slots.text else seen

    def _replace(self, slots: list[int], turn: Turn) -> Any:
        """Return the last observations with some of them replaced."""
        assert self._screens is not None
        screens, texts = self._screens.copy(), list(self._texts)
        for slot, screen, text in zip(slots, turn.screens, turn.texts, strict=True):
            screens[slot], texts[slot] = screen, text
        screens.flags.writeable = False
        return self._observe(screens, tuple(texts))

    def _single(self, turn: Turn, slot: int) -> Any:
        screen = turn.screens[slot].copy() if self.copy else turn.screens[slot]
        return {"screen": screen, "text": turn.texts[slot]} if self._slots.text else screen

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int):
            return [seed + slot for slot in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds for {self.num_envs} remotes")
        return list(seed)

    def _chosen(self, mask: Any) -> list[int]:
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError("options['reset_mask'] must be a NumPy array of bools")
        if mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError(
                f"options['reset_mask'] must have the shape ({self.num_envs},) and a True in it"
            )
        chosen: list[int] = np.flatnonzero(mask).tolist()
        if never := sorted({*self._slots.where(Phase.FRESH)} - {*chosen}):
            raise ResetNeeded(f"remotes {never} were never reset: reset without a mask first")
        return chosen

    def _refuse_if_closed(self) -> None:
        if self.closed:
            raise ClosedEnvironmentError("this environment was closed")

    def _refuse_if_reset_is_needed(self) -> None:
        waiting = self._slots.where(Phase.FRESH)
        if self.autoreset_mode is AutoresetMode.DISABLED:
            waiting += self._slots.where(Phase.OVER)
        if waiting:
            raise ResetNeeded(f"no episode is running on remotes {waiting}: call reset first")
