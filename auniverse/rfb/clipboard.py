"""The extended clipboard: UTF-8 text, asked for before it is sent (pseudo-encoding 0xC0A1E5CE).

Its messages travel as cut texts of a negative length. Off unless offered: a remote has no business
in our clipboard.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from auniverse.errors import RFBError

from .types import ClientMessage, Limits

TEXT = 1  # the one format that we know
FORMATS = 0xFFFF
CAPABILITIES, REQUEST, PEEK, NOTIFY, PROVIDE = (1 << bit for bit in range(24, 29))

_WORD = struct.Struct(">I")


class ClipboardMessage(NamedTuple):
    """What came in a cut text of negative length: flags and what belongs to them."""

    payload: bytes


def longest_clipboard(limits: Limits) -> int:
    """Return how long such a message may be in bytes; a longer one is not kept."""
    return _WORD.size + limits.cut_text + limits.cut_text // 4 + 1024


class Clipboard:
    """One end of it.

    Args:
        limits: How long a text may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._longest = limits.cut_text
        self._text: str | None = None  # ours
        self._theirs = 0  # what the other end can do; 0 as long as it has not said so

    @property
    def ready(self) -> bool:
        """Whether the other end has said that it speaks this, and knows text."""
        return bool(self._theirs & TEXT)

    def offer(self, text: str) -> bytes:
        """Take over our new text; return what to say of it."""
        self._text = text
        if self._theirs & NOTIFY:
            return _message(NOTIFY | TEXT)
        return self._provide()

    def receive(self, payload: bytes) -> tuple[str | None, bytes]:
        """Take a message; return the other end's text if that came, and what to answer.

        Raises:
            RFBError: It is malformed.
        """
        if len(payload) < _WORD.size:
            raise RFBError(f"a clipboard message of {len(payload)} bytes")
        (flags,) = _WORD.unpack_from(payload)
        body = memoryview(payload)[_WORD.size :]
        if flags & CAPABILITIES:
            return None, self._greet(flags, len(body))
        if flags & PROVIDE:
            return (self._inflate(body) if flags & TEXT else None), b""
        if flags & NOTIFY:
            return None, _message(REQUEST | TEXT) if flags & TEXT else b""
        if flags & PEEK:
            return None, _message(NOTIFY | (TEXT if self._text is not None else 0))
        if flags & REQUEST:
            return None, self._provide() if flags & TEXT else b""
        raise RFBError(f"a clipboard message that does nothing: {flags:#x}")

    def _greet(self, flags: int, length: int) -> bytes:
        if length != _WORD.size * (flags & FORMATS).bit_count():
            raise RFBError(f"{length} bytes for the sizes of its clipboard's formats")
        self._theirs = flags
        ours = CAPABILITIES | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT
        return _message(ours, _WORD.pack(self._longest))

    def _provide(self) -> bytes:
        if self._text is None:
            return b""
        text = self._text.replace("\r\n", "\n").replace("\n", "\r\n").encode() + b"\0"
        return _message(PROVIDE | TEXT, zlib.compress(_WORD.pack(len(text)) + text))

    def _inflate(self, deflated: memoryview) -> str | None:
        """Return the text, which comes first; None if it is too long."""
        longest = self._longest + 1  # with the zero at its end
        try:
            data = zlib.decompressobj().decompress(deflated, _WORD.size + longest)
        except zlib.error as exc:
            raise RFBError(f"a clipboard that is no zlib stream: {exc}") from exc
        if len(data) < _WORD.size:
            raise RFBError("a clipboard without a text")
        (length,) = _WORD.unpack_from(data)
        if length > longest:
            return None
        text = data[_WORD.size : _WORD.size + length]
        if len(text) < length:
            raise RFBError(f"a clipboard of {len(text)} bytes instead of {length}")
        return text.removesuffix(b"\0").decode("utf-8", "replace").replace("\r\n", "\n")


def _message(flags: int, body: bytes = b"") -> bytes:
    payload = _WORD.pack(flags) + body
    return struct.pack(">B3xi", ClientMessage.CLIENT_CUT_TEXT, -len(payload)) + payload
