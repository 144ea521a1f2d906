"""The session: one remote's two links, its episodes and its rewards, as an environment.

What may wait is `async`: opening, `reset`, `step`, closing. What a pool needs to drive many
sessions at once are plain calls: `begin_reset`, `playing`, `act` or `begin_step`, `stepped`,
`collect`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import RemoteError, RemoteTimeoutError, RewarderError, UsageError
from auniverse.links import RewarderLink, VNCLink
from auniverse.rewarder import V1, Collected, Describe, Event, Ledger
from auniverse.rfb import LINKS, Allocate, allocate_pixels, snapshot
from auniverse.spaces import parse_events

from .episode import FIRST_FRAME, Episode
from .hands import Hands, InputEvent
from .pair import Pair

Observation = NDArray[np.uint8]
Info = dict[str, Any]


class Session:
    """One remote as an environment.

    Use it as an async context manager: it is open inside, and afterwards nothing of it is left.

    Args:
        remote: Where the remote is; without a `vnc_port` there are no pixels, without a
            `rewarder_port` no rewards and no resets.
        env_id: What to play; None takes what the remote runs.
        fps: Steps a second; None takes the remote's figure.
        lockstep: One step, one frame; the remote stands still in between. Needs a remote that
            offers it.
        timeout: Seconds until the remote must have answered at the start.
        reset_timeout: Seconds until a new episode must have shown its first frame, and a step in
            lock-step must have been done.
        silence: Seconds without any answer after which it counts as lost; None: it may be silent.
        link: "local", "lan" or "wan": which encodings to prefer.
        encodings: RFB encodings by number, instead of `link`.
        observer: Watch only.
        allocate: Gives the memory for the screen.
        wake: Called on the loop whenever something arrived.
    """

    def __init__(
        self,
        remote: Remote,
        *,
        env_id: str | None = None,
        fps: float | None = None,
        lockstep: bool = False,
        timeout: float = 10.0,
        reset_timeout: float = 60.0,
        silence: float | None = 5.0,
        link: str = "local",
        encodings: Sequence[int] | None = None,
        observer: bool = False,
        allocate: Allocate = allocate_pixels,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        if link not in LINKS:
            raise UsageError(f"link {link!r}: one of {', '.join(LINKS)}")
        self.remote = remote
        self.env_id = env_id
        self.paused = False
        self.lockstep = lockstep
        self.timeout = timeout
        self.reset_timeout = reset_timeout
        self.ledger = Ledger()
        self.episode = Episode()
        self.hands = Hands()
        self._fps = fps
        self._observer = observer
        self._wake_pool = wake
        self._links = Pair(
            remote,
            encodings=LINKS[link] if encodings is None else encodings,
            observer=observer,
            silence=silence,
            # A host that loads or draws for long does nothing else; `reset_timeout` is for that.
            excused=lambda: self.paused or self.episode.owed,
            allocate=allocate,
            receive=self._on_rewarder,
            on_pixels=self._on_pixels,
            wake=self._on_wake,
        )
        self._changed = asyncio.Event()
        self._open = False
        self._failure: RemoteError | None = None
        self._news_at = self._due = 0.0

    # -- opening and closing -------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._links.open(self.timeout)
        if self.lockstep and self.v1 is None:
            await self._links.close()
            raise UsageError(f"{self.remote} cannot be stepped frame by frame: no lock-step there")
        self.episode.picture = self.vnc
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._open:
            self._open, self.episode.picture = False, None  # a link holds its decoders' streams
            self.release()
            await self._links.close()

    # -- what it is ----------------------------------------------------------------------------

    @property
    def vnc(self) -> VNCLink | None:
        """The link for pixels and input; None before opening and if the remote has none."""
        return self._links.vnc

    @property
    def rewarder(self) -> RewarderLink | None:
        """The link for rewards; None before opening and if the remote has none."""
        return self._links.rewarder

    @property
    def described(self) -> Describe | None:
        """What the rewarder last said it runs."""
        return self._links.described

    @property
    def v1(self) -> V1 | None:
        """What the host says of itself beyond protocol v0, None from v0 hosts."""
        return self._links.v1

    @property
    def fps(self) -> float:
        """Steps a second: as asked for, else the remote's, else 60."""
        if self._fps is not None:
            return self._fps
        return self.described.fps if self.described and self.described.fps > 0 else 60.0

    @property
    def fault(self) -> RemoteError | None:
        """Why the remote is lost, None while it is not."""
        return self._failure or self._links.fault

    def fail(self, error: RemoteError) -> None:
        """Give the remote up because of what its user saw."""
        self._failure = self._failure or error
        self._on_wake()

    # -- plain calls, for a pool ---------------------------------------------------------------

    def begin_reset(self, seed: int | None = None, env_id: str | None = None) -> None:
        """Ask for a new episode; it is there when `playing` turns true.

        Raises:
            UsageError: Nobody ever said what to play.
        """
        self.release()
        self.env_id = env_id or self.env_id
        if self.rewarder is None:
            self.episode.join_screen()
        elif self._observer:
            self.episode.join(self.described)
        else:
            self._request_reset(self.rewarder, seed)

    def _request_reset(self, rewarder: RewarderLink, seed: int | None) -> None:
        described = self.described
        self.env_id = self.env_id or (described.env_id if described else None)
        if self.env_id is None:
            raise UsageError(f"{self.remote} runs nothing yet: say which env_id to play")
        request = rewarder.connection.send_reset(
            env_id=self.env_id,
            seed=seed,
            fps=self.fps,
            now=rewarder.wall(),
            episode_id=(described.episode_id if described else None) or "0",
            lockstep=self.lockstep,
        )
        self.ledger.mask(request)
        self.episode.expect(request)
        rewarder.flush()

    @property
    def playing(self) -> bool:
        """Whether an episode runs and the screen shows it.

        Raises:
            RewarderReplyError: The remote refused the reset.
            RewarderError: It was asked to stand still between steps and does not.
        """
        try:
            playing = self.episode.playing
        except RemoteError as error:
            error.remote = str(self.remote)
            raise
        if playing and self.lockstep and not (self.v1 and self.v1.lockstep):
            raise RewarderError("it runs on instead of waiting for steps", remote=str(self.remote))
        return playing

    def begin_playing(self) -> None:
        """Take what is shown for the start: what came between two episodes of ours is nobody's."""
        self.ledger.skip_to(self.episode.number)

    @property
    def traffic(self) -> tuple[int, int]:
        """VNC updates and bytes received since opening."""
        return self._links.traffic

    def wall(self) -> float:
        """Return the time now, in unix seconds by our clock."""
        return self._links.wall()

    def news_since(self, moment: float) -> bool:
        """Tell whether pixels or rewards came since `moment` (`loop.time()`)."""
        return self._news_at > moment

    @property
    def stepped(self) -> bool:
        """Whether the frame asked for by `begin_step` was drawn and is on the screen."""
        return self.episode.stepped

    def act(self, events: Iterable[InputEvent]) -> None:
        """Send input to the remote at once, in order, in one write."""
        self._links.act(list(events), self.hands, self.env_id or "")

    def begin_step(self, events: Iterable[InputEvent]) -> None:
        """In lock-step: ask for one frame under this input; it is there when `stepped`."""
        if self.rewarder is None:
            raise UsageError(f"{self.remote} has no rewarder, so no lock-step")
        wire = [(type(event).__name__, *event) for event in self.hands.follow(events)]
        request = self.rewarder.connection.send_step(wire, now=self.rewarder.wall())
        self.episode.expect_step(request)
        self.rewarder.flush()

    def release(self) -> None:
        """Let go of every key and button that is down."""
        if (events := self.hands.release()) and not self.lockstep:
            self.act(events)

    def collect(self) -> Collected:
        """Take what the running episode earned since last called.

        After a result with `done`, `playing` is false until the next episode is shown.
        """
        collected = self.ledger.collect()
        if collected.done:
            self.episode.end(collected.complete_episode_id)
            self.release()  # a desktop would hold on to it in the next episode
        return collected

    def _on_wake(self) -> None:
        self._news_at = self._loop.time()
        self._changed.set()
        self._wake_pool()

    def _on_pixels(self) -> None:
        self._links.note_pixels(self.hands)
        self._on_wake()

    def _on_rewarder(self, event: Event) -> None:
        self.ledger.feed(event)
        self.episode.feed(event)

    # -- for whoever has one remote ------------------------------------------------------------

    async def reset(
        self, seed: int | None = None, env_id: str | None = None
    ) -> tuple[Observation, Info]:
        """Begin a new episode and wait for its first frame.

        Returns:
            The screen, uint8 (height, width, 3) RGB, an own copy; and the info keys of `info`.

        Raises:
            RemoteError: The remote is lost, refuses, or shows no first frame in time.
        """
        self._require_open()
        self.begin_reset(seed, env_id)
        return await self._first_observation()

    async def step(
        self, events: Iterable[object] = ()
    ) -> tuple[Observation, float, bool, bool, Info]:
        """Act, wait for the next tick (in lock-step: the next frame), and observe.

        Args:
            events: `KeyEvent`, `PointerEvent` or tuples such as `("KeyEvent", "ArrowUp", True)`.

        Returns:
            observation, reward, terminated, truncated, info as Gymnasium means them. The step
            after an episode's end drops its events and returns the next episode's first frame.

        Raises:
            InvalidActionError: An event that is none.
            RemoteError: The remote is lost or does not answer in time.
        """
        self._require_open()
        parsed = parse_events(events)
        if self.episode.over:
            if self.lockstep:
                self.begin_reset()
            observation, info = await self._first_observation()
            return observation, 0.0, False, False, info
        if self.lockstep:
            self.begin_step(parsed)
            await self._wait(lambda: self.stepped, "draw the next frame")
        else:
            self.act(parsed)
            await self._tick()
        collected = self.collect()
        terminated = collected.done and not collected.truncated
        info = {**collected.info, **self.info(collected.sent_at)}
        return self.observe(), collected.reward, terminated, collected.truncated, info

    async def _first_observation(self) -> tuple[Observation, Info]:
        await self._wait(lambda: self.playing, FIRST_FRAME)
        self._due = self._loop.time()
        self.begin_playing()
        return self.observe(), self.info()

    async def _tick(self) -> None:
        now = self._loop.time()
        self._due = max(self._due + 1 / self.fps, now)
        await asyncio.sleep(self._due - now)
        if self.fault:
            raise self.fault

    def observe(self) -> Observation:
        """Return the newest screen, uint8 (height, width, 3) RGB, an own copy."""
        if self.vnc is None:
            return np.zeros((0, 0, 3), np.uint8)
        self.vnc.damage.take()
        return snapshot(self.vnc.pixels)

    def info(self, reward_sent_at: float | None = None) -> Info:
        """Return the info keys of this moment (the table of keys is in the README).

        Args:
            reward_sent_at: When the newest reward message was sent, by the remote's clock.
        """
        lags = self._links.lags(self.hands.lag, reward_sent_at, now := self.wall())
        return {
            "env_id": self.env_id,
            "remote": self._links.name,
            "episode_id": self.ledger.episode_id,
            "text": self.episode.text,
            "frame_age_s": lags.frame_age,
            "frame_time_s": now - lags.frame_age,
            "lag_observation_s": lags.observation,
            "lag_action_s": lags.action,
            "lag_reward_s": lags.reward,
        }

    async def _wait(self, reached: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(self.reset_timeout):
                while not (self.fault or reached()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise self.too_slow(what) from error
        if self.fault:
            raise self.fault

    async def lost(self) -> RemoteError:
        """Wait until the remote is lost; return why."""
        while self.fault is None:
            self._changed.clear()
            await self._changed.wait()
        return self.fault

    def too_slow(self, what: str) -> RemoteTimeoutError:
        """Return the error for a remote that did not do `what` within `reset_timeout`."""
        return RemoteTimeoutError(
            f"did not {what} within {self.reset_timeout:g} s",
            remote=str(self.remote),
            remedy="see the remote's own log, or give it a longer reset_timeout",
        )

    def _require_open(self) -> None:
        if not self._open:
            raise UsageError("the session is not open: use `async with`")
