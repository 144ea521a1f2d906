from __future__ import annotations

import pytest

from auniverse.errors import RFBError
from auniverse.rfb.clipboard import ClipboardMessage
from auniverse.rfb.extensions import Fence
from auniverse.rfb.incoming import Incoming, read_message
from auniverse.rfb.messages import Bell, ContinuousUpdatesEnded, CutText
from auniverse.rfb.types import Encoding, Limits

ALL = {Encoding.FENCE, Encoding.CONTINUOUS_UPDATES, Encoding.EXTENDED_CLIPBOARD}
LIMITS = Limits(cut_text=10, colour_map=3)


def read(data: bytes, offered: set[Encoding] = ALL) -> Incoming:
    return read_message(memoryview(data), LIMITS, offered)


@pytest.mark.parametrize(
    ("data", "message", "skip"),
    [
        (b"\2", Bell(), 0),
        (b"\3\0\0\0\0\0\0\1\xe9", CutText("é"), 0),
        (b"\1\0\0\0\0\3", None, 18),
        (b"\3\0\0\0\0\0\0\x0b", None, 11),
        (b"\3\0\0\0\x7f\xff\xff\xff", None, 0x7FFFFFFF),
        (b"\3\0\0\0\xff\xff\xff\xfeab", ClipboardMessage(b"ab"), 0),
        (b"\3\0\0\0\x80\0\0\0", None, 1 << 31),
        (b"\xf8\0\0\0\x80\0\0\1\2ab", Fence(0x80000001, b"ab"), 0),
        (b"\x96", ContinuousUpdatesEnded(), 0),
    ],
)
def test_messages(data: bytes, message: object, skip: int) -> None:
    assert read(data + b"more") == Incoming(len(data), message, skip)  # type: ignore[arg-type]
    for end in range(1, len(data)):
        incoming = read(data[:end])
        assert end < incoming.length <= len(data)
        assert incoming == Incoming(incoming.length)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\4", "type 4"),
        (b"\xff", "type 255"),  # QEMU's sound
        (b"\1\0\0\0\0\4", "4 colour map entries; the limit is 3"),
        (b"\xf8\0\0\0\x80\0\0\1\x41", "a fence of 65 bytes"),
    ],
)
def test_breaches(data: bytes, text: str) -> None:
    with pytest.raises(RFBError, match=text):
        read(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xf8", "type 248"),
        (b"\x96", "type 150"),
        (b"\3\0\0\0\xff\xff\xff\xfe", "a cut text of 4294967294 bytes"),
    ],
)
def test_what_was_not_asked_for_is_refused(data: bytes, text: str) -> None:
    with pytest.raises(RFBError, match=text):
        read(data, set())
