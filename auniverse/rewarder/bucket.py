"""What came for one episode and waits to be collected."""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from .connection import Rewarded


@dataclass(slots=True)
class Bucket:
    """Sums of one episode since they were last collected."""

    env_state: str | None = None
    reward: float = 0.0
    #: Reward messages.
    messages: int = 0
    done: bool = False
    truncated: bool = False
    info: dict[str, object] = field(default_factory=dict)
    text: deque[object] = field(default_factory=deque)
    #: The newest low-dimensional observation and its episode id.
    observation: tuple[object, str] | None = None
    sent_at: float | None = None
    received_at: float | None = None
    done_at: float | None = None
    #: It ended without a done message; it began with our reset (told once).
    artificial: bool = False
    reset: bool = False
    #: Bytes at most of the messages that info, text and observation came in.
    size: int = 0

    def earn(self, event: Rewarded) -> None:
        """Add one reward message."""
        self.reward = _add(self.reward, event.reward)
        self.messages += 1
        self.sent_at, self.received_at = event.sent_at, event.received_at
        _merge(self.info, event.info)
        if event.done:
            self.done = True
            self.done_at = event.received_at
            self.truncated = event.info.get("truncated") is True

    def forget(self) -> int:
        """Let go of all that takes room; returns how many texts that were."""
        texts = len(self.text)
        self.text.clear()
        self.info.clear()
        self.observation = None
        self.size = 0
        return texts

    def account(self, number: int) -> dict[str, object]:
        """Return the merged info and what the bucket itself has to add, as episode `number`."""
        info = self.info | {"stats.reward.count": self.messages}
        if self.messages:
            info["reward_buffer.remote_time"] = self.sent_at
            info["reward_buffer.local_time"] = self.received_at
        if self.done:
            info["reward_buffer.done_time"] = self.done_at
        if self.artificial:
            info["env_status.artificial.done"] = True
        if self.reset:
            info["env_status.reset.episode_id"] = str(number)
        if self.observation is not None:
            info["rewarder.observation"] = self.observation
        return info


def _merge(info: dict[str, object], news: Mapping[str, object]) -> None:
    """Add counters and timers (`stats.*` but `stats.gauges*`); everything else overwrites."""
    for key, value in news.items():
        known = info.get(key)
        counts = key.startswith("stats.") and not key.startswith("stats.gauges")
        if counts and _is_number(known) and _is_number(value):
            value = _add(known, value)
        info[key] = value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _add(one: float, other: float) -> float:
    # Finite numbers can add up to one that is not; a remote must not get an inf in that way.
    total = one + other
    return total if math.isfinite(total) else math.copysign(sys.float_info.max, total)
