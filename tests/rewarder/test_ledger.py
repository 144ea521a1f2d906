from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import UsageError
from auniverse.rewarder import (
    Collected,
    Describe,
    Described,
    ErrorReplied,
    Event,
    Ledger,
    ObservationReceived,
    Pong,
    ResetReplied,
    Rewarded,
    TextReceived,
)

from .slow_ledger import Model


def resetting(episode: int, at: float = 0.0) -> Described:
    return Described(Describe("a", "resetting", str(episode), 60.0), at, at)


def running(episode: int, at: float = 0.0) -> Described:
    return Described(Describe("a", "running", str(episode), 60.0), at, at)


def reward(
    episode: int, value: float, *, done: bool = False, at: float = 0.0, **info: object
) -> Rewarded:
    return Rewarded(value, done, info, str(episode), at, at + 0.25, 100)


def text(episode: int, value: object, size: int = 10) -> TextReceived:
    return TextReceived(value, str(episode), 0.0, 0.0, size)


def observation(episode: int, value: object, size: int = 10) -> ObservationReceived:
    return ObservationReceived(value, str(episode), 0.0, 0.0, size)


def reply(episode: int, message_id: int = 0) -> ResetReplied:
    return ResetReplied(message_id, str(episode), 0.5)


def fed(*events: Event, **limits: int) -> Ledger:
    ledger = Ledger(**limits)
    for event in events:
        ledger.feed(event)
    return ledger


def earned(collected: Collected) -> tuple[float, bool, str | None, str | None]:
    return (
        collected.reward,
        collected.done,
        collected.complete_episode_id,
        collected.episode_id,
    )


def test_at_first_there_is_nothing() -> None:
    assert Ledger().collect() == Collected(
        reward=0.0,
        done=False,
        truncated=False,
        episode_id=None,
        env_state=None,
        text=(),
        info={"env_status.episode_id": None, "env_status.env_state": None},
        messages=0,
        complete_episode_id=None,
        sent_at=None,
    )
    ledger = fed(Pong(0, 0.1), ErrorReplied(0, "v0.env.reset", "no"))
    ledger.feed(Described(Describe(None, None, None, 60.0), 0.0, 0.0))
    assert (ledger.episode_id, ledger.env_state) == (None, None)


def test_rewards_between_two_collects_are_summed_once() -> None:
    ledger = fed(running(3), reward(3, 1.0, at=1), reward(3, -0.25, at=2))
    ledger.feed(text(3, "a"))
    ledger.feed(text(3, {"b": 1}))
    ledger.feed(observation(3, [1]))
    ledger.feed(observation(3, [2]))
    assert ledger.collect() == Collected(
        reward=0.75,
        done=False,
        truncated=False,
        episode_id="3",
        env_state="running",
        text=("a", {"b": 1}),
        info={
            "env_status.episode_id": "3",
            "env_status.env_state": "running",
            "stats.reward.count": 2,
            "reward_buffer.remote_time": 2,
            "reward_buffer.local_time": 2.25,
            "rewarder.observation": ([2], "3"),
        },
        messages=2,
        complete_episode_id=None,
        sent_at=2,
    )
    again = ledger.collect()
    assert earned(again) == (0.0, False, None, "3")
    assert (again.env_state, again.text, again.messages, again.sent_at) == ("running", (), 0, None)
    assert "rewarder.observation" not in again.info


def test_the_end_of_an_episode_before_the_next_shows_itself() -> None:
    ledger = fed(running(3), text(3, "old"), reward(3, 2.0, done=True, at=7))
    final = ledger.collect()
    assert earned(final) == (2.0, True, "3", None)
    assert final.text == ()
    assert final.sent_at == 7
    assert final.info["env_status.complete.episode_id"] == "3"
    assert final.info["env_status.complete.env_state"] == "running"
    assert final.info["env_status.episode_id"] is None
    assert final.info["reward_buffer.done_time"] == 7.25
    assert "env_status.artificial.done" not in final.info
    for late in (reward(3, 99.0), text(3, "late"), observation(3, 1), resetting(3), running(2)):
        ledger.feed(late)
        assert earned(ledger.collect()) == (0.0, False, None, None)
    assert ledger.late == 5
    ledger.feed(resetting(4))
    ledger.feed(reward(3, 99.0))
    ledger.feed(reward(4, 1.0))
    assert earned(ledger.collect()) == (1.0, False, None, "4")
    assert ledger.late == 6


def test_the_end_of_an_episode_after_the_next_has_begun() -> None:
    ledger = fed(running(3), reward(3, 2.0, done=True), text(3, "old"), resetting(4), running(4))
    for event in (text(4, "new"), reward(4, 5.0)):
        ledger.feed(event)
    final = ledger.collect()
    assert earned(final) == (2.0, True, "3", "4")
    assert final.text == ("new",)
    assert (final.env_state, final.messages) == ("running", 1)
    assert final.info["env_status.episode_id"] == "4"
    following = ledger.collect()
    assert earned(following) == (5.0, False, None, "4")
    assert following.text == ()


def test_a_reward_after_done_still_belongs_to_its_episode() -> None:
    ledger = fed(running(3), reward(3, 2.0, done=True), reward(3, 1.0), resetting(4))
    assert earned(ledger.collect()) == (3.0, True, "3", "4")


def test_an_episode_without_done_ends_when_a_newer_one_begins() -> None:
    ledger = fed(running(3), reward(3, 1.0))
    ledger.feed(resetting(4, at=9.0))
    final = ledger.collect()
    assert earned(final) == (1.0, True, "3", "4")
    assert final.info["env_status.artificial.done"] is True
    assert final.info["reward_buffer.done_time"] == 9.0
    assert (ledger.artificial, final.truncated) == (1, False)


def test_episodes_that_nobody_looked_at_are_skipped() -> None:
    ledger = fed(running(3), reward(3, 1.0, done=True))
    for episode in (4, 5, 6):
        ledger.feed(running(episode))
        ledger.feed(reward(episode, 100.0 * episode, done=episode < 6))
    assert earned(ledger.collect()) == (1.0, True, "3", "6")
    assert earned(ledger.collect()) == (600.0, False, None, "6")
    assert (ledger.skipped, ledger.artificial) == (2, 0)
    ledger.feed(reward(5, 1.0))
    assert ledger.late == 1


def test_a_message_of_an_episode_in_between_does_not_end_the_newest() -> None:
    ledger = fed(running(3), running(5), reward(4, 7.0))
    assert ledger.late == 1
    assert earned(ledger.collect()) == (0.0, True, "3", "5")
    assert earned(ledger.collect()) == (0.0, False, None, "5")


@pytest.mark.parametrize("reply_first", [True, False])
def test_a_reset_masks_until_its_reply(reply_first: bool) -> None:
    ledger = fed(running(3), reward(3, 1.0))
    ledger.mask()
    assert earned(ledger.collect()) == (0.0, False, None, None)
    ledger.feed(reward(3, 10.0, done=True))
    ledger.feed(resetting(4))
    assert (ledger.episode_id, ledger.env_state) == (None, None)
    if reply_first:  # as World of Bits did, and as flashgames did not
        ledger.feed(reply(4))
        assert ledger.env_state == "resetting"
    ledger.feed(running(4))
    ledger.feed(reward(4, 5.0))
    ledger.feed(text(4, "go"))
    if not reply_first:
        assert earned(ledger.collect()) == (0.0, False, None, None)
        ledger.feed(reply(4))
    ledger.feed(reward(3, 100.0))
    collected = ledger.collect()
    assert earned(collected) == (5.0, False, None, "4")
    assert (collected.env_state, collected.text) == ("running", ("go",))
    assert collected.info["env_status.reset.episode_id"] == "4"
    assert "env_status.reset.episode_id" not in ledger.collect().info
    assert (ledger.late, ledger.artificial, ledger.skipped) == (1, 0, 0)


def test_a_reply_may_come_before_anything_else_of_its_episode() -> None:
    ledger = Ledger()
    ledger.mask()
    ledger.feed(reply(7))
    assert (ledger.episode_id, ledger.env_state) == ("7", None)


def test_only_the_reply_of_the_newest_reset_unmasks() -> None:
    ledger = fed(running(3))
    ledger.mask(0)
    ledger.mask(1)
    ledger.feed(reply(4, message_id=0))
    ledger.feed(reward(4, 1.0))
    assert ledger.episode_id is None
    ledger.feed(reply(5, message_id=1))
    assert earned(ledger.collect()) == (0.0, False, None, "5")
    ledger.mask()
    ledger.feed(reply(6, message_id=0))
    assert ledger.episode_id == "6"


def test_an_episode_that_ended_before_the_reply_is_reported_as_ended() -> None:
    ledger = fed(running(3))
    ledger.mask()
    for event in (running(4), reward(4, 1.0), resetting(5), reply(4)):
        ledger.feed(event)
    assert earned(ledger.collect()) == (1.0, True, "4", "5")


def test_a_reset_that_was_not_masked_moves_on_too() -> None:
    ledger = fed(running(3), reply(5))
    ledger.feed(reward(5, 1.0))
    ledger.feed(reply(5))
    ledger.feed(reply(4))
    collected = ledger.collect()
    assert earned(collected) == (1.0, False, None, "5")
    assert collected.info["env_status.reset.episode_id"] == "5"
    ledger.feed(reply(5))
    assert ledger.collect().info["env_status.reset.episode_id"] == "5"


def test_what_is_over_stays_over_behind_the_mask() -> None:
    by_reply = fed(reply(5))
    by_end = fed(running(3), reward(3, 1.0, done=True), running(5))
    by_end.collect()
    for ledger in (by_reply, by_end):
        ledger.mask()
        ledger.feed(reward(4, 1.0))
        assert ledger.late == 1
        ledger.feed(reward(5, 2.0))  # a reset that is coalesced is answered with the same one
        ledger.feed(reply(5))
        assert earned(ledger.collect()) == (2.0, False, None, "5")


def test_peeking_takes_nothing() -> None:
    ledger = fed(running(3), reward(3, 1.0, done=True), resetting(4))
    peeked = ledger.peek()
    assert earned(peeked) == (0.0, False, None, "3")
    assert peeked.info == {
        "peek": True,
        "env_status.peek.episode_id": "4",
        "env_status.peek.env_state": "resetting",
        "env_status.episode_id": "3",
        "env_status.env_state": "running",
    }
    assert earned(ledger.collect()) == (1.0, True, "3", "4")
    ledger.mask()
    assert ledger.peek().info["env_status.peek.episode_id"] is None


def test_episodes_are_bounded_and_the_current_one_is_kept() -> None:
    ledger = fed(running(1), reward(1, 7.0), *map(running, range(2, 1000)), episodes=4)
    assert len(ledger._buckets) == 4
    assert ledger.skipped == 995
    assert earned(ledger.collect()) == (7.0, True, "1", "999")
    ledger.mask()
    for episode in range(1000, 2000):
        ledger.feed(reward(episode, 1.0))
    assert len(ledger._buckets) == 4
    ledger.feed(reply(1999))
    assert earned(ledger.collect()) == (1.0, False, None, "1999")
    with pytest.raises(UsageError, match="1 episodes"):
        Ledger(episodes=1)


def test_texts_are_bounded_and_the_newest_are_kept() -> None:
    ledger = fed(*[text(1, number) for number in range(25)], texts=10)
    assert ledger.collect().text == tuple(range(15, 25))
    assert ledger.forgotten == 15


def test_what_is_kept_is_bounded_but_rewards_are_not_lost() -> None:
    ledger = fed(running(1), size=1000)
    for number in range(100):
        ledger.feed(text(1, number, size=99))
        ledger.feed(reward(1, 1.0, **{f"key{number}": 1}))
        ledger.feed(observation(1, number, size=99))
    collected = ledger.collect()
    assert collected.reward == collected.messages == 100
    kept = len(collected.text)
    assert 0 < kept <= 5  # each round brings almost 300
    assert collected.text == tuple(range(100 - kept, 100))
    keys = [key for key in collected.info if key.startswith("key")]
    assert 0 < len(keys) <= 5
    assert keys == [f"key{number}" for number in range(100 - len(keys), 100)]
    assert ledger.forgotten == 100 - kept
    assert ledger._size == 0
    for number in range(1000):
        ledger.feed(reward(1, 1.0, **{f"key{number}": 1}))
    assert len(ledger.collect().info) < 20
    for _ in range(1000):  # rewards without info need no room
        ledger.feed(reward(1, 1.0))
    assert ledger._size == 0


@pytest.mark.parametrize("seed", range(150))
def test_any_order_gives_what_the_slow_model_gives(seed: int) -> None:
    rng = random.Random(seed)
    ledger, model, newest = Ledger(), Model(), 0
    for _ in range(200):
        episode = max(0, newest - rng.choice([0, 0, 0, 0, 1, 2]))
        match rng.choice(["reward", "reward", "reward", "done", "next", "reset", "collect"]):
            case "reward":
                value = float(rng.randrange(-9, 99))
                ledger.feed(reward(episode, value))
                model.feed(episode, "reward", value)
            case "done":
                ledger.feed(reward(episode, 1000.0, done=True))
                model.feed(episode, "done", 1000.0)
            case "next":
                newest += rng.choice([1, 1, 2])
                ledger.feed(resetting(newest))
                model.feed(newest, "describe", 0.0)
            case "reset" if not model.masked:
                ledger.mask()
                model.masked, model.current = True, None
            case "reset":
                newest += rng.choice([0, 1])
                answered = max(newest - rng.choice([0, 0, 1]), model.floor)
                newest = max(newest, answered)
                ledger.feed(reply(answered))
                model.answer(answered)
            case "collect":
                assert earned(ledger.collect()) == model.collect()
                assert ledger.episode_id == (None if model.current is None else str(model.current))


events = st.one_of(
    st.builds(reward, st.integers(0, 6), st.integers(-5, 5), done=st.booleans()),
    st.builds(text, st.integers(0, 6), st.integers(), st.integers(0, 400)),
    st.builds(observation, st.integers(0, 6), st.integers(), st.integers(0, 400)),
    st.builds(running, st.integers(0, 6)),
    st.builds(reply, st.integers(0, 6), st.integers(0, 3)),
)


@given(st.lists(events | st.sampled_from(["mask", "mask 2", "collect", "peek"])))
def test_whatever_comes_nothing_is_booked_elsewhere_and_all_stays_bounded(
    script: list[Event | str],
) -> None:
    ledger = Ledger(episodes=3, texts=5, size=1000)
    sent: dict[str | None, float] = {}
    got: dict[str | None, float] = {}
    for item in script:
        match item:
            case "mask":
                ledger.mask()
            case "mask 2":
                ledger.mask(2)
            case "peek":
                assert ledger.peek().reward == 0.0
            case "collect":
                collected = ledger.collect()
                owner = collected.complete_episode_id or collected.episode_id
                got[owner] = got.get(owner, 0.0) + abs(collected.reward)
                assert len(collected.text) <= 5
            case _:
                assert not isinstance(item, str)
                ledger.feed(item)
                if isinstance(item, Rewarded):
                    sent[item.episode_id] = sent.get(item.episode_id, 0.0) + abs(item.reward)
        assert len(ledger._buckets) <= 3
        assert ledger._size == sum(bucket.size for bucket in ledger._buckets.values()) <= 1400
        assert ledger.episode_id is None or int(ledger.episode_id) in ledger._buckets
    assert all(amount <= sent.get(episode, 0.0) for episode, amount in got.items())
