"""The server's end of one connection, and what its messages ask the host to do."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from .messages import Body, Headers
from .wire import serialize


class Peer:
    """The server's end of one connection.

    Attributes:
        observer: It only watches.
        protocol: The newest protocol that it asked for, 0 or 1.
        close: (code, reason) with which the shell is to close the websocket once everything is
            sent; None while open.
    """

    def __init__(self, *, observer: bool, protocol: int) -> None:
        self.observer = observer
        self.protocol = protocol
        self.close: tuple[int, str] | None = None
        self._message_id = 0
        self._texts: list[str] = []

    def data_to_send(self) -> list[str]:
        """Return the websocket text messages to send, in order, since the last call."""
        texts, self._texts = self._texts, []
        return texts

    def send(
        self, body: Body, now: float, parent: int | None = None, runtime: float | None = None
    ) -> None:
        """Queue one message (the server's verbs do; a shell has no need to)."""
        headers = Headers(self._message_id, float(now), parent, runtime)
        self._texts.append(serialize(headers, body, self.protocol))
        self._message_id += 1


class ResetRequest(NamedTuple):
    """The agent wants a new episode; answer with `reply_reset` or `reply_error`."""

    peer: Peer
    env_id: str
    seed: int | None
    #: Frames a second; what the server runs at if the client named no rate in 0..60.
    fps: float
    lockstep: bool
    message_id: int
    episode_id: str | None
    received_at: float


class StepRequest(NamedTuple):
    """Lock-step: press these keys, let `frames` frames pass, then `reply_step`."""

    peer: Peer
    #: `("KeyEvent", keysym, down)` and `("PointerEvent", x, y, buttons)`, in order.
    events: tuple[tuple[Any, ...], ...]
    frames: int
    message_id: int
    received_at: float


class ActionRequest(NamedTuple):
    """(type, value) pairs of a joystick; there is no reply."""

    peer: Peer
    env_id: str
    action: tuple[tuple[str, float], ...]
    message_id: int
    received_at: float


Request: TypeAlias = ResetRequest | StepRequest | ActionRequest
