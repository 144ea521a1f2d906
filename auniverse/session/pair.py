"""The two links of one remote, opened and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from auniverse.address import Remote
from auniverse.errors import AuniverseError, ConnectError, RemoteError, RemoteTimeoutError
from auniverse.links import RewarderLink, VNCLink, WallClock, open_rewarder, open_vnc
from auniverse.rewarder import V1, Describe, Event
from auniverse.rfb import Allocate
from auniverse.spaces import JoystickEvent

from .hands import Hands, InputEvent
from .silence import Silence

UNKNOWN = float("nan")
#: Pauses between two attempts to open, in seconds; the last one repeats.
OPENING_DELAYS = (0.05, 0.1, 0.2, 0.5, 1.0)


class Lags(NamedTuple):
    """How far behind the remote we are, in seconds; NaN where it cannot be known.

    Attributes:
        frame_age: Since the newest pixels were drawn by the host (from a server that does not say:
            since they arrived). It grows while nothing changes.
        observation: From drawing to arrival of the newest pixels.
        action: From sending to the host's reading of the newest input that it has read.
        reward: From sending to now of the newest reward message.
    """

    frame_age: float
    observation: float
    action: float
    reward: float


class Pair:
    """The VNC link and the rewarder link of one remote; either may be absent.

    The tasks of the links live in this object's task group, from `open` to `close`.

    Args:
        silence: Seconds without an answer after which a link has failed; None: it may be silent.
        excused: Tells whether the remote has a good reason to answer nothing now.
    """

    def __init__(
        self,
        remote: Remote,
        *,
        encodings: Sequence[int],
        observer: bool,
        silence: float | None,
        excused: Callable[[], bool],
        allocate: Allocate,
        receive: Callable[[Event], None],
        on_pixels: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        self.remote = remote
        self.name = str(remote)
        self.vnc: VNCLink | None = None
        self.rewarder: RewarderLink | None = None
        self._encodings = encodings
        self._observer = observer
        self._silence = None if silence is None else Silence(silence)
        self._excused = excused
        self._watch: asyncio.Task[None] | None = None
        self._allocate = allocate
        self._receive = receive
        self._on_pixels = on_pixels
        self._wake = wake
        self._observation_lag = UNKNOWN
        self._tasks = asyncio.TaskGroup()

    async def open(self, timeout: float) -> None:
        """Open both links. What does not listen yet may still be booting: it is tried again.

        Raises:
            RemoteError: Not open within `timeout` seconds, or refused for good.
        """
        await self._tasks.__aenter__()
        try:
            await self._open_with_patience(timeout)
        except BaseException:
            await self.close()
            raise
        if self._silence is not None:
            self._watch = self._tasks.create_task(self._listen(self._silence))

    async def close(self) -> None:
        """Close both links and end their tasks; idempotent."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._silence is not None:
            self._silence.forget()  # it holds the links, and they their decoders' streams
        try:
            await self._drop()
        except BaseException as error:
            await self._tasks.__aexit__(type(error), error, error.__traceback__)
            raise
        await self._tasks.__aexit__(None, None, None)

    async def _open_with_patience(self, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        attempt = 0
        while True:
            try:
                await self._open_both(max(deadline - loop.time(), 0.1))
                return
            except ConnectError:
                await self._drop()
                delay = OPENING_DELAYS[min(attempt, len(OPENING_DELAYS) - 1)]
                if loop.time() + delay >= deadline:
                    raise
                attempt += 1
                await asyncio.sleep(delay)

    async def _open_both(self, timeout: float) -> None:
        try:
            async with asyncio.TaskGroup() as opening:
                if self.remote.vnc_port is not None:
                    opening.create_task(self._open_vnc(timeout))
                if self.remote.rewarder_port is not None:
                    opening.create_task(self._open_rewarder(timeout))
        except* AuniverseError as failed:
            error = _leaf(failed)
            raise error from error.__cause__

    async def _open_vnc(self, timeout: float) -> None:
        self.vnc = await open_vnc(
            self.remote,
            timeout=timeout,
            encodings=self._encodings,
            allocate=self._allocate,
            wake=self._on_pixels,
        )

    async def _open_rewarder(self, timeout: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout
        link = await open_rewarder(
            self.remote,
            timeout=timeout,
            observer=self._observer,
            receive=self._receive,
            wake=self._wake,
        )
        self.rewarder = link
        self._tasks.create_task(link.run())
        try:
            async with asyncio.timeout_at(deadline):
                await link.wait_described()
        except TimeoutError as error:
            raise RemoteTimeoutError(
                f"the rewarder did not describe itself within {timeout:g} s",
                remote=str(self.remote),
                remedy="is the second port the one of its rewarder?",
            ) from error
        if link.fault:
            raise link.fault
        await link.calibrate()

    async def _listen(self, silence: Silence) -> None:
        """Fail a link that answers nothing."""
        while True:
            await asyncio.sleep(silence.beat)
            if self.fault is not None:
                return
            if self._excused():
                silence.forget()
                continue
            silent = silence.listen(link for link in (self.vnc, self.rewarder) if link)
            if silent is not None:
                who = "the VNC server" if silent is self.vnc else "the rewarder"
                cast(VNCLink | RewarderLink, silent).fail(
                    RemoteTimeoutError(
                        f"{who} answered nothing for {silence.limit:g} s",
                        remote=self.name,
                        remedy="see the remote's own log, or give it a longer silence",
                    )
                )

    async def _drop(self) -> None:
        lost = self.fault
        vnc, self.vnc = self.vnc, None
        rewarder, self.rewarder = self.rewarder, None
        if rewarder and lost:
            rewarder.fail(lost)
        if vnc and lost:
            vnc.abort()
        try:
            if vnc:
                await vnc.close()
            if rewarder:
                await rewarder.close()
        except BaseException:  # nobody waits any longer: drop what is left
            if vnc:
                vnc.abort()
            if rewarder:
                rewarder.abort()
            raise

    @property
    def described(self) -> Describe | None:
        """What the rewarder last said it runs."""
        return self.rewarder.connection.described if self.rewarder else None

    @property
    def v1(self) -> V1 | None:
        """What the host says of itself beyond protocol v0, None from v0 hosts."""
        return self.described.v1 if self.described else None

    @property
    def fault(self) -> RemoteError | None:
        """Why the remote is lost, None while it is not."""
        if self.vnc is not None and self.vnc.fault is not None:
            return self.vnc.fault
        return None if self.rewarder is None else self.rewarder.fault

    @property
    def skew(self) -> float | None:
        """Seconds to add to the remote's clock to get ours, None if not measured."""
        measured = self.rewarder.connection.skew if self.rewarder else None
        return None if measured is None else (measured[0] + measured[1]) / 2

    @property
    def traffic(self) -> tuple[int, int]:
        """VNC updates and bytes received since opening."""
        connection = self.vnc and self.vnc.connection
        return (connection.updates, connection.bytes_received) if connection else (0, 0)

    def wall(self) -> float:
        """Return the time now, in unix seconds by our clock."""
        return (self.rewarder.wall if self.rewarder else WallClock())()

    def act(self, events: Sequence[InputEvent], hands: Hands, env_id: str) -> None:
        """Send input: keys and the pointer to the screen, a joystick's axes to the rewarder."""
        if self.vnc is not None and self.vnc.fault is None:
            sent_at = self.wall()
            hands.note_sent(self.vnc.act(hands.follow(events)), sent_at)
        axes = [event for event in events if isinstance(event, JoystickEvent)]
        if axes and self.rewarder is not None and self.rewarder.fault is None:
            self.rewarder.connection.send_action(env_id, axes, self.rewarder.wall())
            self.rewarder.flush()

    def note_pixels(self, hands: Hands) -> None:
        """Pixels came: note how old they were, and which input was read before."""
        frame = self.vnc.frame if self.vnc else None
        skew = self.skew
        if frame is not None and skew is not None:
            self._observation_lag = self.wall() - (frame.drawn_at + skew)
            hands.note_read(frame, skew)
        elif self.vnc is not None and self.vnc.inputs.read:
            hands.note_confirmed(self.vnc.inputs.read, self.wall())

    def lags(self, action: float, reward_sent_at: float | None, now: float) -> Lags:
        """Measure the ages at `now` (`wall`), and put them beside the lags measured on arrival."""
        skew = self.skew
        frame = self.vnc.frame if self.vnc else None
        age = reward = UNKNOWN
        if self.rewarder is not None and skew is not None:
            remote_now = now - skew
            if frame is not None:
                age = remote_now - frame.drawn_at
            if reward_sent_at is not None:
                reward = remote_now - reward_sent_at
        if frame is None and self.vnc and self.vnc.updated_at:
            age = asyncio.get_running_loop().time() - self.vnc.updated_at
        return Lags(age, self._observation_lag, action, reward)


def _leaf(group: BaseExceptionGroup[AuniverseError]) -> AuniverseError:
    error = group.exceptions[0]
    return _leaf(error) if isinstance(error, BaseExceptionGroup) else error
