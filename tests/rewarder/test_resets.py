from __future__ import annotations

import json
from typing import Any

import pytest

from auniverse.rewarder import ErrorReplied, Limits, ResetReplied

from .conversation import Pair, one, server
from .examples import DUSK


def test_an_unknown_env_changes_nothing() -> None:
    host = server()
    pair = Pair(host)
    pair.to_client(0.0)
    host.reply_error(one(pair.reset(env_id="llama", episode_id="40")), "unknown env id llama", 2.0)
    assert pair.to_client(2.0) == [ErrorReplied(0, "v0.env.reset", "unknown env id llama")]
    assert (host.env_id, host.episode_id, host.env_state) == (DUSK, "0", None)
    host.set_state("resetting", 3.0)
    assert host.episode_id == "1"  # not 41: that reset is over


@pytest.mark.parametrize(
    ("current", "named", "after"),
    [("0", "0", "1"), ("1", "0", "2"), ("1", "7", "8"), ("9", "7", "10")],
)
def test_a_reset_goes_past_both_episodes(current: str, named: str, after: str) -> None:
    host = server()
    for _ in range(int(current)):
        host.set_state("resetting", 0.0)
    pair = Pair(host)
    request = one(pair.reset(episode_id=named))
    assert host.episode_id == current
    host.set_state("resetting", 1.0)
    host.set_state("running", 1.0)
    assert host.episode_id == after
    host.reply_reset(request, 1.0)
    host.set_state("resetting", 2.0)
    assert host.episode_id == str(int(after) + 1)


@pytest.mark.parametrize("fps", [-1, 0, 60.5, 1e300, None])
def test_an_fps_out_of_range_is_ignored(fps: float | None) -> None:
    pair = Pair(server(fps=25.0))
    assert one(pair.reset(fps=fps)).fps == 25.0


def test_a_reset_that_asks_nothing_new_shares_the_reply() -> None:
    host = server()
    pair = Pair(host)
    first = one(pair.reset(1.0))
    assert pair.reset(2.0) == []
    host.set_state("resetting", 3.0)
    assert pair.reset(4.0) == []
    host.set_state("running", 5.0)
    host.reply_reset(first, 6.0)
    replies = [event for event in pair.to_client(6.0) if isinstance(event, ResetReplied)]
    assert replies == [ResetReplied(number, "1", 6.0) for number in (0, 1, 2)]
    runtimes = [json.loads(text)["headers"].get("parent_runtime") for text in pair.seen[-3:]]
    assert runtimes == [5.0, 4.0, 2.0]
    assert len(pair.reset(7.0)) == 1  # the first is done, so this one is new
    assert host.episode_id == "1"


@pytest.mark.parametrize("new", [{"env_id": "x-v0"}, {"fps": 30}, {"seed": 3}, {"episode_id": "1"}])
def test_a_reset_that_asks_something_new_is_handed_out(new: dict[str, Any]) -> None:
    host = server()
    pair = Pair(host)
    first = one(pair.reset())
    host.set_state("resetting", 1.0)
    second = one(pair.reset(**new))
    host.reply_error(first, "no", 2.0)
    host.reply_reset(second, 2.0)
    assert pair.to_client(2.0)[2:] == [
        ErrorReplied(0, "v0.env.reset", "no"),
        ResetReplied(1, "1", 2.0),
    ]


def test_resets_without_end_are_refused() -> None:
    pair = Pair(server(limits=Limits(resets=3)))
    for seed in range(3):
        assert len(pair.reset(seed=seed)) == 1
    assert pair.reset(seed=3) == []
    assert pair.to_client(1.0)[-1] == ErrorReplied(3, "v0.env.reset", "too many resets at once")
