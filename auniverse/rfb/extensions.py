"""Messages that came after RFC 6143 and need an offer first, as bytes, for both ends.

They are described in the community's protocol document (rfbproto): fences, continuous updates,
SetDesktopSize and QEMU's key events.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntFlag
from typing import NamedTuple

from auniverse.errors import RFBError

from .types import MONITOR, Box, ClientMessage, Encoding, Monitor

_FENCE = struct.Struct(">B3xIB")
_CONTINUOUS = struct.Struct(">BBHHHH")
_SET_SIZE = struct.Struct(">BxHHBx")
_LAYOUT = struct.Struct(">HHHHiB3x")
_EXTENDED_KEY = struct.Struct(">BBHII")

#: Bytes of a fence before its payload, and of the longest payload.
FENCE_HEAD = _FENCE.size
LONGEST_FENCE = 64


class FenceFlag(IntFlag):
    """What a fence demands of who reads it."""

    #: What came before it must be done.
    BLOCK_BEFORE = 1
    #: What comes after it must not have begun.
    BLOCK_AFTER = 2
    #: The message after it must take effect at the same time.
    SYNC_NEXT = 4
    #: It must be returned. Without this flag it is the answer to such a one.
    REQUEST = 1 << 31


# What is compared and packed are plain numbers: to combine flags takes longer than all else here.
#: The demands that an end meets that reads one message after the other, as ours do.
UNDERSTOOD = int(FenceFlag.BLOCK_BEFORE | FenceFlag.BLOCK_AFTER)
#: What we demand: to be told once all before it is done.
DONE_BEFORE = int(FenceFlag.REQUEST | FenceFlag.BLOCK_BEFORE)
_REQUEST = int(FenceFlag.REQUEST)
_MESSAGE, _QEMU = int(ClientMessage.FENCE), int(ClientMessage.QEMU)


class Fence(NamedTuple):
    """A mark in a stream of messages (message 248, either way)."""

    flags: int
    payload: bytes

    def pack(self) -> bytes:
        """Return its bytes."""
        return _FENCE.pack(_MESSAGE, self.flags, len(self.payload)) + self.payload

    def answer(self) -> Fence | None:
        """Return what to say to it at once, None if it is an answer itself."""
        if not self.flags & _REQUEST:
            return None
        return Fence(self.flags & UNDERSTOOD, self.payload)


def fence_length(head: bytes | memoryview) -> int:
    """Return the length of the payload of a fence whose head has come.

    Raises:
        RFBError: It is too long.
    """
    length = head[FENCE_HEAD - 1]
    if length > LONGEST_FENCE:
        raise RFBError(f"a fence of {length} bytes; the limit is {LONGEST_FENCE}")
    return length


def enable_continuous_updates(on: bool, box: Box) -> bytes:
    """Ask for updates of `box` without a request for each, or for no more of them."""
    return _CONTINUOUS.pack(ClientMessage.ENABLE_CONTINUOUS_UPDATES, on, *box)


def set_desktop_size(width: int, height: int, monitors: Sequence[Monitor]) -> bytes:
    """Ask for a screen of another size, in pixels, made of `monitors`."""
    head = _SET_SIZE.pack(ClientMessage.SET_DESKTOP_SIZE, width, height, len(monitors))
    return head + pack_monitors(monitors)


def pack_monitors(monitors: Sequence[Monitor]) -> bytes:
    """Return them as SetDesktopSize and ExtendedDesktopSize list them."""
    return b"".join(MONITOR.pack(*monitor) for monitor in monitors)


def layout_rectangle(reason: int, status: int, width: int, height: int) -> bytes:
    """Say that the screen is one monitor of so many pixels (ExtendedDesktopSize).

    Args:
        reason: Who wanted it to change: 0 the host, 1 this viewer, 2 another one.
        status: 0, or why it did not.
        width: Of the screen.
        height: Of the screen.
    """
    head = _LAYOUT.pack(reason, status, width, height, Encoding.EXTENDED_DESKTOP_SIZE, 1)
    return head + pack_monitors([Monitor(0, 0, 0, width, height)])


def extended_key(keysym: int, down: bool, place: int) -> bytes:
    """Press or release a key of which the place on the keyboard is known too (QEMU)."""
    return _EXTENDED_KEY.pack(_QEMU, 0, down, keysym, place)
