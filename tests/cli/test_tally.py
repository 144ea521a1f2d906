from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from auniverse.cli.tally import MEASUREMENTS_KEPT, Spread, Tally, changed_rows, rate
from auniverse.vector import INFO_KEYS, Batch, Result

BLANK = {key: kind() for key, kind in INFO_KEYS.items()}


def picture(value: int) -> Any:
    return np.full((16, 4, 3), value, np.uint8)


def batch(*values: int, done: bool = False, reward: float = 0.0, **info: Any) -> Batch:
    results = [
        Result(slot, reward, done, False, {**BLANK, "valid": True, "damage_pixels": 1, **info})
        for slot in range(len(values))
    ]
    return Batch(np.stack([picture(value) for value in values]), results)


def seen(*batches: Batch) -> str:
    tally = Tally(len(batches[0]))
    tally.begin(batches[0].observations, batches[0].infos)
    for number, each in enumerate(batches[1:]):
        tally.add(each, float(number))
    return tally.observation_hash


def test_spread_of_nothing_is_not_invented() -> None:
    spread = Spread()
    spread.add([math.nan])
    assert spread.percentiles() == {"p50": None, "p99": None}
    assert rate(spread) == {"p50": None, "p99": None}


def test_spread_leaves_nan_out_and_stays_in_bounds() -> None:
    spread = Spread()
    spread.add([math.nan, 1.0, 2.0, 3.0])
    assert spread.percentiles() == {"p50": 2.0, "p99": pytest.approx(2.98)}
    spread.add([5.0] * MEASUREMENTS_KEPT)
    assert spread.percentiles() == {"p50": 5.0, "p99": 5.0}


def test_hash_tells_runs_apart() -> None:
    runs = [
        (batch(1, 2), batch(3, 4)),
        (batch(1, 2), batch(4, 3)),
        (batch(3, 4), batch(1, 2)),
        (batch(1, 2), batch(3, 4), batch(3, 4)),
    ]
    assert len({seen(*run) for run in runs}) == len(runs)
    assert seen(*runs[0]) == seen(*runs[0])


def test_hash_sees_every_byte() -> None:
    rng = np.random.default_rng(0)
    hashes = set()
    for row, column, channel in [(0, 0, 0), (7, 3, 2), (15, 3, 2), (15, 0, 1)]:
        tally = Tally(1)
        first = rng.integers(0, 256, (1, 16, 4, 3), np.uint8)
        tally.slots[0].see(first[0], True)
        plain = tally.observation_hash
        first[0, row, column, channel] ^= 1
        tally.slots[0].see(first[0], True)
        assert tally.observation_hash != plain
        hashes.add(tally.observation_hash)
    assert len(hashes) == 4


def test_changed_rows_are_those_that_differ() -> None:
    rng = np.random.default_rng(0)
    for width in (3, 8):
        before = rng.integers(0, 2, (50, width, 3), np.uint8)
        after = before.copy()
        after[[4, 17], width - 1, 2] ^= 1
        assert changed_rows(before, after).tolist() == [4, 17]
        assert not len(changed_rows(before, before))


def test_hash_reads_an_undamaged_picture_no_more() -> None:
    moved = seen(batch(1), batch(1, damage_pixels=1))
    assert seen(batch(1), batch(9, damage_pixels=0)) == moved
    assert seen(batch(1), batch(9, damage_pixels=0, reset=True)) != moved


def test_a_fault_is_not_seen() -> None:
    assert seen(batch(1), batch(7, valid=False), batch(2)) == seen(batch(1), batch(2))


def test_counts_and_lags() -> None:
    tally = Tally(2)
    tally.add(batch(1, 2, updates=2, bytes=10, reward=1.5, frame_age_s=0.25), 10.0)
    tally.add(batch(1, 2, done=True, reward=0.5, frame_age_s=0.5, lag_action_s=math.nan), 10.5)
    tally.add(batch(1, 2, done=True, valid=False), 11.0)
    slot = tally.slots[1]
    assert (slot.results, slot.updates, slot.bytes, slot.reward) == (3, 2, 10, 2.0)
    assert slot.episodes == 1, "a fault ends no episode of the task"
    assert tally.steps == 3
    assert tally.frame_age.percentiles()["p50"] == 0.25
    assert tally.lag_action.percentiles()["p50"] == 0.0


def test_rates_leave_resets_out() -> None:
    tally = Tally(1)
    for now in (0.0, 0.1, 0.2):
        tally.add(batch(1), now)
    tally.add(batch(1, reset=True), 5.0)
    tally.add(batch(1), 5.1)
    fps = tally.fps()
    assert fps["p50"] == pytest.approx(10)
    assert fps["p99"] == pytest.approx(10)
    assert len(fps["slots"]) == 1
