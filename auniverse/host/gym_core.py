"""Any Gymnasium environment as a program: `gym-core.<name>-v<N>`."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import logging
import os
import re
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from auniverse.errors import AuniverseError, MissingDependencyError, UnknownEnvError, UsageError
from auniverse.rfb import KeyEvent, PointerEvent

from .controls import Controls, HeldActions, HeldAxes, Keys, TappedActions
from .games import NUMBERED, PAIRED, Game, atari_keys, find_game
from .program import Metadata, Outcome, Picture

_log = logging.getLogger(__name__)

PREFIX = "gym-core."
MAX_FPS = 60.0
DEFAULT_FPS = 30.0
#: Pictures per second of a turn-based game: time passes there only to show the next turn.
TURN_FPS = 10.0

# No colon: Gymnasium would import the module before it.
_ID = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?-v[0-9]+")

#: Packages that register environments when they are imported, and how the ids of each begin
#: ("" for any). Those that are not installed are passed over.
_PLUGINS = (
    ("MiniGrid-", "minigrid"),
    ("BabyAI-", "minigrid"),
    ("Vizdoom", "vizdoom.gymnasium_wrapper"),
    ("", "ale_py"),
    ("", "minigrid"),
    ("", "highway_env"),
    ("", "gymnasium_robotics"),
)

# pygame must neither look for a screen nor for a sound card, nor greet on our stdout.
_QUIET = {
    "SDL_VIDEODRIVER": "dummy",
    "SDL_AUDIODRIVER": "dummy",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}


class GymProgram:
    """The `Program` that plays Gymnasium environments, one at a time."""

    def __init__(self) -> None:
        self._env: gymnasium.Env[Any, Any] | None = None
        self._controls: Controls
        self._game: Game | None
        self._picture: Picture
        self._text: str | None = None

    def load(self, env_id: str) -> Metadata:
        """Make `env_id` the environment; a failure leaves the one before it as it was.

        Raises:
            UnknownEnvError: No installed package registers it; the message gives near names.
            UsageError: It cannot be drawn, or has actions that keys cannot express.
            MissingDependencyError: It needs a package that is not installed.
        """
        env = _make(find_id(env_id), env_id)
        try:
            observation, _ = env.reset()
            picture = _draw(env)
            game = find_game(env.unwrapped)
            controls = _controls_for(env, game, env_id, (picture.shape[1], picture.shape[0]))
        except Exception as exc:
            env.close()
            raise _refusal(env_id, exc) from exc
        self.close()
        self._env, self._controls, self._game, self._picture = env, controls, game, picture
        self._text = self._say(observation)
        height, width = picture.shape[:2]
        return Metadata(
            env_id=env_id,
            fps=_fps(env, game),
            width=width,
            height=height,
            actions=controls.actions,
            press=controls.press_mode,
            keys=controls.keys,
            pointer=controls.pointer,
            text=self._text is not None,
        )

    def reset(self, seed: int | None) -> tuple[Picture, str | None]:
        """Begin an episode, all keys up; return its first picture and what it says in words."""
        env = self._loaded
        self._controls.forget()
        observation, _ = env.reset(seed=seed)
        self._picture, self._text = _draw(env), self._say(observation)
        return self._picture, self._text

    def press(self, event: KeyEvent | PointerEvent) -> None:
        """Take an input; a pointer comes in pixels of the environment's own picture."""
        self._controls.press(event)

    def advance(self) -> tuple[Picture, Outcome]:
        """Take the step that the keys say; in a turn-based game, none if no key was pressed."""
        env = self._loaded
        action = self._controls.take()
        if action is None:
            return self._picture, Outcome(0.0, False, False, self._text, {})
        observation, reward, terminated, truncated, _ = env.step(action)
        self._picture, self._text = _draw(env), self._say(observation)
        outcome = Outcome(float(reward), bool(terminated), bool(truncated), self._text, {})
        return self._picture, outcome

    def close(self) -> None:
        """Close the environment."""
        if self._env is not None:
            self._env.close()
            self._env = None

    @property
    def _loaded(self) -> gymnasium.Env[Any, Any]:
        if self._env is None:
            raise RuntimeError("no environment is loaded")
        return self._env

    def _say(self, observation: Any) -> str | None:
        if self._game is not None and self._game.words is not None:
            return self._game.words(self._loaded.unwrapped, observation)
        mission = observation.get("mission") if isinstance(observation, dict) else None
        return mission if isinstance(mission, str) else None


def find_id(env_id: str) -> str:
    """Return Gymnasium's id for ours: "gym-core.Pong-v5" is "ALE/Pong-v5".

    Raises:
        UnknownEnvError: No installed package registers it; the message gives near names.
    """
    name = env_id.removeprefix(PREFIX)
    if env_id.startswith(PREFIX) and _ID.fullmatch(name):
        candidates = (name,) if "/" in name else (name, f"ALE/{name}")
        for prefix, plugin in (("", None), *_PLUGINS):
            if name.startswith(prefix):
                _register(plugin)
                for candidate in candidates:
                    if candidate in gymnasium.registry:
                        return candidate
    known = [PREFIX + known.removeprefix("ALE/") for known in gymnasium.registry]
    near = difflib.get_close_matches(env_id, known, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UnknownEnvError(f"no environment {env_id!r} here{hint}")


def _register(plugin: str | None) -> None:
    package = (plugin or "").partition(".")[0]
    if plugin is None or importlib.util.find_spec(package) is None:
        return
    try:
        module = importlib.import_module(plugin)
    except Exception:
        # One broken package must not keep the others from being played.
        _log.exception("%s cannot be imported", plugin)
        return
    if plugin == "ale_py":
        # Else every game greets on stderr.
        module.ALEInterface.setLoggerMode(module.LoggerMode.Error)


def _make(name: str, env_id: str) -> gymnasium.Env[Any, Any]:
    for variable, value in _QUIET.items():
        os.environ.setdefault(variable, value)
    # Every emulated frame is shown; the screen is drawn once, so observations are memory cells.
    extra: dict[str, Any] = {"frameskip": 1, "obs_type": "ram"} if name.startswith("ALE/") else {}
    try:
        return gymnasium.make(name, render_mode="rgb_array", disable_env_checker=True, **extra)
    except Exception as exc:
        raise _refusal(env_id, exc) from exc


def _refusal(env_id: str, exc: Exception) -> AuniverseError:
    """Say that an environment is no use here; its package may have raised anything."""
    if isinstance(exc, AuniverseError):
        return exc
    if isinstance(exc, ImportError | gymnasium.error.DependencyNotInstalled):
        return MissingDependencyError(f"{env_id}: {exc}")
    return UsageError(f"{env_id} cannot be played: {exc!r}")


def _draw(env: gymnasium.Env[Any, Any]) -> Picture:
    picture: Any = env.render()
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3:
        return picture
    raise UsageError(f"{env} draws no picture (render_mode rgb_array)")


def _fps(env: gymnasium.Env[Any, Any], game: Game | None) -> float:
    if game is not None and game.turns:
        return TURN_FPS
    if _is_atari(env):
        # Its metadata says 30, which is neither with nor without frame skip.
        return MAX_FPS
    return min(float(env.metadata.get("render_fps") or DEFAULT_FPS), MAX_FPS)


def _is_atari(env: gymnasium.Env[Any, Any]) -> bool:
    return env.spec is not None and env.spec.namespace == "ALE"


def _controls_for(
    env: gymnasium.Env[Any, Any], game: Game | None, env_id: str, size: tuple[int, int]
) -> Controls:
    space = env.action_space
    if isinstance(space, spaces.Discrete):
        return _discrete(env, game, env_id, space)
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and space.is_bounded():
        axes = game.axes if game is not None and game.axes else PAIRED[: len(space.low)]
        if len(axes) == len(space.low):
            low, high = space.low.astype(np.float32), space.high.astype(np.float32)
            return HeldAxes(axes, low, high, size)
    raise UsageError(f"{env_id} cannot be played with keys: its action space is {space}")


def _discrete(
    env: gymnasium.Env[Any, Any], game: Game | None, env_id: str, space: spaces.Discrete[Any]
) -> Controls:
    count, start = int(space.n), int(space.start)
    actions: tuple[Keys, ...] = game.actions if game is not None else ()
    if _is_atari(env):
        bare: Any = env.unwrapped
        actions = tuple(atari_keys(meaning) for meaning in bare.get_action_meanings())
    if len(actions) >= count:
        # MiniGrid's smaller sets of actions are the beginning of the full one.
        actions = actions[:count]
        turns = game is not None and game.turns
        return TappedActions(actions, start=start) if turns else HeldActions(actions, start=start)
    if count > len(NUMBERED):
        raise UsageError(f"{env_id} has {count} actions, more than there are keys for")
    return HeldActions([(key,) for key in NUMBERED[:count]], start=start, idle=0)
