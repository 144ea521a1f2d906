"""What a server says besides updates: each message bounded, and refused if it was not asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from auniverse.errors import RFBError

from .clipboard import ClipboardMessage, longest_clipboard
from .extensions import FENCE_HEAD, Fence, fence_length
from .messages import Bell, ContinuousUpdatesEnded, CutText
from .types import Encoding, Limits, ServerMessage

Message = Bell | CutText | Fence | ClipboardMessage | ContinuousUpdatesEnded


class Incoming(NamedTuple):
    """What is known of the message at the front of the data."""

    #: Its length in bytes; if that is more than there is, it is not whole, and nothing was done.
    length: int
    message: Message | None = None
    #: Bytes after it that belong to it, and are to be read for nothing.
    skip: int = 0


def read_message(data: memoryview, limits: Limits, offered: Collection[int]) -> Incoming:
    """Look at the message at the front of the data, which is not empty.

    Args:
        data: What has arrived.
        limits: What the server may make us hold.
        offered: The encodings that we have offered it.

    Raises:
        RFBError: There is no such message, it was not asked for, or it exceeds a limit.
    """
    kind = data[0]
    head, needs, reader = _READERS.get(kind, _UNKNOWN)
    if reader is None or (needs is not None and needs not in offered):
        raise RFBError(f"a message of type {kind}")
    return reader(data, limits, offered) if len(data) >= head else Incoming(head)


def _colour_map(data: memoryview, limits: Limits, offered: Collection[int]) -> Incoming:
    """SetColourMapEntries: nothing to us, who ask for true colour (RFC 6143 §7.6.2)."""
    count = int.from_bytes(data[4:6], "big")
    if count > limits.colour_map:
        raise RFBError(f"{count} colour map entries; the limit is {limits.colour_map}")
    return Incoming(6, skip=6 * count)


def _bell(data: memoryview, limits: Limits, offered: Collection[int]) -> Incoming:
    return Incoming(1, Bell())


def _cut_text(data: memoryview, limits: Limits, offered: Collection[int]) -> Incoming:
    """ServerCutText (RFC 6143 §7.6.4); what is too long is read but not kept."""
    length = int.from_bytes(data[4:8], "big")
    if length >= 1 << 31:  # a negative one
        if Encoding.EXTENDED_CLIPBOARD not in offered:
            raise RFBError(f"a cut text of {length} bytes")
        length = (1 << 32) - length
        return _kept(data, length, longest_clipboard(limits), ClipboardMessage)
    return _kept(data, length, limits.cut_text, lambda text: CutText(text.decode("latin-1")))


def _kept(
    data: memoryview, length: int, longest: int, make: Callable[[bytes], Message]
) -> Incoming:
    if length > longest:
        return Incoming(8, skip=length)
    if len(data) < 8 + length:
        return Incoming(8 + length)
    return Incoming(8 + length, make(bytes(data[8 : 8 + length])))


def _fence(data: memoryview, limits: Limits, offered: Collection[int]) -> Incoming:
    end = FENCE_HEAD + fence_length(data)
    if len(data) < end:
        return Incoming(end)
    flags = int.from_bytes(data[4:8], "big")
    return Incoming(end, Fence(flags, bytes(data[FENCE_HEAD:end])))


def _end_of_continuous(data: memoryview, limits: Limits, offered: Collection[int]) -> Incoming:
    return Incoming(1, ContinuousUpdatesEnded())


_Reader = Callable[[memoryview, Limits, Collection[int]], Incoming]

#: By message type: how long the head is, what we must have offered, and who reads it.
_READERS: dict[int, tuple[int, Encoding | None, _Reader | None]] = {
    ServerMessage.SET_COLOUR_MAP_ENTRIES: (6, None, _colour_map),
    ServerMessage.BELL: (1, None, _bell),
    ServerMessage.SERVER_CUT_TEXT: (8, None, _cut_text),
    ServerMessage.FENCE: (FENCE_HEAD, Encoding.FENCE, _fence),
    ServerMessage.END_OF_CONTINUOUS_UPDATES: (1, Encoding.CONTINUOUS_UPDATES, _end_of_continuous),
}
_UNKNOWN: tuple[int, None, None] = (1, None, None)
