"""What a run measures: counts, rates, lags, and a hash of everything that was seen."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auniverse.vector import Batch

#: Measurements of which percentiles are taken, the newest ones: a long run stays in bounds.
MEASUREMENTS_KEPT = 65_536


class Spread:
    """Measurements, of which percentiles are wanted; those that are NaN do not count."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=MEASUREMENTS_KEPT)

    def add(self, values: Iterable[float]) -> None:
        """Take measurements."""
        self._values.extend(value for value in values if value == value)

    @property
    def values(self) -> Sequence[float]:
        """What was measured, oldest first."""
        return self._values

    def percentiles(self) -> dict[str, float | None]:
        """Return the median and what 99 in 100 do not exceed; None if nothing was measured."""
        if not self._values:
            return {"p50": None, "p99": None}
        middle, most = np.percentile(np.fromiter(self._values, np.float64), (50, 99))
        return {"p50": float(middle), "p99": float(most)}


class SlotTally:
    """What one slot did.

    Attributes:
        periods: Seconds from one result to the next, resets left out.
        frame_age: The newest pixels' age in seconds, as of the last result.
    """

    def __init__(self) -> None:
        self.results = self.episodes = self.updates = self.bytes = 0
        self.reward = 0.0
        self.frame_age = float("nan")
        self.periods = Spread()
        self.digest = hashlib.sha256()
        self._seen: NDArray[np.uint8] | None = None
        self._last: float | None = None

    def see(self, picture: NDArray[np.uint8], changed: bool) -> None:
        """Add an observation to the hash.

        What goes in is the first observation, and for each later one the rows that differ from
        the one before, with their numbers: that tells any two sequences apart as hashing every
        byte would, at a tenth of the cost. One that did not change is not even compared.
        """
        if self._seen is None or self._seen.shape != picture.shape:
            self._seen = np.array(picture)
            self.digest.update(repr(picture.shape).encode() + self._seen.tobytes())
            return
        rows = changed_rows(self._seen, picture) if changed else np.empty(0, np.intp)
        self._seen[rows] = picture[rows]
        for part in (np.array([len(rows)]), rows):
            self.digest.update(part.astype("<u4").tobytes())
        self.digest.update(self._seen[rows].tobytes())

    def time(self, now: float, playing: bool) -> None:
        """Note when a result came; `playing` is false for those that had to wait for a reset."""
        if playing and self._last is not None:
            self.periods.add([now - self._last])
        self._last = now


class Tally:
    """What a run of a pool measures.

    Args:
        slots: Number of slots.
    """

    def __init__(self, slots: int) -> None:
        self.slots = [SlotTally() for _ in range(slots)]
        self.steps = 0
        self.frame_age = Spread()
        self.lag_action = Spread()

    def begin(self, observations: NDArray[np.uint8], infos: dict[str, Any]) -> None:
        """Take the first observations, those that a reset returns."""
        for slot, observation, valid in zip(self.slots, observations, infos["valid"], strict=True):
            if valid:
                slot.see(observation, True)

    def add(self, batch: Batch, now: float) -> None:
        """Take a batch that came at `now` seconds."""
        self.steps += 1
        infos = batch.infos
        self.frame_age.add(infos["frame_age_s"])
        self.lag_action.add(infos["lag_action_s"])
        for row, index in enumerate(batch.env_ids):
            slot = self.slots[index]
            slot.results += 1
            slot.reward += float(batch.rewards[row])
            slot.updates += int(infos["updates"][row])
            slot.bytes += int(infos["bytes"][row])
            slot.frame_age = float(infos["frame_age_s"][row])
            valid, reset = bool(infos["valid"][row]), bool(infos["reset"][row])
            slot.episodes += valid and bool(batch.terminations[row] or batch.truncations[row])
            slot.time(now, valid and not reset)
            if valid:
                changed = reset or bool(infos["damage_pixels"][row])
                slot.see(batch.observations[row], changed)

    @property
    def observation_hash(self) -> str:
        """SHA-256 over what each slot saw, slot by slot."""
        return hashlib.sha256(b"".join(slot.digest.digest() for slot in self.slots)).hexdigest()

    def fps(self) -> dict[str, Any]:
        """Return steps a second: the median and what 99 in 100 steps keep up, and of each slot."""
        everything = Spread()
        for slot in self.slots:
            everything.add(slot.periods.values)
        return {**rate(everything), "slots": [rate(slot.periods) for slot in self.slots]}


def changed_rows(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the numbers of the rows in which two pictures of one shape differ, ascending."""
    one, other = before.reshape(len(before), -1), after.reshape(len(after), -1)
    if one.shape[1] % 8 == 0 and one.flags.c_contiguous and other.flags.c_contiguous:
        one, other = one.view(np.uint64), other.view(np.uint64)
    return np.flatnonzero((one != other).any(axis=1))


def rate(periods: Spread) -> dict[str, float | None]:
    """Turn seconds from step to step into steps a second."""
    found = periods.percentiles()
    return {name: 1 / period if period else None for name, period in found.items()}
