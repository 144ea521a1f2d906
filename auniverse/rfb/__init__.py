"""RFB, the protocol of VNC (RFC 6143): both ends of a remote screen, without a socket.

What it is for: a client turns a server's bytes into pixels and events and says what keys and
pointer do (`Connection`); a host shows its pixels to viewers and hears what they do (`Screen`,
`Viewer`).

What it may not know: sockets, tasks, clocks (a time is an argument), environments, rewards. What
a peer sends is never trusted: every length is checked against `Limits`, and every place against
the screen, before memory is taken.

How bytes pass through the client::

    receive_data ─ ReceiveBuffer ─┬─ Handshake             until Opened
                                  ├─ Decoder.feed          FramebufferUpdates: each rectangle is
                                  │    measure, decode     painted into Framebuffer.pixels once it
                                  │                        is whole, and its box is damage
                                  └─ Connection            bell, cut text, colour map
    events() ◄── Opened, Updated, Resized, ...             data_to_send() ◄── send_key, ...
"""

from __future__ import annotations

from .connection import DEFAULT_ENCODINGS, LINKS, Connection, compress_level
from .decoders import Decoder, Fed
from .framebuffer import Allocate, Damage, Framebuffer, allocate_zeros
from .greeting import greet
from .handshake import State
from .messages import (
    Bell,
    CursorChanged,
    CutText,
    Event,
    FrameDrawn,
    KeyEvent,
    Opened,
    PointerEvent,
    Resized,
    Updated,
)
from .screen import Screen
from .types import (
    RGBX,
    Box,
    Encoding,
    Frame,
    Limits,
    PixelFormat,
    Rectangle,
    SecurityType,
    bounding_box,
)
from .viewer import Joined, Viewer

__all__ = [
    "Connection",
    "State",
    "LINKS",
    "DEFAULT_ENCODINGS",
    "compress_level",
    "Decoder",
    "Fed",
    "Framebuffer",
    "Damage",
    "Allocate",
    "allocate_zeros",
    "KeyEvent",
    "PointerEvent",
    "CutText",
    "Event",
    "Opened",
    "Updated",
    "Resized",
    "CursorChanged",
    "FrameDrawn",
    "Bell",
    "Screen",
    "Viewer",
    "Joined",
    "greet",
    "Encoding",
    "SecurityType",
    "PixelFormat",
    "RGBX",
    "Box",
    "Rectangle",
    "Frame",
    "Limits",
    "bounding_box",
]
