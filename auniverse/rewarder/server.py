"""The host's end of the rewarder protocol: one `Server`, with a `Peer` for each connection.

The shell hands in texts and sends what each peer has to send; the host program uses the verbs.
Every `now` is unix seconds; it goes onto the wire as `sent_at`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from auniverse.errors import RewarderError, UsageError

from . import messages
from .messages import ENV_STATES, V1, Body, Message
from .peer import ActionRequest, Peer, Request, ResetRequest, StepRequest
from .resets import Resets
from .upgrade import is_observer, protocol_of, refusal
from .values import Limits
from .wire import FROM_CLIENT, parse

logger = logging.getLogger("auniverse.rewarder")

#: Seconds after which a running env sends a reward of 0, to show that it lives.
HEARTBEAT = 5.0
#: The fastest that a client may ask for.
MAX_FPS = 60.0

_NORMAL_CLOSURE = 1000
#: A websocket's close frame has no room for more bytes of reason.
_MAX_CLOSE_REASON = 123


class Server:
    """One host's rewarder: its state, its episode counter and its peers.

    The first peer that is no observer and says something is the *active* one until it leaves; any
    other that speaks is sent away. Observers are unlimited; unlike in Universe they can neither
    reset nor step (they get an error reply), since one agent's episode is not theirs to end.

    A reset that asks for the same as one that is still under way is not handed out again: both get
    the one reply. What breaks the protocol never raises here: its sender is told and closed.

    Args:
        password: What clients have to know; None lets everybody in.
        env_id: What runs, None before something does.
        fps: Frames a second that it runs at.
        v1: What clients of protocol 1 are told; None makes this a server of protocol 0.
        limits: What a client may cost us.

    Attributes:
        episode_id: The current episode, a counter as text, "0" before the first.
        env_state: "resetting", "running", or None before the first transition.

    Raises:
        UsageError: The password is empty.
    """

    def __init__(
        self,
        *,
        password: str | None,
        env_id: str | None,
        fps: float,
        v1: V1 | None = None,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
    ) -> None:
        if password == "":
            raise UsageError("an empty password protects nothing; None asks for no password")
        self.env_id = env_id
        self.fps = fps
        self.v1 = v1
        self.env_state: str | None = None
        self.episode_id = "0"
        self._password = password
        self._limits = limits
        self._peers: dict[Peer, None] = {}
        self._active: Peer | None = None
        self._rewarded_at = 0.0
        self._done = False
        self._text: object = None  # the newest of the episode
        self._resets = Resets()

    @property
    def active(self) -> bool:
        """Whether an agent (no observer) is connected and has spoken."""
        return self._active is not None

    @property
    def peers(self) -> tuple[Peer, ...]:
        """Everybody who gets broadcasts."""
        return tuple(self._peers)

    # ---------------------------------------------------------------- what the shell calls

    def connect(self, headers: Mapping[str, str], now: float) -> Peer:
        """Admit a connection whose upgrade request had these headers (lower-case names).

        The peer has something to send at once: the present state or, with `close` set, the reason
        why it may not stay.
        """
        peer = Peer(observer=is_observer(headers), protocol=protocol_of(headers))
        fault = refusal(headers, self._password)
        if fault:
            self._dismiss(peer, fault, now)
        else:
            self._peers[peer] = None
            self._describe(peer, now)
            if self._text is not None:  # what was said before it came holds for it too
                peer.send(messages.Text(self._text, self.episode_id), now)
        return peer

    def disconnect(self, peer: Peer) -> None:
        """Forget a connection that is gone; its requests need no reply any more."""
        self._peers.pop(peer, None)
        if self._active is peer:
            self._active = None
        self._resets.drop(peer)

    def receive_text(self, peer: Peer, text: str, now: float) -> list[Request]:
        """Take one message; returns what the host has to do (pings are answered in here).

        Nothing that a peer sends raises: `peer.close` tells when it is to go.
        """
        if peer not in self._peers:
            return []
        try:
            granted = peer.protocol if self.v1 else 0
            message = parse(text, FROM_CLIENT, self._limits, granted)
        except RewarderError as error:
            logger.info("peer closed: %s", error.reason)
            self._dismiss(peer, error.reason, now)
            return []
        if not peer.observer:
            self._active = self._active or peer
            if self._active is not peer:
                self._dismiss(peer, "another agent is already connected", now)
                return []
        if isinstance(message.body, messages.Unknown):
            logger.info("unknown method %s ignored", message.body.method)
            return []
        request = _HEAR[type(message.body)](self, peer, message, now)
        return [] if request is None else [request]

    # ---------------------------------------------------------------- the host's verbs

    def set_state(
        self,
        env_state: str,
        now: float,
        *,
        env_id: str | None = None,
        fps: float | None = None,
        v1: V1 | None = None,
    ) -> None:
        """Go to a state and tell everybody; None keeps what is.

        "resetting" begins the next episode: one past the current, and past whatever episode the
        resets under way named. "running" keeps the episode.

        Raises:
            UsageError: There is no such state.
        """
        if env_state not in ENV_STATES:
            raise UsageError(f"env_state {env_state!r} ({' or '.join(ENV_STATES)})")
        self.env_id = self.env_id if env_id is None else env_id
        self.fps = self.fps if fps is None else fps
        self.v1 = self.v1 if v1 is None else v1
        if env_state == "resetting":
            self.episode_id = str(max(int(self.episode_id), self._resets.newest_named) + 1)
            self._done = False
            self._text = None
        elif self.env_state != "running":
            self._rewarded_at = now
        self.env_state = env_state
        for peer in self._peers:
            self._describe(peer, now)

    def reward(
        self, reward: float, done: bool, info: Mapping[str, object] | None, now: float
    ) -> bool:
        """Tell everybody what a frame earned; returns whether there was something to tell.

        May be called for every frame: as in Universe, only a reward other than 0, the end of the
        episode, or a heartbeat that is due (5 s) goes out. After `done` comes
        `set_state("resetting")`, so that the clients see them in that order.

        Raises:
            UsageError: No episode is running, or it is over, so nothing could be earned in it; or
                the reward is not finite or the info no JSON.
        """
        if self.env_state != "running" or self._done:
            raise UsageError("a reward outside of a running episode")
        if not (reward or done or now - self._rewarded_at >= HEARTBEAT):
            return False
        self._broadcast(
            messages.Reward(float(reward), bool(done), dict(info or {}), self.episode_id), now
        )
        self._rewarded_at = now
        self._done = bool(done)
        return True

    def heartbeat(self, now: float, info: Mapping[str, object] | None = None) -> bool:
        """Send a reward of 0 if an episode runs and has been silent for 5 s; returns whether."""
        if self.env_state != "running" or self._done:
            return False
        return self.reward(0.0, False, info, now)

    def text(self, text: object, now: float) -> None:
        """Tell everybody something to read (any JSON), and who joins the episode later too."""
        self._text = text
        self._broadcast(messages.Text(text, self.episode_id), now)

    def observation(self, observation: object, now: float) -> None:
        """Tell everybody a low-dimensional observation (any JSON) of the current episode."""
        self._broadcast(messages.Observation(observation, self.episode_id), now)

    def reply_reset(self, request: ResetRequest, now: float) -> None:
        """Say that the reset led to the current episode (so `set_state("resetting")` first)."""
        self._reply_all(request, messages.ResetReply(self.episode_id), now)

    def reply_step(self, request: StepRequest, frame: int, now: float) -> None:
        """Say that the step ended with frame number `frame`; its rewards were told before."""
        self._reply(request, messages.StepReply(frame, self.episode_id), now)

    def reply_error(self, request: Request, message: str, now: float) -> None:
        """Say that the request changed nothing, and why. To an action there is no reply."""
        body = messages.ErrorReply(message)
        if isinstance(request, ResetRequest):
            self._reply_all(request, body, now)
        elif isinstance(request, StepRequest):
            self._reply(request, body, now)

    # ---------------------------------------------------------------- inside

    def _dismiss(self, peer: Peer, reason: str, now: float) -> None:
        peer.send(messages.Close(reason), now)
        short = reason.encode(errors="replace")[:_MAX_CLOSE_REASON].decode(errors="ignore")
        peer.close = (_NORMAL_CLOSURE, short)
        self.disconnect(peer)

    def _describe(self, peer: Peer, now: float) -> None:
        body = messages.Describe(self.env_id, self.env_state, self.episode_id, self.fps, self.v1)
        peer.send(body, now)

    def _broadcast(self, body: Body, now: float) -> None:
        for peer in self._peers:
            peer.send(body, now)

    def _reply(self, request: ResetRequest | StepRequest, body: Body, now: float) -> None:
        if request.peer in self._peers:
            runtime = _elapsed(request.received_at, now)
            request.peer.send(body, now, request.message_id, runtime)

    def _reply_all(self, request: ResetRequest, body: Body, now: float) -> None:
        for one in self._resets.take(request):
            self._reply(one, body, now)

    def _refuse(self, peer: Peer, message: Message, reason: str, now: float) -> None:
        parent = message.headers.message_id
        peer.send(messages.ErrorReply(reason), now, parent, 0.0)

    def _hear_ping(self, peer: Peer, message: Message, now: float) -> None:
        peer.send(messages.PingReply(), now, message.headers.message_id)

    def _hear_action(self, peer: Peer, message: Message, now: float) -> Request | None:
        if peer.observer:
            logger.info("action of an observer ignored")
            return None
        said = message.body
        return ActionRequest(peer, said.env_id, said.action, message.headers.message_id, now)

    def _hear_step(self, peer: Peer, message: Message, now: float) -> Request | None:
        if peer.observer:
            self._refuse(peer, message, "an observer may not step", now)
            return None
        said = message.body
        return StepRequest(peer, said.events, said.frames, message.headers.message_id, now)

    def _hear_reset(self, peer: Peer, message: Message, now: float) -> Request | None:
        if peer.observer:
            self._refuse(peer, message, "an observer may not reset", now)
            return None
        said = message.body
        fps = said.fps if said.fps is not None and 0 < said.fps <= MAX_FPS else self.fps
        request = ResetRequest(
            peer,
            said.env_id,
            said.seed,
            fps,
            said.lockstep,
            message.headers.message_id,
            said.episode_id,
            now,
        )
        if len(self._resets) >= self._limits.resets:
            self._refuse(peer, message, "too many resets at once", now)
            return None
        return request if self._resets.add(request, int(self.episode_id)) else None


def _elapsed(since: float, now: float) -> float:
    # Unix seconds as floats are good for a microsecond; the rest would be noise on the wire.
    return max(0.0, round(now - since, 6))


_HEAR: dict[type[Any], Callable[[Server, Peer, Message, float], Request | None]] = {
    messages.Ping: Server._hear_ping,
    messages.Reset: Server._hear_reset,
    messages.Action: Server._hear_action,
    messages.Step: Server._hear_step,
}
