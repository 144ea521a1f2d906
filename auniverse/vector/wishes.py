"""What the agent asks of some slots at once, sorted out slot by slot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from auniverse.errors import UsageError

#: One value for all, or one for each.
EnvIds = str | Sequence[str | None] | None
Seeds = int | Sequence[int | None] | None


def checked_fps(fps: float | str | None) -> float | None:
    """Return what a rewarder is told: a rate, not that we never wait or wait for news.

    Raises:
        UsageError: It is neither a number above 0, nor None, nor "default".
    """
    if fps is None or fps == "default":
        return None
    if not (isinstance(fps, int | float) and fps > 0):
        raise UsageError(f"fps {fps!r}: a number above 0, None or 'default'")
    return float(fps) if math.isfinite(fps) else None


def env_ids_for(count: int, env_id: EnvIds) -> list[str | None]:
    """Return the environment of each of `count` slots.

    Raises:
        UsageError: There are more or fewer.
    """
    if env_id is None or isinstance(env_id, str):
        return [env_id] * count
    if len(env_id) != count:
        raise UsageError(f"{len(env_id)} env_ids for {count} remotes")
    return list(env_id)


def seeds_for(slots: Sequence[int], seed: Seeds) -> list[int | None]:
    """Return the seed of each slot: None, one for each, or one number to which i is added.

    Raises:
        UsageError: There are more or fewer seeds than slots.
    """
    if seed is None:
        return [None] * len(slots)
    if isinstance(seed, int | np.integer):
        return [int(seed) + slot for slot in slots]
    if len(seed) != len(slots):
        raise UsageError(f"{len(seed)} seeds for {len(slots)} slots")
    return list(seed)


def env_ids_in(options: Mapping[str, Any] | None, count: int) -> list[str | None]:
    """Return what each of `count` slots shall play from now on, None: what it does.

    Raises:
        UsageError: The options have more or fewer env_ids, or hold something else.
    """
    options = options or {}
    if unknown := options.keys() - {"env_id"}:
        raise UsageError(f"options {', '.join(map(repr, sorted(unknown)))}: only 'env_id' is known")
    return env_ids_for(count, options.get("env_id"))
