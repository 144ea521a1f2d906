"""RFB, the protocol of VNC (RFC 6143): both ends of a remote screen, without a socket.

What it is for: a client turns a server's bytes into pixels and events and says what keys and
pointer do (`Connection`); a host shows its pixels to viewers and hears what they do (`Screen`,
`Viewer`).

What it may not know: sockets, tasks, clocks (a time is an argument), environments, rewards. What
a peer sends is never trusted: every length is checked against `Limits`, and every place against
the screen, before memory is taken.

How bytes pass through the client::

    receive_data ─ ReceiveBuffer ─┬─ Handshake             until Opened
                                  ├─ Decoder.read          FramebufferUpdates: each rectangle is
                                  │    measure, paint      painted into Framebuffer.pixels once it
                                  │                        is whole, and its box is damage (in C,
                                  │                        until somebody looks at the damage)
                                  └─ read_message          bell, cut text, fences, ...
    (ReceiveBuffer and Decoder are Python's; NativeDecoder has both in C, where it was built. Told
    the descriptor of a socket, `Connection.receive` has that take the bytes by itself, and Raw
    pixels to where they belong on the screen: all that the core has to do with sockets.)
    events() ◄── Opened, Updated, Resized, ...             data_to_send() ◄── send_key, ...
"""

from __future__ import annotations

from .choice import best_decoder, decoder_named
from .connection import Connection
from .decoders import Decoder, Fed
from .framebuffer import Allocate, Damage, Framebuffer, allocate_pixels
from .greeting import greet
from .handshake import State
from .messages import (
    Bell,
    ContinuousUpdatesEnded,
    ContinuousUpdatesOffered,
    CursorChanged,
    CutText,
    Event,
    FenceReplied,
    FrameDrawn,
    HandOver,
    Joined,
    KeyEvent,
    KeysExtended,
    LayoutChanged,
    LightsChanged,
    Opened,
    PointerEvent,
    PointerMoved,
    Renamed,
    Resized,
    StartTLS,
    Updated,
)
from .native import NativeDecoder
from .native import available as native_available
from .native import libraries as native_libraries
from .offers import DEFAULT_ENCODINGS, LEVELS, LINKS, compress_level, level
from .screen import Screen
from .security import obscured
from .snapshot import Copies, copy_all, shrink, snapshot
from .types import (
    RGBX,
    Box,
    Encoding,
    Frame,
    Limits,
    Monitor,
    PixelFormat,
    Rectangle,
    SecurityType,
    bounding_box,
)
from .vencrypt import INSIDE_VENCRYPT, SECURITY_NAMES, WANTS_USERNAME
from .viewer import Viewer

__all__ = [
    "Connection",
    "State",
    "LINKS",
    "DEFAULT_ENCODINGS",
    "LEVELS",
    "level",
    "compress_level",
    "Decoder",
    "NativeDecoder",
    "native_available",
    "native_libraries",
    "best_decoder",
    "decoder_named",
    "Copies",
    "copy_all",
    "snapshot",
    "shrink",
    "Fed",
    "Framebuffer",
    "Damage",
    "Allocate",
    "allocate_pixels",
    "KeyEvent",
    "PointerEvent",
    "CutText",
    "Event",
    "Opened",
    "Updated",
    "Resized",
    "LayoutChanged",
    "Renamed",
    "PointerMoved",
    "LightsChanged",
    "KeysExtended",
    "FenceReplied",
    "ContinuousUpdatesOffered",
    "ContinuousUpdatesEnded",
    "CursorChanged",
    "FrameDrawn",
    "Bell",
    "StartTLS",
    "HandOver",
    "Screen",
    "Viewer",
    "Joined",
    "greet",
    "Encoding",
    "SecurityType",
    "SECURITY_NAMES",
    "INSIDE_VENCRYPT",
    "WANTS_USERNAME",
    "obscured",
    "PixelFormat",
    "RGBX",
    "Box",
    "Rectangle",
    "Frame",
    "Monitor",
    "Limits",
    "bounding_box",
]
