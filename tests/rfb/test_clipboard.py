from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import RFBError
from auniverse.rfb.clipboard import Clipboard, longest_clipboard
from auniverse.rfb.types import Limits

CAPS = b"\x1f\0\0\1\0\x10\0\0"  # all actions, text of up to a megabyte
LIMITS = Limits(cut_text=20)


def greeted() -> Clipboard:
    clipboard = Clipboard(LIMITS)
    assert not clipboard.ready
    # cut text of -8 bytes: all actions, text, of up to 20 bytes
    ours = b"\6\0\0\0\xff\xff\xff\xf8\x1f\0\0\1\0\0\0\x14"
    assert clipboard.receive(CAPS) == (None, ours)
    assert clipboard.ready
    return clipboard


def provided(text: bytes, length: int | None = None) -> bytes:
    size = struct.pack(">I", len(text) if length is None else length)
    return b"\x10\0\0\1" + zlib.compress(size + text)


def message(flags: bytes) -> bytes:
    return b"\6\0\0\0\xff\xff\xff\xfc" + flags


def test_their_text_is_asked_for_and_comes() -> None:
    clipboard = greeted()
    assert clipboard.receive(b"\x08\0\0\1") == (None, message(b"\2\0\0\1"))
    text, answer = clipboard.receive(provided("é→\r\nb\0".encode()))
    assert (text, answer) == ("é→\nb", b"")


def test_our_text_is_announced_and_given() -> None:
    clipboard = greeted()
    assert clipboard.receive(b"\2\0\0\1") == (None, b"")  # there is none yet
    assert clipboard.receive(b"\4\0\0\0") == (None, message(b"\x08\0\0\0"))
    assert clipboard.offer("a→\nb") == message(b"\x08\0\0\1")
    assert clipboard.receive(b"\4\0\0\0") == (None, message(b"\x08\0\0\1"))
    _, answer = clipboard.receive(b"\2\0\0\1")
    assert answer[:4] == b"\6\0\0\0"
    assert -int.from_bytes(answer[4:8], "big", signed=True) == len(answer) - 8
    assert answer[8:12] == b"\x10\0\0\1"
    assert zlib.decompress(answer[12:]) == b"\0\0\0\x08a\xe2\x86\x92\r\nb\0"


def test_to_one_that_cannot_be_told_it_is_given_at_once() -> None:
    clipboard = Clipboard(LIMITS)
    clipboard.receive(b"\x13\0\0\1\0\x10\0\0")
    assert clipboard.offer("x")[8:12] == b"\x10\0\0\1"


def test_other_formats_are_none_of_ours() -> None:
    clipboard = greeted()
    for payload in (b"\x08\0\0\2", b"\2\0\0\2", b"\x10\0\0\2junk"):
        assert clipboard.receive(payload) == (None, b"")


def test_a_text_that_is_too_long_is_not_kept_and_a_bomb_not_inflated() -> None:
    clipboard = greeted()
    assert clipboard.receive(provided(b"x" * 20 + b"\0")) == ("x" * 20, b"")
    assert clipboard.receive(provided(b"x" * 21 + b"\0")) == (None, b"")
    assert clipboard.receive(provided(bytes(10_000_000))) == (None, b"")
    assert longest_clipboard(Limits(cut_text=1000)) < 3000


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"", "of 0 bytes"),
        (b"\1\0\0", "of 3 bytes"),
        (b"\0\0\0\1", "does nothing"),
        (b"\x1f\0\0\1", "0 bytes for the sizes"),
        (b"\x1f\0\0\3" + bytes(4), "4 bytes for the sizes"),
        (b"\x10\0\0\1hello", "no zlib stream"),
        (b"\x10\0\0\1", "without a text"),
        (provided(b"abc", 4), "3 bytes instead of 4"),
    ],
)
def test_what_cannot_be(payload: bytes, text: str) -> None:
    with pytest.raises(RFBError, match=text):
        greeted().receive(payload)


@given(st.integers(0, 0x1FFFFFFF), st.binary(max_size=30), st.booleans())
def test_arbitrary_messages(flags: int, body: bytes, deflate: bool) -> None:
    payload = struct.pack(">I", flags) + (zlib.compress(body) if deflate else body)
    try:
        text, answer = greeted().receive(payload)
        assert text is None or len(text) <= 21
        assert len(answer) < 100
    except RFBError:
        pass
