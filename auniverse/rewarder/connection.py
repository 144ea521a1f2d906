"""The client's end of one rewarder connection: texts in, events out, texts to send.

Every `now` is unix seconds by this machine's clock: it goes onto the wire as `sent_at`, and the
pings compare it with the server's.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from auniverse.errors import ConnectionLostError, InvalidActionError, RewarderError, UsageError

from . import messages
from .messages import PROTOCOL, Describe, Headers, Message
from .upgrade import upgrade_headers
from .values import Limits, Reader, weight
from .wire import FROM_SERVER, parse, read_action, read_events, serialize

logger = logging.getLogger("auniverse.rewarder")

#: So many of the newest pings make up the clock skew, as in Universe.
PINGS = 10


class Described(NamedTuple):
    """The server said what runs. The first one means: this is a rewarder, and it is up."""

    describe: Describe
    sent_at: float
    received_at: float


class Rewarded(NamedTuple):
    """A reward, the end of an episode, or a heartbeat (reward 0)."""

    reward: float
    done: bool
    info: Mapping[str, object]
    episode_id: str
    #: Unix seconds by the server's clock, and by ours.
    sent_at: float
    received_at: float
    #: What keeping it costs, in bytes at most.
    size: int = 0


class TextReceived(NamedTuple):
    """Something to read; any JSON value."""

    text: object
    episode_id: str
    sent_at: float
    received_at: float
    size: int = 0


class ObservationReceived(NamedTuple):
    """A low-dimensional observation; any JSON value."""

    observation: object
    episode_id: str
    sent_at: float
    received_at: float
    size: int = 0


class ResetReplied(NamedTuple):
    """Our reset `message_id` led to this episode."""

    message_id: int
    episode_id: str
    received_at: float


class StepReplied(NamedTuple):
    """Our step `message_id` is done; `frame` is the newest frame's number after it."""

    message_id: int
    frame: int
    episode_id: str


class Pong(NamedTuple):
    """Our ping `message_id` came back after so many seconds."""

    message_id: int
    round_trip: float


class ErrorReplied(NamedTuple):
    """Our request `message_id` failed; `request` is its method, such as "v0.env.reset"."""

    message_id: int
    request: str
    message: str


class ClosedByServer(NamedTuple):
    """The server said why it is about to hang up."""

    message: str


Event: TypeAlias = (
    Described
    | Rewarded
    | TextReceived
    | ObservationReceived
    | ResetReplied
    | StepReplied
    | Pong
    | ErrorReplied
    | ClosedByServer
)


class _Request(NamedTuple):
    """What we remember of a request until its reply."""

    method: str
    sent_at: float


class Connection:
    """One client's connection; it owns the counters, the open requests and the clock skew.

    Args:
        password: What the server wants to know; None sends no authorization.
        observer: Only watch: observers may be many, but may neither reset nor step.
        limits: What the server may cost us.

    Attributes:
        protocol: 0 until the server has described itself as one of protocol 1.
        described: The newest description, None before the first.
        closed: Why nothing more can be sent, None while open.
        skew: Bounds (low, high) of the seconds to add to a remote time to get a local one; None
            before the first reply to a ping.
    """

    def __init__(
        self,
        *,
        password: str | None = "openai",
        observer: bool = False,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
    ) -> None:
        self.protocol = 0
        self.described: Describe | None = None
        self.closed: str | None = None
        self._password = password
        self._observer = observer
        self._limits = limits
        self._message_id = 0
        self._requests: dict[int, _Request] = {}
        self.skew: tuple[float, float] | None = None
        self._skews: deque[tuple[float, float]] = deque(maxlen=PINGS)
        self._events: list[Event] = []
        self._texts: list[str] = []

    def upgrade_headers(self) -> dict[str, str]:
        """Return the headers of the websocket's upgrade request (they hold the password)."""
        return upgrade_headers(self._password, self._observer)

    def receive_text(self, text: str, now: float) -> None:
        """Take one message; what it says comes out of `events`.

        Unknown methods and replies to requests that we never made are logged and ignored, and so
        is everything after the end.

        Raises:
            RewarderError: The message breaks the protocol; the connection is closed.
        """
        if self.closed is not None:
            logger.info("message after the end of the connection ignored")
            return
        try:
            message = parse(text, FROM_SERVER, self._limits)
        except RewarderError as error:
            self.closed = error.reason
            raise
        if isinstance(message.body, messages.Unknown):
            logger.info("unknown method %s ignored", message.body.method)
            return
        event = _HEAR[type(message.body)](self, message, now, weight(text))
        if event is not None:
            self._events.append(event)

    def events(self) -> list[Event]:
        """Return what happened since the last call."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> list[str]:
        """Return the websocket text messages to send, in order, since the last call."""
        texts, self._texts = self._texts, []
        return texts

    def send_reset(
        self,
        *,
        env_id: str,
        seed: int | None,
        fps: float,
        now: float,
        episode_id: str = "0",
        lockstep: bool = False,
    ) -> int:
        """Ask for a new episode; returns the message id that its reply will name.

        Raises:
            UsageError: Lock-step was asked of a server of protocol 0 (or of one that has not
                described itself yet).
            ConnectionLostError: The connection is closed.
        """
        if lockstep and not self.protocol:
            raise UsageError("this remote does not know lock-step (its rewarder is Universe's)")
        body = messages.Reset(seed, env_id, fps, episode_id, lockstep)
        return self._request("v0.env.reset", body, now)

    def send_ping(self, now: float) -> int:
        """Ask for a sign of life, which also measures the clocks; returns the message id.

        Raises:
            ConnectionLostError: The connection is closed.
        """
        return self._request("v0.control.ping", messages.Ping(), now)

    def send_action(self, env_id: str, action: Sequence[Sequence[object]], now: float) -> None:
        """Send (type, value) pairs, as of a joystick; there is no reply.

        Raises:
            InvalidActionError: An entry is no (type, value).
            ConnectionLostError: The connection is closed.
        """
        checked = self._checked(read_action, "action", list(action))
        self._send(messages.Action(env_id, checked), now)

    def send_step(
        self, events: Sequence[tuple[object, ...]], *, frames: int = 1, now: float
    ) -> int:
        """Lock-step: press these keys, let `frames` frames pass; returns the message id.

        Args:
            events: `("KeyEvent", keysym, down)` and `("PointerEvent", x, y, buttons)`.
            frames: How many frames, from 1.
            now: Unix seconds.

        Raises:
            UsageError: The server has not described itself as one of protocol 1.
            InvalidActionError: An entry is no such event.
            ConnectionLostError: The connection is closed.
        """
        if not self.protocol:
            raise UsageError("this remote does not know lock-step (its rewarder is Universe's)")
        if not 1 <= frames <= self._limits.frames:
            raise UsageError(f"a step of {frames} frames (1 to {self._limits.frames})")
        checked = self._checked(read_events, "events", list(events))
        return self._request("v1.env.step", messages.Step(checked, frames), now)

    def _measure_skew(self, low: float, high: float) -> None:
        """Bound the skew by one more ping.

        Every ping bounds it, so the newest ten together bound it by the tightest of each side: a
        server that answers late widens one side of its ping, which would shift their mean
        (Universe's figure). Only clocks that drift apart make the bounds cross; then the mean is
        what is left.
        """
        self._skews.append((low, high))
        lows, highs = zip(*self._skews, strict=True)
        if max(lows) <= min(highs):
            self.skew = max(lows), min(highs)
        else:
            self.skew = sum(lows) / len(lows), sum(highs) / len(highs)

    def _checked(self, read: Reader, what: str, value: object) -> Any:
        try:
            return read(what, value, self._limits)
        except RewarderError as error:  # the server's fault if it says it, the caller's if we do
            raise InvalidActionError(error.reason) from error

    def _request(self, method: str, body: messages.ClientBody, now: float) -> int:
        message_id = self._send(body, now)
        self._requests[message_id] = _Request(method, now)
        return message_id

    def _send(self, body: messages.ClientBody, now: float) -> int:
        if self.closed is not None:
            raise ConnectionLostError(f"the rewarder connection is closed: {self.closed}")
        message_id = self._message_id
        self._texts.append(serialize(Headers(message_id, float(now)), body, self.protocol))
        self._message_id += 1
        return message_id

    def _answered(self, message: Message, *methods: str) -> tuple[int, _Request] | None:
        """Take the open request that a message replies to; None, logged, if there is none."""
        parent = message.headers.parent_message_id
        request = None if parent is None else self._requests.get(parent)
        if parent is None or request is None or (methods and request.method not in methods):
            kind = type(message.body).__name__
            logger.info("%s to unknown request %s ignored", kind, parent)
            return None
        del self._requests[parent]
        return parent, request

    def _hear_describe(self, message: Message, now: float, size: int) -> Event:
        self.described = message.body
        if message.body.v1 is not None:
            self.protocol = PROTOCOL
        return Described(message.body, message.headers.sent_at, now)

    def _hear_reward(self, message: Message, now: float, size: int) -> Event:
        said = message.body
        sent_at = message.headers.sent_at
        return Rewarded(said.reward, said.done, said.info, said.episode_id, sent_at, now, size)

    def _hear_text(self, message: Message, now: float, size: int) -> Event:
        said = message.body
        return TextReceived(said.text, said.episode_id, message.headers.sent_at, now, size)

    def _hear_observation(self, message: Message, now: float, size: int) -> Event:
        said, sent_at = message.body, message.headers.sent_at
        return ObservationReceived(said.observation, said.episode_id, sent_at, now, size)

    def _hear_close(self, message: Message, now: float, size: int) -> Event:
        self.closed = message.body.message
        return ClosedByServer(message.body.message)

    def _hear_reset_reply(self, message: Message, now: float, size: int) -> Event | None:
        answered = self._answered(message, "v0.env.reset")
        return answered and ResetReplied(answered[0], message.body.episode_id, now)

    def _hear_step_reply(self, message: Message, now: float, size: int) -> Event | None:
        answered = self._answered(message, "v1.env.step")
        return answered and StepReplied(answered[0], message.body.frame, message.body.episode_id)

    def _hear_ping_reply(self, message: Message, now: float, size: int) -> Event | None:
        answered = self._answered(message, "v0.control.ping")
        if answered is None:
            return None
        message_id, request = answered
        # The reply left the server at r, somewhere between our s and our t.
        remote = message.headers.sent_at
        self._measure_skew(request.sent_at - remote, now - remote)
        return Pong(message_id, now - request.sent_at)

    def _hear_error_reply(self, message: Message, now: float, size: int) -> Event | None:
        answered = self._answered(message)
        return answered and ErrorReplied(answered[0], answered[1].method, message.body.message)


_HEAR: dict[type[Any], Callable[[Connection, Message, float, int], Event | None]] = {
    messages.Describe: Connection._hear_describe,
    messages.Reward: Connection._hear_reward,
    messages.Text: Connection._hear_text,
    messages.Observation: Connection._hear_observation,
    messages.Close: Connection._hear_close,
    messages.ResetReply: Connection._hear_reset_reply,
    messages.StepReply: Connection._hear_step_reply,
    messages.PingReply: Connection._hear_ping_reply,
    messages.ErrorReply: Connection._hear_error_reply,
}
