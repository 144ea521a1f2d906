"""What `recv` returns: some slots' results, as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .shared import Handle, share

#: Info keys that every result has, with the dtype of their array. Seconds are by our clock.
INFO_KEYS: dict[str, type] = {
    "env_id": object,  # what the slot plays
    "remote": object,  # its address, without the password
    "episode_id": object,  # the rewarder's name of the running episode
    "text": object,  # the newest text of the episode, "" if there is none
    "reset": np.bool_,  # the observation is the first of a new episode
    "valid": np.bool_,  # False: the remote was lost, the reward of 0.0 is no reward
    "frame_age_s": np.float64,  # since the newest pixels were drawn
    "frame_time_s": np.float64,  # unix time, by our clock, at which they were drawn
    "lag_observation_s": np.float64,  # from drawing to arrival
    "lag_action_s": np.float64,  # from sending input to its reading by the host
    "lag_reward_s": np.float64,  # from sending a reward to now
    "damage_pixels": np.int64,  # changed since the slot's last result
    "updates": np.int64,  # VNC updates since the slot's last result
    "bytes": np.int64,  # VNC bytes since the slot's last result
    "missed_deadlines": np.int64,  # ticks missed since the pool opened
}


class Result(NamedTuple):
    """One slot's share of a batch."""

    slot: int
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


class Batch:
    """The results of some slots of a pool.

    It unpacks as Gymnasium's five: observations, rewards, terminations, truncations, infos.

    Attributes:
        observations: uint8 (n, height, width, 3) RGB, or what the pool's view makes of it (see
            `View.shape`); C-contiguous. Read-only, and never written again while anything refers to
            it; with the pool's `copy` writable and yours.
        rewards: float64 (n,), summed since each slot's last result.
        terminations: bool (n,).
        truncations: bool (n,), by a limit or a fault.
        infos: Arrays by key (`INFO_KEYS`); a key that not every slot has comes with a mask `_key`.
        env_ids: int64 (n,), which slots these are, ascending.
    """

    def __init__(self, observations: NDArray[np.uint8], results: list[Result]) -> None:
        self.observations = observations
        self.rewards = np.array([result.reward for result in results], np.float64)
        self.terminations = np.array([result.terminated for result in results], np.bool_)
        self.truncations = np.array([result.truncated for result in results], np.bool_)
        self.infos = stack_infos([result.info for result in results])
        self.env_ids = np.array([result.slot for result in results], np.int64)

    def share(self) -> Handle:
        """Return where the observations are, for another process to attach to (`auniverse.attach`).

        Hold the batch, or its observations, until that process no longer looks at them.

        Raises:
            UsageError: The pool was not told to have them in shared memory.
        """
        return share(self.observations)

    def __len__(self) -> int:
        return len(self.env_ids)

    def __iter__(self) -> Iterator[Any]:
        yield self.observations
        yield self.rewards
        yield self.terminations
        yield self.truncations
        yield self.infos


def stack_infos(infos: list[dict[str, Any]]) -> dict[str, Any]:
    """Turn one dict a slot into a dict of arrays, with Gymnasium's `_key` masks."""
    stacked: dict[str, Any] = {}
    for key, dtype in INFO_KEYS.items():
        column: NDArray[Any] = np.empty(len(infos), dtype)
        column[:] = [info[key] for info in infos]
        stacked[key] = column
    for key in set().union(*infos) - INFO_KEYS.keys():
        column = np.full(len(infos), None, object)
        for index, info in enumerate(infos):
            if key in info:
                column[index] = info[key]
        stacked[key] = column
        stacked[f"_{key}"] = np.array([key in info for info in infos], np.bool_)
    return stacked
