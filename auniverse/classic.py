"""Universe's own API: `make(id)`, `configure(...)`, lists of four.

::

    from auniverse import classic as gym

    env = gym.make("gym-core.Pong-v5")
    env.configure(remotes=1)
    observation_n = env.reset()
    while True:
        action_n = [[("KeyEvent", "ArrowUp", True)] for _ in observation_n]
        observation_n, reward_n, done_n, info = env.step(action_n)
        env.render()

Theory of operation. `step` never waits for a remote. A pool that is always due runs behind a
portal; a step sends input to the indices that play, waits for its own tick, and takes what there
is. An index without a result has none because it boots, resets or heals: it is *masked*, its
observation is None and its action is dropped, as Universe has it. Otherwise than there, one lost
remote reports its error once and heals, and the others go on.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auniverse.acquire import (
    Spec,
    catalogued,
    check_fps,
    default_spec,
    remotes_for,
    session_options,
)
from auniverse.address import Remote
from auniverse.errors import MissingDependencyError, UsageError
from auniverse.portal import Opened, Portal
from auniverse.spaces import Events, parse_events
from auniverse.vector import INFO_KEYS, Batch, SessionPool
from auniverse.window import Window

Observation = dict[str, Any] | None
Step = tuple[list[Observation], list[float | None], list[bool | None], dict[str, Any]]

#: Options of Universe's that change nothing here, and what takes their place.
WITHOUT_EFFECT = {
    "ignore_clock_skew",  # it is measured on the rewarder's own channel, on one machine as well
    "disable_action_probes",  # hosts say which input they have read
    "skip_metadata",  # nothing is painted on the screen
    "replace_on_crash",  # a lost remote is always tried again
    "allocate_sync",  # remotes are there when `configure` returns
}
#: Options of Universe's that cannot be had.
UNSUPPORTED = {
    "api_key",
    "environment",
    "record",
    "rewarder_driver",
    "sample_env_ids",
    "vnc_driver",
}

#: Our info keys, and Universe's for the same.
_INFO_KEYS = {
    "updates": "stats.vnc.updates.n",
    "bytes": "stats.vnc.updates.bytes",
    "damage_pixels": "stats.vnc.updates.pixels",
}
_MASKED = {"mask.masked.observation": True, "mask.masked.action": True}
_log = logging.getLogger(__name__)


def make(env_id: str) -> ClassicEnv:
    """Return the environment of that id; it must be configured before it is reset."""
    return ClassicEnv(env_id)


class ClassicEnv:
    """Remotes as Universe's vectorized, asynchronous environment.

    Attributes:
        env_id: What it plays.
        n: How many remotes there are; 0 before `configure`.
        metadata: Universe's.
    """

    def __init__(self, env_id: str) -> None:
        self.env_id = env_id
        self.n = 0
        self.metadata: dict[str, Any] = {
            "semantics.async": True,
            "semantics.autoreset": True,
            "runtime.vectorized": True,
            "configure.required": True,
            "video.frames_per_second": 60.0,
            "render.modes": ["human"],
        }
        self.action_space = Events()
        self._seeds: int | Sequence[int | None] | None = None
        self._portal: Portal | None = None
        self._opening: Opened[SessionPool]
        self._indices: list[_Index] = []
        self._window: Window | None = None
        self._windowless = False
        self._begun = False
        self._period = 0.0
        self._due = 0.0

    def configure(
        self,
        remotes: Spec | None = None,
        *,
        client_id: str | None = None,
        docker_image: str | None = None,
        start_timeout: float | None = None,
        fps: float | str | None = "default",
        vnc_kwargs: Mapping[str, Any] | None = None,
        observer: bool = False,
        **others: Any,
    ) -> None:
        """Get the remotes, and begin to connect to them.

        Args:
            remotes: A number to start, or the addresses of running ones; None: what the
                environment variable GYM_VNC_REMOTES says, else 1.
            client_id: Whose remotes they are: containers go on when this process ends, and the next
                one with the same id takes them again; processes are not kept.
            docker_image: Takes the place of the runtime's image.
            start_timeout: Seconds for the remotes to boot, and to answer.
            fps: Steps a second; "default": the environment's own; None: `step` never waits.
            vnc_kwargs: `encoding` and `compress_level`; see `auniverse.acquire.encodings_from`.
            observer: Watch only.
            others: Universe's other options: those of `WITHOUT_EFFECT` are accepted.

        Raises:
            UsageError: Called twice, or an option is unknown or not supported.
            ProvisionError: A remote did not start.
        """
        if self._portal is not None:
            raise UsageError("configured already")
        _check_options(others)
        check_fps(fps)
        spec = default_spec(1) if remotes is None else remotes
        env = catalogued(self.env_id, spec)
        if env is not None:
            self.metadata["video.frames_per_second"] = env.fps
        rate = self.metadata["video.frames_per_second"] if fps == "default" else fps
        self._period = 0.0 if rate is None else 1 / float(rate)
        options = session_options(start_timeout=start_timeout, vnc_kwargs=vnc_kwargs)
        self._portal = Portal("auniverse")
        try:
            found = self._portal.open(
                remotes_for(
                    self.env_id,
                    spec,
                    start_timeout=start_timeout,
                    client_id=client_id,
                    docker_image=docker_image,
                )
            ).wait()
            pool = SessionPool(found, env_id=self.env_id, fps=np.inf, observer=observer, **options)
        except BaseException:
            self._portal.close()
            self._portal = None
            raise
        self._opening = self._portal.open(pool)
        self._indices = [_Index(remote) for remote in found]
        self.n = len(found)

    def seed(self, seed: int | Sequence[int | None] | None = None) -> None:
        """Set the seeds of the first episodes: one for each index, or index i gets `seed + i`."""
        self._seeds = seed

    def reset(self) -> list[Observation]:
        """Ask for a new episode everywhere; it is there when observations are no longer None.

        Returns:
            None for each index, at once.

        Raises:
            UsageError: Not configured.
        """
        portal = self._ready()
        if self._begun:
            portal.call(self._begin_episodes())
        return [None] * self.n

    def step(self, action_n: Sequence[Sequence[object]]) -> Step:
        """Act, wait for the tick, and take what there is.

        Args:
            action_n: For each index a list of events, such as `("KeyEvent", "ArrowUp", True)`.

        Returns:
            observation_n: For each index None (masked), or a dict: `vision` is uint8 (height,
                width, 3) RGB, read-only and yours to keep, `text` a list of new texts.
            reward_n: The sums since the last step; None without a rewarder.
            done_n: Whether an episode ended; None without a rewarder.
            info: `n` holds a dict for each index, with `env_status.*`, `stats.*`, `mask.*` and,
                after a loss, `error`.

        Raises:
            InvalidActionError: An event that is none.
            ProvisionError: The remotes cannot be used.
            RemoteError: No remote can be reached, or all are lost for good.
            UsageError: Not configured, or another number of actions than of remotes.
        """
        portal = self._ready()
        if len(action_n) != self.n:
            raise UsageError(f"{len(action_n)} actions for {self.n} remotes")
        parsed = [parse_events(action) for action in action_n]
        slept = portal.call(self._tick(parsed))
        observation_n, reward_n, done_n, info_n = zip(
            *(index.take() for index in self._indices), strict=True
        )
        info = {"n": list(info_n), "stats.throttle.sleep": slept}
        return list(observation_n), list(reward_n), list(done_n), info

    def render(self, mode: str = "human", close: bool = False) -> None:
        """Show the first index in a window; without a display this only logs one line."""
        if close or self._windowless or not self._indices or self._indices[0].screen is None:
            return
        try:
            self._window = self._window or Window(self.env_id)
            self._window.show(self._indices[0].screen)
        except MissingDependencyError as error:
            self._windowless = True
            _log.warning("render shows nothing: %s", error)

    def close(self) -> None:
        """Give the remotes back. Twice is once."""
        if self._window is not None:
            self._window.close()
            self._window = None
        if self._portal is not None:
            self._portal.close()

    # -- inside --------------------------------------------------------------------------------

    def _ready(self) -> Portal:
        if self._portal is None:
            raise UsageError("call configure first")
        return self._portal

    async def _tick(self, actions: Sequence[Sequence[Any]]) -> float:
        """Act, sleep until the tick, and hand what came to the indices."""
        loop = asyncio.get_running_loop()
        pool = self._opening.value.result() if self._opening.value.done() else None
        if pool is not None:
            if not self._begun:
                await self._begin_episodes()
            idle = [number for number, index in enumerate(self._indices) if not index.owes]
            pool.send([actions[number] for number in idle], idle)
            for number in idle:
                self._indices[number].owes = True
        self._due = max(self._due + self._period, loop.time())
        slept = max(0.0, min(self._due - loop.time(), self._period))
        await asyncio.sleep(slept)
        if pool is not None:
            batch = await pool.recv(timeout=0)
            for position, number in enumerate(batch.env_ids):
                self._indices[number].put(batch, position)
        return slept

    async def _begin_episodes(self) -> None:
        """Ask for a new episode everywhere, and leave it to `recv` to say when it is there."""
        pool = self._opening.value.result()
        seeds, self._seeds = self._seeds, None
        self._begun = True
        for index in self._indices:
            index.begin()
        pool.begin_reset(seeds)


class _Index:
    """One remote's part in the lists.

    Attributes:
        owes: Whether it was sent to, and its result has not come.
        screen: The newest screen, None while there is none.
    """

    def __init__(self, remote: Remote) -> None:
        self.owes = False
        self.screen: NDArray[np.uint8] | None = None
        self._rewarded = remote.rewarder_port is not None
        self._episode: str | None = None
        self._state: str | None = None
        self._text = ""
        self._asked = False
        self._news: tuple[float, bool, dict[str, Any]] | None = None

    def begin(self) -> None:
        """A new episode was asked for."""
        self.owes = self._asked = True
        self._state = "resetting"
        self._news = None

    def put(self, batch: Batch, position: int) -> None:
        """Its result has come."""
        self.owes = False
        self.screen = batch.observations[position] if batch.observations.size else None
        done = batch.terminations[position] or batch.truncations[position]
        info = {
            key: column[position]
            for key, column in batch.infos.items()
            if f"_{key}" not in batch.infos or batch.infos[f"_{key}"][position]
        }
        self._news = float(batch.rewards[position]), bool(done), info

    def take(self) -> tuple[Observation, float | None, bool | None, dict[str, Any]]:
        """Return observation, reward, done and info since last called."""
        reward, done, result = self._news or (0.0, False, None)
        self._news = None
        if result is None:
            return self._unseen({}, 0.0, False)
        if not result["valid"]:
            self._state = None
            fault = result["fault"]
            error = f"{fault['type']}: {fault['reason']} ({fault['remote']})"
            return self._unseen({"error": error, "env_status.disconnected": True}, reward, True)
        info = self._universal(result)
        if done:
            ended = {f"env_status.complete.{key}": value for key, value in self._status.items()}
            self._state, self._episode = "resetting", result["episode_id"]
            return self._unseen(info | ended, reward, True)
        self._state, self._episode = "running", result["episode_id"]
        if self._asked:
            self._asked = False
            info["env_status.reset.episode_id"] = self._episode
        info |= {f"env_status.{key}": value for key, value in self._status.items()}
        observation = {"vision": self.screen, "text": self._new_texts(result)}
        return observation, *self._scored(reward, done), info

    @property
    def _status(self) -> dict[str, str | None]:
        return {"episode_id": self._episode, "env_state": self._state}

    def _unseen(
        self, info: dict[str, Any], reward: float, done: bool
    ) -> tuple[Observation, float | None, bool | None, dict[str, Any]]:
        status = {f"env_status.{key}": value for key, value in self._status.items()}
        observation: Observation = None if self._rewarded else {"vision": None, "text": []}
        return observation, *self._scored(reward, done), {**info, **status, **_MASKED}

    def _scored(self, reward: float, done: bool) -> tuple[float | None, bool | None]:
        return (reward, done) if self._rewarded else (None, None)

    def _new_texts(self, result: dict[str, Any]) -> list[str]:
        before, self._text = self._text, result["text"]
        return [self._text] if self._text and (result["reset"] or self._text != before) else []

    def _universal(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return the info under Universe's keys, and the rewarder's own keys as they are."""
        info: dict[str, Any] = {new: int(result[ours]) for ours, new in _INFO_KEYS.items()}
        for lag in ("observation", "action", "reward"):
            seconds = float(result[f"lag_{lag}_s"])
            known = None if math.isnan(seconds) else (seconds, seconds)
            info[f"stats.gauges.diagnostics.lag.{lag}"] = known
        return info | {
            key: value
            for key, value in result.items()
            if key not in INFO_KEYS and not key.startswith("_")
        }


def _check_options(options: Mapping[str, Any]) -> None:
    """Refuse what cannot be had; an option that is None or False asks for nothing."""
    unknown = options.keys() - WITHOUT_EFFECT - UNSUPPORTED
    if unknown:
        raise UsageError(f"configure knows no {', '.join(sorted(unknown))}")
    wanted = sorted(key for key in options.keys() & UNSUPPORTED if options[key])
    if wanted:
        raise UsageError(f"configure: {', '.join(wanted)} not supported")
