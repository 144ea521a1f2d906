from __future__ import annotations

import math

import pytest

from auniverse.rewarder import Rewarded
from auniverse.rewarder.bucket import Bucket


def reward(value: float, done: bool = False, **info: object) -> Rewarded:
    return Rewarded(value, done, info, "1", 3.0, 3.5)


def filled(*events: Rewarded) -> Bucket:
    bucket = Bucket()
    for event in events:
        bucket.earn(event)
    return bucket


def test_rewards_add_up() -> None:
    bucket = filled(reward(1.0), reward(-0.25))
    assert (bucket.reward, bucket.messages, bucket.done) == (0.75, 2, False)
    assert bucket.account(1) == {
        "stats.reward.count": 2,
        "reward_buffer.remote_time": 3.0,
        "reward_buffer.local_time": 3.5,
    }


def test_an_empty_bucket_has_little_to_say() -> None:
    assert Bucket().account(1) == {"stats.reward.count": 0}


def test_infos_merge_by_their_keys() -> None:
    one = {"stats.gauges.load": 1, "stats.vnc.n": 1, "stats.timers.x": 0.5, "reason": "a", "old": 1}
    two = {"stats.gauges.load": 2, "stats.vnc.n": 2, "stats.timers.x": 0.25, "reason": "b"}
    odd = {"stats.vnc.n": "many", "stats.timers.x": True}
    bucket = filled(reward(0.0, **one), reward(0.0, **two))
    assert bucket.info == {
        "stats.gauges.load": 2,
        "stats.vnc.n": 3,
        "stats.timers.x": 0.75,
        "reason": "b",
        "old": 1,
    }
    bucket.earn(reward(0.0, **odd))
    assert (bucket.info["stats.vnc.n"], bucket.info["stats.timers.x"]) == ("many", True)


def test_the_event_s_own_info_is_left_alone() -> None:
    event = reward(0.0, a=1)
    filled(event, reward(0.0, a=2, b=2))
    assert event.info == {"a": 1}


def test_sums_stay_finite() -> None:
    bucket = filled(*[reward(1e308, **{"stats.x": -1e308, "stats.n": 10**39})] * 5)
    assert 1e308 < bucket.reward < math.inf
    assert -math.inf < bucket.info["stats.x"] < -1e308  # type: ignore[operator]
    assert bucket.info["stats.n"] == 5 * 10**39
    bucket.earn(reward(-1e308))
    assert math.isfinite(bucket.reward)


@pytest.mark.parametrize(
    ("info", "truncated"), [({"truncated": True}, True), ({"truncated": 1}, False), ({}, False)]
)
def test_truncation_is_what_the_done_message_says(info: dict[str, object], truncated: bool) -> None:
    bucket = filled(reward(0.0, truncated=True))
    assert not bucket.truncated
    bucket.earn(reward(0.0, True, **info))
    assert bucket.done
    assert bucket.truncated is truncated
    assert bucket.account(1)["reward_buffer.done_time"] == 3.5


def test_forgetting_keeps_what_was_earned() -> None:
    bucket = filled(reward(1.0, True, a=1))
    bucket.reset = bucket.artificial = True
    bucket.text.extend("ab")
    bucket.observation, bucket.size = ([1], "1"), 99
    assert bucket.forget() == 2
    assert (bucket.reward, bucket.done, bucket.size, len(bucket.text)) == (1.0, True, 0, 0)
    account = bucket.account(7)
    assert "a" not in account
    assert "rewarder.observation" not in account
    assert account["env_status.reset.episode_id"] == "7"
    assert account["env_status.artificial.done"] is True
