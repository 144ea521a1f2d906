"""The words of RFB: encodings, message and security types, pixel formats, rectangles, limits."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from auniverse.errors import RFBError


class Encoding(IntEnum):
    """Rectangle encodings and pseudo-encodings (RFC 6143 §7.7, §7.8; IANA registry)."""

    RAW = 0
    COPY_RECT = 1
    RRE = 2
    CORRE = 4
    HEXTILE = 5
    ZLIB = 6
    TIGHT = 7
    TRLE = 15
    ZRLE = 16
    DESKTOP_SIZE = -223
    LAST_RECT = -224
    POINTER_POSITION = -232
    CURSOR = -239
    X_CURSOR = -240
    EXTENDED_KEYS = -258
    AUDIO = -259
    LED_STATE = -261
    DESKTOP_NAME = -307
    EXTENDED_DESKTOP_SIZE = -308
    FENCE = -312
    CONTINUOUS_UPDATES = -313
    ALPHA_CURSOR = -314
    TIGHT_WITHOUT_ZLIB = -317
    #: 0xC0A1E5CE, as the signed number that it is on the wire.
    EXTENDED_CLIPBOARD = -1063131698
    #: Ours: the number of the frame that this update completes (see `Frame`).
    FRAME = 0x41554E46


class SecurityType(IntEnum):
    """Security types (RFC 6143 §7.1.2), and from 256 on those that VeNCrypt has inside of it."""

    INVALID = 0
    NONE = 1
    VNC_AUTHENTICATION = 2
    VENCRYPT = 19
    #: Apple Remote Desktop's, with a user name and a password encrypted to the server's RSA key.
    APPLE = 33
    #: A user name and a password in the clear: only for what is encrypted already.
    PLAIN = 256
    #: TLS with nobody's certificate: whoever stands in between reads and writes along.
    TLS_NONE = 257
    TLS_VNC = 258
    TLS_PLAIN = 259
    #: TLS with the server's certificate.
    X509_NONE = 260
    X509_VNC = 261
    X509_PLAIN = 262


class ServerMessage(IntEnum):
    """Message types, server to client (RFC 6143 §7.6)."""

    FRAMEBUFFER_UPDATE = 0
    SET_COLOUR_MAP_ENTRIES = 1
    BELL = 2
    SERVER_CUT_TEXT = 3
    END_OF_CONTINUOUS_UPDATES = 150
    FENCE = 248


class ClientMessage(IntEnum):
    """Message types, client to server (RFC 6143 §7.5)."""

    SET_PIXEL_FORMAT = 0
    SET_ENCODINGS = 2
    FRAMEBUFFER_UPDATE_REQUEST = 3
    KEY_EVENT = 4
    POINTER_EVENT = 5
    CLIENT_CUT_TEXT = 6
    ENABLE_CONTINUOUS_UPDATES = 150
    FENCE = 248
    SET_DESKTOP_SIZE = 251
    QEMU = 255


class Box(NamedTuple):
    """A region of a screen, in pixels."""

    x: int
    y: int
    width: int
    height: int


class Rectangle(NamedTuple):
    """The header of one rectangle of a FramebufferUpdate (RFC 6143 §7.6.1)."""

    x: int
    y: int
    width: int
    height: int
    encoding: int


class Monitor(NamedTuple):
    """One of the screens that a desktop is made of (ExtendedDesktopSize)."""

    number: int
    x: int
    y: int
    width: int
    height: int
    flags: int = 0


class Frame(NamedTuple):
    """The payload of the FRAME pseudo-encoding, 32 bytes, big-endian.

    A host that knows its frames ends an update with it, if the viewer asked for the encoding. It
    says how far the picture has come and which of the viewer's input the host has read.
    """

    #: Number of the newest frame that the update completes; grows for the life of the host.
    number: int
    #: When that frame was drawn: unix seconds by the host's clock.
    drawn_at: float
    #: How many key and pointer events of this viewer the host has handed to its program.
    inputs: int
    #: When it read the last of them (unix seconds by its clock), 0.0 if there was none.
    input_at: float


FRAME_LAYOUT = struct.Struct(">QdQd")
MONITOR = struct.Struct(">IHHHHI")

_PIXEL_FORMAT_LAYOUT = struct.Struct(">BBBBHHHBBB3x")


class PixelFormat(NamedTuple):
    """How one pixel is laid out on the wire (RFC 6143 §7.4)."""

    bits_per_pixel: int
    depth: int
    big_endian: bool
    true_colour: bool
    red_max: int
    green_max: int
    blue_max: int
    red_shift: int
    green_shift: int
    blue_shift: int

    def pack(self) -> bytes:
        """Return the 16 bytes that describe the format."""
        return _PIXEL_FORMAT_LAYOUT.pack(*self)

    @classmethod
    def unpack(cls, data: bytes | memoryview) -> PixelFormat:
        """Read 16 bytes.

        Raises:
            RFBError: The format is impossible (bits not 8, 16 or 32; a colour that does not fit).
        """
        bits, depth, big, true, *rest = _PIXEL_FORMAT_LAYOUT.unpack(data)
        form = cls(bits, depth, bool(big), bool(true), *rest)
        if bits not in (8, 16, 32) or depth > bits:
            raise RFBError(f"pixel format of {bits} bits per pixel and depth {depth}")
        if form.true_colour:
            for peak, shift in zip(rest[:3], rest[3:], strict=True):
                if peak == 0 or peak & (peak + 1) or shift + peak.bit_length() > bits:
                    raise RFBError(f"pixel format with colour maximum {peak} at shift {shift}")
        return form


#: What we always ask for: bytes R, G, B, X in memory.
RGBX = PixelFormat(32, 24, False, True, 255, 255, 255, 0, 8, 16)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may cost us. Anything above is refused before memory is taken for it."""

    pixels: int = 4096 * 4096
    name: int = 4096
    reason: int = 64 * 1024
    cut_text: int = 256 * 1024
    cursor: int = 256
    colour_map: int = 65536
    encodings: int = 4096
    #: Sizes that a screen may take between two of our requests for updates.
    resizes: int = 16
    #: Monitors that one desktop may have.
    monitors: int = 64


def bounding_box(boxes: Iterable[tuple[int, int, int, int]]) -> Box:
    """Return the smallest box around `boxes` (at least one)."""
    left, top, right, bottom = zip(
        *((x, y, x + width, y + height) for x, y, width, height in boxes), strict=True
    )
    return Box(min(left), min(top), max(right) - min(left), max(bottom) - min(top))
