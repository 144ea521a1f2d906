"""The decoder in Python and numpy: what is behind `feed` may be replaced as a whole."""

from __future__ import annotations

import struct
import sys
from typing import ClassVar, NamedTuple, Protocol

from auniverse.errors import MalformedRectangleError, RFBError, UnsupportedEncodingError

from ..framebuffer import Framebuffer
from ..messages import Event, FrameDrawn, Updated
from ..types import Box, Encoding, Limits, Rectangle, ServerMessage
from .copyrect import CopyRect
from .cursor import AlphaCursor, Cursor, XCursor
from .hextile import Hextile
from .jpeg import available
from .pseudo import (
    Audio,
    DesktopName,
    DesktopSize,
    ExtendedDesktopSize,
    ExtendedKeys,
    FrameMark,
    LastRect,
    LEDState,
    PointerPosition,
)
from .raw import Raw
from .rre import RRE, CoRRE
from .tight import Tight
from .trle import TRLE
from .zlib import Zlib
from .zrle import ZRLE

_UPDATE = struct.Struct(">BxH")
_RECTANGLE = struct.Struct(">HHHHi")
#: How much longer than its pixels a painting rectangle may be, in bytes: beyond that nobody has
#: compressed anything, and all of it must wait here until it is whole.
LONGER = 8 << 20
#: Work of a rectangle besides that of its pixels, as if it were so many pixels.
RECTANGLE_WORK = 1024

_NAMES = {int(encoding): encoding.name for encoding in Encoding}


class RectangleDecoder(Protocol):
    """What knows one encoding, for one connection."""

    def __init__(self, limits: Limits) -> None: ...

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return how long the payload at `offset` is, in bytes.

        While that cannot be told from what has arrived, it is the length that must be there to
        tell more; so the payload is whole when there are as many bytes as this says. It must not
        change anything, and refuses impossible lengths before anybody waits for them.
        """

    def decode(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Event | None:
        """Take a whole payload: paint it, or return what it says."""


#: What paints; such a rectangle must lie on the screen.
DECODERS: dict[int, type[RectangleDecoder]] = {
    Encoding.TIGHT: Tight,
    Encoding.ZRLE: ZRLE,
    Encoding.ZLIB: Zlib,
    Encoding.HEXTILE: Hextile,
    Encoding.TRLE: TRLE,
    Encoding.RRE: RRE,
    Encoding.CORRE: CoRRE,
    Encoding.COPY_RECT: CopyRect,
    Encoding.RAW: Raw,
}

#: What paints nothing; place and size mean something else or nothing there.
PSEUDO: dict[int, type[RectangleDecoder]] = {
    Encoding.LAST_RECT: LastRect,
    Encoding.DESKTOP_SIZE: DesktopSize,
    Encoding.EXTENDED_DESKTOP_SIZE: ExtendedDesktopSize,
    Encoding.DESKTOP_NAME: DesktopName,
    Encoding.CURSOR: Cursor,
    Encoding.X_CURSOR: XCursor,
    Encoding.ALPHA_CURSOR: AlphaCursor,
    Encoding.POINTER_POSITION: PointerPosition,
    Encoding.EXTENDED_KEYS: ExtendedKeys,
    Encoding.LED_STATE: LEDState,
    Encoding.AUDIO: Audio,
    Encoding.FRAME: FrameMark,
}


class Fed(NamedTuple):
    """What came of one `Decoder.feed`."""

    #: Bytes of the data that are used up: whole rectangles and headers of updates. The compiled
    #: decoder uses up whole rows of a large Raw rectangle, too.
    consumed: int
    #: FramebufferUpdates that ended in them.
    updates: int
    #: Rectangles in them, pseudo-rectangles included.
    rectangles: int
    #: 0, or how many bytes must lie after the consumed ones before another try can help. With
    #: an update unfinished, 0 means that the allowance is used up.
    needed: int
    #: What pseudo-rectangles said, and Updated, in order. An update ends with Updated, and
    #: with FrameDrawn before it if it completes a frame; updates that follow one another with
    #: nothing to say in between share one Updated.
    events: list[Event]


class Decoder:
    """Decodes FramebufferUpdates (RFC 6143 §7.6.1) into a framebuffer, and notes the damage there.

    It takes whole rectangles only, so it can stop and go on at any of them. After an error it
    must not be fed again.

    Args:
        framebuffer: Where to paint; resized when the server says so.
        limits: What the server may cost us.

    Attributes:
        framebuffer: The same.
        position: Where in the data of the last `feed` it stopped or failed: the start of a
            rectangle or of a message.
        allowance: How much work `feed` may still do, in pixels painted (a rectangle as such costs
            some, too). It stops, with work left to do, after the rectangle that uses it up: a few
            bytes can ask for a whole screen, so that bytes are no measure of time.
        abroad: Whether it is fed by another thread than the one that owns the screen. A rectangle
            that takes more than painting is left then: it may want another screen.
        blocked: Whether the last `feed` stopped at such a rectangle.
    """

    encodings: ClassVar[tuple[int, ...]] = (*DECODERS, *PSEUDO, Encoding.TIGHT_WITHOUT_ZLIB)
    #: Whether Tight's JPEG can be decoded. A server that is told no quality sends none.
    jpeg: ClassVar[bool] = available()
    #: Whether other threads of Python run while it decodes. Only such a one may be `abroad`.
    parallel: ClassVar[bool] = False

    def __init__(self, framebuffer: Framebuffer, *, limits: Limits) -> None:
        self.framebuffer = framebuffer
        self.position = 0
        self.allowance = sys.maxsize
        self.abroad = self.blocked = False
        self._painters = {encoding: kind(limits) for encoding, kind in DECODERS.items()}
        self._tellers = {encoding: kind(limits) for encoding, kind in PSEUDO.items()}
        self._inside = False
        self._left = 0  # rectangles still to come in this update
        self._seen = 0
        self._drawn: FrameDrawn | None = None

    @property
    def inside(self) -> bool:
        """Whether an update has begun and not ended."""
        return self._inside

    def feed(self, data: memoryview) -> Fed:
        """Decode all whole rectangles at the front of `data`.

        Args:
            data: Begins with a FramebufferUpdate, or where the last `feed` stopped inside one.

        Raises:
            MalformedRectangleError: A rectangle's place, size or content is impossible.
            UnsupportedEncodingError: There is no decoder for a rectangle.
            RFBError: The server wants an impossible screen.
        """
        updates = rectangles = needed = 0
        events: list[Event] = []
        self.position = 0
        while True:
            left = len(data) - self.position
            if self._inside and self._left == 0:
                self._end(events)
                updates += 1
            elif self.allowance <= 0:
                break
            elif self._inside:
                if left < _RECTANGLE.size:
                    needed = _RECTANGLE.size
                    break
                rectangle = Rectangle._make(_RECTANGLE.unpack_from(data, self.position))
                needed = self._rectangle(rectangle, data, events)
                if needed:
                    break
                rectangles += 1
            elif left == 0 or data[self.position] != ServerMessage.FRAMEBUFFER_UPDATE:
                break
            elif left < _UPDATE.size:
                needed = _UPDATE.size
                break
            else:
                _, self._left = _UPDATE.unpack_from(data, self.position)
                self._inside = True
                self.position += _UPDATE.size
        return Fed(self.position, updates, rectangles, needed, events)

    def _end(self, events: list[Event]) -> None:
        note_end(events, self._seen, self._drawn)
        self._inside, self._seen, self._drawn = False, 0, None
        self.allowance -= RECTANGLE_WORK

    def _rectangle(self, rectangle: Rectangle, data: memoryview, events: list[Event]) -> int:
        """Decode the rectangle at `position`; return 0, or the length it must have to go on."""
        encoding = rectangle.encoding
        start = self.position + _RECTANGLE.size
        try:
            decoder = self._find(rectangle)
            end = start + decoder.measure(data, start, rectangle)
            area = rectangle.width * rectangle.height
            if encoding in self._painters and end - start > 4 * area + LONGER:
                raise MalformedRectangleError(f"{end - start} bytes for {area} pixels")
            if end > len(data):
                return end - self.position
            event = decoder.decode(data[start:end], rectangle, self.framebuffer)
            self.allowance -= area + RECTANGLE_WORK
        except RFBError as exc:
            exc.reason = f"{describe(rectangle)}: {exc.reason}"
            raise
        if encoding in self._painters:
            self.framebuffer.damage.add(Box._make(rectangle[:4]))
        elif isinstance(event, FrameDrawn):
            self._drawn = event
        elif event is not None:
            events.append(event)
        self._seen += 1
        self._left = 0 if encoding == Encoding.LAST_RECT else self._left - 1
        self.position = end
        return 0

    def _find(self, rectangle: Rectangle) -> RectangleDecoder:
        encoding = rectangle.encoding
        if encoding in self._tellers:
            return self._tellers[encoding]
        if encoding not in self._painters:
            raise UnsupportedEncodingError("no such encoding was asked for")
        if not self.framebuffer.contains(rectangle[:4]):
            screen = f"{self.framebuffer.width}x{self.framebuffer.height}"
            raise MalformedRectangleError(f"off the screen of {screen} pixels")
        return self._painters[encoding]


def note_end(
    events: list[Event], rectangles: int, drawn: FrameDrawn | None, updates: int = 1
) -> None:
    """Note that so many updates have ended, the first of them with a frame if one is `drawn`."""
    if drawn is not None:
        events.append(drawn)
    elif events and isinstance(events[-1], Updated):
        before = events.pop()
        assert isinstance(before, Updated)
        rectangles += before.rectangles
        updates += before.updates
    events.append(Updated(rectangles, updates))


def describe(rectangle: Rectangle) -> str:
    """Return what an error calls a rectangle."""
    x, y, width, height, encoding = rectangle
    return f"rectangle {_NAMES.get(encoding, encoding)} {width}x{height} at ({x}, {y})"
