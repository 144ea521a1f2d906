"""What a client says (bytes to send) and what a server's messages become (events).

Key events, pointer events and cut text are the words that both ends share.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import InvalidActionError

from .types import Box, ClientMessage, Frame, Monitor, PixelFormat

_KEY = struct.Struct(">BB2xI")
_POINTER = struct.Struct(">BBHH")
_REQUEST = struct.Struct(">BBHHHH")
_SET_ENCODINGS = struct.Struct(">BxH")
_CUT_TEXT = struct.Struct(">B3xI")
# As plain numbers: to look members of an enumeration up takes longer than to pack a message.
_KEY_EVENT, _POINTER_EVENT = int(ClientMessage.KEY_EVENT), int(ClientMessage.POINTER_EVENT)


class KeyEvent(NamedTuple):
    """A key goes down or up (RFC 6143 §7.5.4)."""

    keysym: int
    down: bool

    def pack(self) -> bytes:
        """Return the 8 bytes of the message.

        Raises:
            InvalidActionError: The keysym is no unsigned 32-bit integer.
        """
        try:
            return _KEY.pack(_KEY_EVENT, bool(self.down), self.keysym)
        except struct.error as exc:
            raise InvalidActionError(f"a keysym of {self.keysym!r}") from exc


class PointerEvent(NamedTuple):
    """Where the pointer is, in pixels, and which buttons are down, as a mask (RFC 6143 §7.5.5)."""

    x: int
    y: int
    buttons: int

    def pack(self) -> bytes:
        """Return the 6 bytes of the message.

        Raises:
            InvalidActionError: The mask is not in 0..255 or a coordinate not in 0..65535.
        """
        try:
            return _POINTER.pack(_POINTER_EVENT, self.buttons, self.x, self.y)
        except struct.error as exc:
            raise InvalidActionError(
                f"a pointer at ({self.x!r}, {self.y!r}) with button mask {self.buttons!r}"
            ) from exc


class CutText(NamedTuple):
    """New text in the other end's cut buffer, Latin-1 (RFC 6143 §7.5.6, §7.6.4)."""

    text: str


class Opened(NamedTuple):
    """The handshake is over: the size of the screen in pixels and the desktop's name."""

    width: int
    height: int
    name: str


class Updated(NamedTuple):
    """FramebufferUpdates have ended, one after the other without any other event in between.

    `rectangles` is how many they had together, pseudo-rectangles included.
    """

    rectangles: int
    updates: int = 1


class Resized(NamedTuple):
    """The screen has another size, in pixels; its monitors, if the server tells of them."""

    width: int
    height: int
    monitors: tuple[Monitor, ...] = ()


class LayoutChanged(NamedTuple):
    """The screen has other monitors but the same size, or could not be resized.

    `reason` is who wanted it: 0 the server, 1 we, 2 another client. `status` is 0, or why it was
    not done: 1 forbidden, 2 out of resources, 3 an invalid layout.
    """

    reason: int
    status: int
    monitors: tuple[Monitor, ...]


class PointerMoved(NamedTuple):
    """The server has moved the pointer to a pixel."""

    x: int
    y: int


class Renamed(NamedTuple):
    """The desktop has another name."""

    name: str


class LightsChanged(NamedTuple):
    """Other lights of the keyboard are on: 1 scroll lock, 2 number lock, 4 capitals lock."""

    mask: int


class KeysExtended(NamedTuple):
    """The server takes keys by their place on the keyboard too."""


class FenceReplied(NamedTuple):
    """The server has come to where a fence of ours stood; what we gave it to return."""

    payload: bytes


class ContinuousUpdatesOffered(NamedTuple):
    """The server can send updates without being asked for each."""


class ContinuousUpdatesEnded(NamedTuple):
    """The server sends updates on request again."""


@dataclass(frozen=True, slots=True, eq=False)
class CursorChanged:
    """The pointer has another shape.

    Attributes:
        image: uint8, shape (height, width, 4), RGBA, alpha not multiplied in. Empty: no pointer.
        x: The hot spot's column.
        y: The hot spot's row.
    """

    image: NDArray[np.uint8]
    x: int
    y: int


class FrameDrawn(NamedTuple):
    """The update that has just ended completes this frame of the host's."""

    frame: Frame


class Bell(NamedTuple):
    """The remote rings."""


class StartTLS(NamedTuple):
    """Bytes end here and TLS begins; nothing goes on before `tls_started` is called.

    What was to be sent goes out in the clear first. `anonymous`: the server shows no certificate.
    """

    anonymous: bool


class Joined(NamedTuple):
    """A viewer's handshake is over. `shared` is false if it wants the screen for itself."""

    shared: bool


class HandOver(NamedTuple):
    """The server wants Apple's authentication, which somebody else must do; then `take_over`."""


Event = (
    Opened
    | Updated
    | Resized
    | LayoutChanged
    | Renamed
    | CursorChanged
    | PointerMoved
    | LightsChanged
    | KeysExtended
    | FenceReplied
    | ContinuousUpdatesOffered
    | ContinuousUpdatesEnded
    | FrameDrawn
    | Bell
    | CutText
    | StartTLS
    | HandOver
)


def set_pixel_format(form: PixelFormat) -> bytes:
    """Ask for the layout of pixels (RFC 6143 §7.5.1)."""
    return struct.pack(">B3x", ClientMessage.SET_PIXEL_FORMAT) + form.pack()


def set_encodings(encodings: Sequence[int]) -> bytes:
    """Offer encodings, the preferred one first (RFC 6143 §7.5.2)."""
    head = _SET_ENCODINGS.pack(ClientMessage.SET_ENCODINGS, len(encodings))
    return head + struct.pack(f">{len(encodings)}i", *encodings)


@lru_cache(maxsize=64)  # a client asks for its whole screen all the time
def update_request(incremental: bool, box: Box) -> bytes:
    """Ask for what changed inside `box`, or for all of it (RFC 6143 §7.5.3)."""
    return _REQUEST.pack(ClientMessage.FRAMEBUFFER_UPDATE_REQUEST, bool(incremental), *box)


def client_cut_text(text: str) -> bytes:
    """Hand over the client's cut buffer (RFC 6143 §7.5.6).

    Raises:
        InvalidActionError: The text is not Latin-1, which is all that the message can carry.
    """
    try:
        latin = text.encode("latin-1")
    except UnicodeEncodeError as exc:
        raise InvalidActionError(f"cut text with {text[exc.start]!r}: not in Latin-1") from exc
    return _CUT_TEXT.pack(ClientMessage.CLIENT_CUT_TEXT, len(latin)) + latin
