"""The client's account of episodes: what was earned is booked to the episode that earned it.

Messages arrive while nobody looks; `collect` hands out, once, what has come together since. One
bucket per episode id holds it until then. Everything is linear in the messages and bounded in
memory, whatever the remote sends.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from auniverse.errors import UsageError

from .bucket import Bucket
from .connection import Described, Event, ObservationReceived, ResetReplied, Rewarded, TextReceived
from .values import episode_number


class Collected(NamedTuple):
    """What came together since the last `collect`.

    If `done`, then reward, messages, truncated and info belong to the episode that ended
    (`complete_episode_id`), while episode_id, env_state and text belong to the next one.
    """

    reward: float
    done: bool
    #: The episode did not end by itself: its done message said `{"truncated": true}`.
    truncated: bool
    #: The current episode and its state; None while masked or before its first message.
    episode_id: str | None
    env_state: str | None
    text: tuple[object, ...]
    #: The merged info of the rewards, and Universe's keys `env_status.*`, `reward_buffer.*`,
    #: `stats.reward.count`, `rewarder.observation`.
    info: dict[str, object]
    #: How many reward messages this is the sum of.
    messages: int
    complete_episode_id: str | None
    #: When the last of them was sent, unix seconds by the remote's clock.
    sent_at: float | None


class Ledger:
    """Books rewards, texts and observations by episode id (Universe's reward buffer).

    Without `mask` (an observer, or a client that attaches to what runs) the first episode seen
    becomes the current one. The first message of a newer episode ends the older ones, whether
    their done message came or not. When the current episode is done and collected, the newest one
    follows it; those in between are dropped. What comes for an episode that is over is dropped and
    counted, never added to another.

    Args:
        episodes: Open buckets at most (2 or more); the oldest that is not current makes room.
        texts: Texts kept per episode; the oldest is dropped for a new one.
        size: Bytes that the messages may take whose info, texts and observations are kept, over
            all episodes; beyond, what was kept is forgotten (rewards are not).

    Attributes:
        late: Messages dropped because their episode was over.
        artificial: Episodes that ended without a done message.
        skipped: Episodes dropped before they were collected, other than by our reset.
        forgotten: Texts dropped to stay within the limits.

    Raises:
        UsageError: Fewer than two episodes.
    """

    def __init__(self, *, episodes: int = 64, texts: int = 1000, size: int = 4 << 20) -> None:
        if episodes < 2:
            raise UsageError(f"a ledger of {episodes} episodes (the current and the next: 2)")
        self.late = 0
        self.artificial = 0
        self.skipped = 0
        self.forgotten = 0
        self._max_episodes = episodes
        self._max_texts = texts
        self._max_size = size
        self._size = 0
        self._buckets: dict[int, Bucket] = {}
        self._current: int | None = None
        self._masked = False
        #: The reset whose reply unmasks; None: any reply does.
        self._reset_id: int | None = None
        #: Episodes below are over.
        self._floor = 0

    @property
    def episode_id(self) -> str | None:
        """The current episode; None while masked, and until the next one shows itself."""
        return None if self._current is None else str(self._current)

    @property
    def env_state(self) -> str | None:
        """The current episode's state, "resetting" or "running"; None if not known."""
        return None if self._current is None else self._buckets[self._current].env_state

    def mask(self, message_id: int | None = None) -> None:
        """A reset was sent: nothing counts until its reply.

        Args:
            message_id: The reset's message id; replies to earlier resets then do not count.
        """
        self._masked = True
        self._reset_id = message_id
        self._current = None

    def feed(self, event: Event) -> None:
        """Book one event of the connection; kinds that concern no episode are ignored."""
        match event:
            case Described():
                self._book_state(event)
            case Rewarded():
                self._book_reward(event)
            case TextReceived():
                self._book_text(event)
            case ObservationReceived():
                if bucket := self._bucket(event.episode_id, event.received_at, event.size):
                    bucket.observation = (event.observation, event.episode_id)
            case ResetReplied():
                self._unmask(event)

    def collect(self) -> Collected:
        """Take what the current episode has gathered; if that ended it, go on to the newest."""
        if self._current is None:
            return self._report(0.0, info={})
        number, bucket = self._current, self._buckets[self._current]
        info = bucket.account(number)
        if not bucket.done:
            text = self._empty(bucket)
            fresh = Bucket(env_state=bucket.env_state)
            self._buckets[number] = fresh
            return self._report(bucket.reward, bucket=bucket, info=info, text=text)
        info["env_status.complete.episode_id"] = str(number)
        info["env_status.complete.env_state"] = bucket.env_state
        self._empty(bucket)
        text = self._go_on(number)
        return self._report(bucket.reward, bucket=bucket, info=info, text=text, complete=number)

    def skip_to(self, number: int) -> None:
        """Leave all episodes before this one: they came and went while nobody played them."""
        for older in [other for other in self._buckets if other < number]:
            self._drop(older)
            self.skipped += 1
        self._floor = max(self._floor, number)
        if self._current is not None and self._current < number:
            self._current = number if number in self._buckets else None

    def peek(self) -> Collected:
        """Look at the states without taking anything: reward 0, and `env_status.peek.*`."""
        newest = None if self._masked else max(self._buckets, default=None)
        state = None if newest is None else self._buckets[newest].env_state
        return self._report(
            0.0,
            info={
                "peek": True,
                "env_status.peek.episode_id": None if newest is None else str(newest),
                "env_status.peek.env_state": state,
            },
        )

    # ---------------------------------------------------------------- booking

    def _book_state(self, event: Described) -> None:
        described = event.describe
        if described.episode_id is None:
            return
        if bucket := self._bucket(described.episode_id, event.received_at):
            bucket.env_state = described.env_state

    def _book_reward(self, event: Rewarded) -> None:
        size = event.size if event.info else 0
        bucket = self._bucket(event.episode_id, event.received_at, size)
        if bucket is not None:
            bucket.earn(event)

    def _book_text(self, event: TextReceived) -> None:
        bucket = self._bucket(event.episode_id, event.received_at, event.size)
        if bucket is None:
            return
        bucket.text.append(event.text)
        if len(bucket.text) > self._max_texts:
            bucket.text.popleft()
            self.forgotten += 1

    # ---------------------------------------------------------------- episodes

    def _bucket(self, episode_id: str, now: float, size: int = 0) -> Bucket | None:
        """Return the episode's bucket, with room for `size`; None, counted, if it is over."""
        number = episode_number(episode_id)
        bucket = self._buckets.get(number)
        if bucket is None:
            newest = -1 if self._masked else max(self._buckets, default=-1)
            if number < max(self._floor, newest):
                self.late += 1
                return None
            bucket = self._open(number, now)
        if self._size + size > self._max_size:
            self._forget()
        bucket.size += size
        self._size += size
        return bucket

    def _open(self, number: int, now: float) -> Bucket:
        bucket = self._buckets[number] = Bucket()
        if not self._masked:
            if self._current is None:
                self._current = number
            self._end_all_but_the_newest(now)
        self._skip_for(number)
        return bucket

    def _end_all_but_the_newest(self, now: float) -> None:
        newest = max(self._buckets)
        for number, bucket in self._buckets.items():
            if number != newest and not bucket.done:
                bucket.done = True
                bucket.done_at = now
                bucket.artificial = True
                self.artificial += 1

    def _unmask(self, event: ResetReplied) -> None:
        number = episode_number(event.episode_id)
        if self._masked:
            stale = self._reset_id is not None and event.message_id < self._reset_id
        else:
            stale = self._current is not None and number < self._current
        if stale:
            return
        for older in [other for other in self._buckets if other < number]:
            self._drop(older)
        self._masked = False
        self._floor = self._current = number
        self._buckets.setdefault(number, Bucket()).reset = True
        self._end_all_but_the_newest(event.received_at)
        self._skip_for(max(self._buckets))

    def _go_on(self, finished: int) -> tuple[object, ...]:
        """Leave a finished episode for the newest one, if there is one; return that one's texts."""
        del self._buckets[finished]
        self._floor = finished + 1
        newest = max(self._buckets, default=None)
        self._current = newest
        if newest is None:
            return ()
        self._floor = newest
        for older in [other for other in self._buckets if other < newest]:
            self._drop(older)
            self.skipped += 1
        bucket = self._buckets[newest]
        text, bucket.text = tuple(bucket.text), deque()
        return text

    # ---------------------------------------------------------------- room

    def _skip_for(self, number: int) -> None:
        """If there is one episode too many, drop the oldest but for the current and `number`."""
        if len(self._buckets) > self._max_episodes:
            self._drop(min(self._buckets.keys() - {self._current, number}))
            self.skipped += 1

    def _drop(self, number: int) -> None:
        self._size -= self._buckets.pop(number).size

    def _empty(self, bucket: Bucket) -> tuple[object, ...]:
        self._size -= bucket.size
        return tuple(bucket.text)

    def _forget(self) -> None:
        for bucket in self._buckets.values():
            self.forgotten += bucket.forget()
        self._size = 0

    def _report(
        self,
        reward: float,
        *,
        info: dict[str, object],
        bucket: Bucket | None = None,
        text: tuple[object, ...] = (),
        complete: int | None = None,
    ) -> Collected:
        bucket = bucket or Bucket()
        info["env_status.episode_id"] = self.episode_id
        info["env_status.env_state"] = self.env_state
        return Collected(
            reward=reward,
            done=complete is not None,
            truncated=bucket.truncated,
            episode_id=self.episode_id,
            env_state=self.env_state,
            text=text,
            info=info,
            messages=bucket.messages,
            complete_episode_id=None if complete is None else str(complete),
            sent_at=bucket.sent_at,
        )
