"""One remote as a `gymnasium.Env`."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from numpy.typing import NDArray

from auniverse.acquire import Spec
from auniverse.errors import MissingDependencyError, UsageError
from auniverse.spaces import observation_space
from auniverse.window import Window

from .infos import info_of
from .options import Options
from .slots import Phase, Slots, Turn


class RemoteEnv(gymnasium.Env[Any, Any]):
    """One remote as a Gymnasium environment.

    The remote is acquired at the first `reset`. Its spaces are known before, unless the catalogue
    does not describe what it plays, or the screen is "native": then looking at a space acquires it.

    An observation is the screen, uint8 (height, width, 3) RGB, or what a `view` makes of it; with
    text a dict of `screen` and `text`. It is writable and your own; with `copy=False` it is
    read-only, and true for as long as you hold it. In real time the remote runs whether or not it
    is stepped; a `step` waits for the next tick of `fps`. A lost remote ends the episode as
    truncated, with `info["valid"]` False and `info["fault"]`, and the next `reset` waits until it
    is back.

    Args:
        env_id: What to play, such as "gym-core.Pong-v5".
        remotes: Where (see `Options`); one is started by default.
        copy: Whether observations are writable and your own.
        options: Anything else in `Options`, and settings of the environment, such as a page's
            `url`.

    Raises:
        UsageError: An option is wrong, such as an id that is unknown.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  # as Gymnasium declares it
        "render_modes": ["human", "rgb_array"],
        "render_fps": 60.0,
    }

    def __init__(
        self,
        env_id: str | None = None,
        remotes: Spec | None = None,
        *,
        copy: bool = True,
        **options: Any,
    ) -> None:
        self._copy = copy
        self._closed = False
        self._window: Window | None = None
        self._screen: NDArray[np.uint8] | None = None
        self._apply(Options.read(env_id, remotes, options))

    def configure(self, **options: Any) -> None:
        """Change options (see `Options`) before the remote is acquired.

        Raises:
            UsageError: It is acquired already, or an option is wrong.
        """
        if self._slots.opened:
            raise UsageError("configure before the first reset: the remote is there already")
        self._apply(self._slots.options.change(options))

    def _apply(self, options: Options) -> None:
        if options.render_mode not in (None, *self.metadata["render_modes"]):
            raise UsageError(f"render_mode={options.render_mode!r}: human, rgb_array or None")
        self._slots = Slots(options, 1)
        self.render_mode = options.render_mode
        self.metadata = {**type(self).metadata, "render_fps": self._slots.fps}
        for space in ("observation_space", "action_space"):
            self.__dict__.pop(space, None)

    @cached_property
    def observation_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """The space of observations."""
        return observation_space(self._slots.observation_shape, text=self._slots.text)

    @cached_property
    def action_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """The space of actions."""
        return self._slots.preset.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode and wait for its first observation.

        After an episode's end, and without a seed, this is the episode that the remote begins by
        itself.

        Args:
            seed: Given to the remote; what it means is the remote's affair in real time.
            options: None are known.

        Raises:
            ClosedEnvironmentError: The environment is closed.
            ProvisionError: The remote did not start.
            RemoteError: It cannot be reached, refuses, or is lost for good.
        """
        self._refuse_if_closed()
        super().reset(seed=seed)
        turn = self._slots.restart({0: seed})
        return self._observe(turn), info_of(turn.infos, 0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act, wait for the next tick (in lock-step: the next frame), and observe.

        Raises:
            ClosedEnvironmentError: The environment is closed.
            ResetNeeded: The episode is over, or none began.
            InvalidActionError: The action is not from `action_space`.
            RemoteError: The remote is lost for good.
        """
        self._refuse_if_closed()
        if not self._slots.where(Phase.PLAYING):
            raise ResetNeeded("call reset first: no episode is running")
        turn = self._slots.step([action])
        return (
            self._observe(turn),
            float(turn.rewards[0]),
            bool(turn.terminations[0]),
            bool(turn.truncations[0]),
            info_of(turn.infos, 0),
        )

    def render(self) -> NDArray[np.uint8] | None:
        """Return the newest screen as an own array ("rgb_array"), or show it ("human").

        It is the whole screen, in colours, whatever a `view` makes of it.

        Raises:
            ResetNeeded: There is none yet.
        """
        if self.render_mode is None:
            gymnasium.logger.warn("render without a render_mode: say render_mode='rgb_array'")
            return None
        if self._screen is None:
            raise ResetNeeded("call reset before render")
        if self.render_mode == "rgb_array":
            return self._slots.picture(0, self._screen).copy()
        self._show(self._screen)
        return None

    def close(self) -> None:
        """Give the remote back. Twice is once."""
        self._closed = True
        if self._window is not None:
            self._window.close()
            self._window = None
        self._slots.close()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ClosedEnvironmentError("this environment was closed")

    def _observe(self, turn: Turn) -> Any:
        self._screen = turn.screens[0]
        if self.render_mode == "human":
            self._show(self._screen)
        screen = self._screen.copy() if self._copy else self._screen
        return {"screen": screen, "text": turn.texts[0]} if self._slots.text else screen

    def _show(self, screen: NDArray[np.uint8]) -> None:
        screen = self._slots.picture(0, screen)
        try:
            if self._window is None:
                self._window = Window(str(self._slots.options.env_id or "auniverse"))
        except MissingDependencyError as error:
            gymnasium.logger.warn(f"nothing is shown: {error}")
            self.render_mode = None
            return
        self._window.show(screen)
