"""Small stand-ins that keep the contracts of the real things."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import numpy as np

from auniverse.errors import ConnectionLostError, RemoteError, UsageError
from auniverse.rewarder import V1
from auniverse.vector import Batch, Result

NOT_SEEN = float("nan")


class FakePool:
    """A `SessionPool` whose slots play scripts, one letter a result.

    r: the first observation of an episode, .: a step with reward 1, t: terminated, c: truncated,
    f: the remote is lost, x: it is lost for good. Screens are 2x3 pixels and show how many letters
    the slot has played.
    """

    def __init__(self, *scripts: str, v1: V1 | None = None) -> None:
        self.num_envs = len(scripts)
        self.screen_size = (3, 2)
        self.v1 = v1
        self.calls: list[tuple[Any, ...]] = []
        self._scripts = scripts
        self._played = [0] * self.num_envs
        self._pending: list[int] = []

    def opener(self) -> Callable[..., AbstractAsyncContextManager[FakePool]]:
        @asynccontextmanager
        async def open_pool(spec: object, **options: Any) -> AsyncIterator[FakePool]:
            self.calls.append(("open", spec, options))
            yield self
            self.calls.append(("close",))

        return open_pool

    async def reset(
        self, seed: Sequence[int | None] | None = None, env_ids: Sequence[int] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        ids = list(range(self.num_envs)) if env_ids is None else list(env_ids)
        self.calls.append(("reset", None if seed is None else list(seed), ids))
        if all(self._dead(slot) for slot in ids):
            raise self._error(ids[0])
        batch = self._play(ids)
        assert all(batch.infos["reset"] | ~batch.infos["valid"])
        return batch.observations, batch.infos

    def send(self, actions: Sequence[Any], env_ids: Sequence[int]) -> None:
        assert len(actions) == len(env_ids)
        self.calls.append(("send", [list(events) for events in actions], list(env_ids)))
        if self._pending:
            raise UsageError("was sent to, but not received since")
        self._pending = list(env_ids)

    async def recv(self, min_envs: int | None = None, timeout: float | None = None) -> Batch:
        assert min_envs == len(self._pending) > 0
        ids, self._pending = [slot for slot in self._pending if not self._dead(slot)], []
        if not ids:
            raise self._error(0)
        return self._play(ids)

    def _dead(self, slot: int) -> bool:
        return self._scripts[slot][: self._played[slot]].endswith("x")

    def _error(self, slot: int) -> RemoteError:
        return ConnectionLostError(f"slot {slot} is gone")

    def _play(self, ids: list[int]) -> Batch:
        results = [self._result(slot) for slot in ids]
        screens = np.stack([np.full((2, 3, 3), self._played[slot], np.uint8) for slot in ids])
        screens.flags.writeable = False
        return Batch(screens, results)

    def _result(self, slot: int) -> Result:
        letter = self._scripts[slot][self._played[slot]]
        self._played[slot] += 1
        lost = letter in "fx"
        info: dict[str, Any] = {
            "env_id": "fake",
            "remote": f"vnc://fake:{slot + 1}",
            "episode_id": None if lost else "1",
            "text": f"letter {letter}",
            "reset": letter == "r",
            "valid": not lost,
            **dict.fromkeys(("frame_age_s", "frame_time_s"), NOT_SEEN),
            **dict.fromkeys(("lag_observation_s", "lag_action_s", "lag_reward_s"), NOT_SEEN),
            **dict.fromkeys(("damage_pixels", "updates", "bytes", "missed_deadlines"), 0),
        }
        if lost:
            info["fault"] = {"type": "ConnectionLostError", "retryable": letter == "f"}
        reward = 1.0 if letter in ".tc" else 0.0
        return Result(slot, reward, letter == "t", letter in "cfx", info)
