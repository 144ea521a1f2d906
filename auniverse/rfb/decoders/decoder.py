"""The decoder in Python and numpy: what is behind `feed` may be replaced as a whole."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple, Protocol

from auniverse.errors import MalformedRectangleError, RFBError, UnsupportedEncodingError

from ..buffer import Buffer, ReceiveBuffer
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
from .walk import AGAIN
from .zlib import Zlib
from .zrle import ZRLE

_UPDATE = struct.Struct(">BxH")
_RECTANGLE = struct.Struct(">HHHHi")
#: How much longer than its pixels a painting rectangle may be, in bytes: beyond that nobody has
#: compressed anything, and all of it must wait here until it is whole.
LONGER = 8 << 20
#: Work of measuring once, as far as that is done in one go.
MEASURING_WORK = 32 * 1024
#: Work of a rectangle besides that of its pixels, as if it were so many pixels.
RECTANGLE_WORK = 1024

_NAMES = {int(encoding): encoding.name for encoding in Encoding}


class RectangleDecoder(Protocol):
    """What knows one encoding, for one connection."""

    def __init__(self, limits: Limits) -> None: ...

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return how long the payload at `offset` is, in bytes.

        While that cannot be told from what has arrived, it is the length that must be there to
        tell more; so the payload is whole when there are as many bytes as this says. `AGAIN`: more
        could be told, but it takes long. It must not change anything, and refuses impossible
        lengths before anybody waits for them.
        """


class Painter(RectangleDecoder, Protocol):
    """What paints its rectangles on the screen, where they must lie."""

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Paint a whole payload, piece by piece.

        After a piece it yields the work that this was, as if it were so many pixels; of the last
        one it need not. No piece may keep an event loop busy for more than a millisecond or two.
        JPEG, which nobody can paint in part, is one piece.
        """


class Teller(RectangleDecoder, Protocol):
    """What paints nothing; place and size mean something else or nothing there."""

    def decode(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Event | None:
        """Take a whole payload; return what it says."""


DECODERS: dict[int, type[Painter]] = {
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

PSEUDO: dict[int, type[Teller]] = {
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
    #: decoder uses up all that there is of a large Raw rectangle, and whole tiles of Hextile, too.
    consumed: int
    #: FramebufferUpdates that ended in them.
    updates: int
    #: Rectangles in them, pseudo-rectangles included.
    rectangles: int
    #: How many bytes must lie after the consumed ones before another try can help; 0 if none or
    #: any would do. With an update unfinished, as many as there are already mean that the
    #: allowance is used up.
    needed: int
    #: What pseudo-rectangles said, and Updated, in order. An update ends with Updated, and
    #: with FrameDrawn before it if it completes a frame; updates that follow one another with
    #: nothing to say in between share one Updated.
    events: list[Event]
    #: Painted, each as often as it was.
    pixels: int = 0


class Decoder:
    """Decodes FramebufferUpdates (RFC 6143 §7.6.1) into a framebuffer, and notes the damage there.

    It takes whole rectangles only, so it can stop and go on at any of them; inside of one it can
    stop painting for a while. After an error it must not be fed again.

    Args:
        framebuffer: Where to paint; resized when the server says so.
        limits: What the server may cost us.

    Attributes:
        framebuffer: The same.
        position: Where in the data of the last `feed` it stopped or failed: the start of a
            rectangle or of a message; negative if that was fed before.
        allowance: How much work `feed` may still do, in pixels painted (a rectangle as such costs
            some, too; what is only copied may cost less). It stops, with work left to do, after the
            rectangle that uses it up, or inside of it: a few bytes can ask for a whole screen, so
            that bytes are no measure of time. The same data must then be fed again.
        abroad: Whether it is fed by another thread than the one that owns the screen. A rectangle
            that takes more than painting is left then: it may want another screen.
        blocked: Whether the last `feed` stopped at such a rectangle.
        largest: The largest rectangle that may be painted at once, in pixels, by who cannot stop
            inside of it and is not `abroad`. A larger one is left.
        too_large: Whether the last `feed` stopped at such a rectangle.
        needed: What the last `read` said of it, see `Fed.needed`.
        received: Bytes that the last `receive` took.
        answers: What is to be said to the server, see `read_fences`; whoever says it takes it away.
    """

    encodings: ClassVar[tuple[int, ...]] = (*DECODERS, *PSEUDO, Encoding.TIGHT_WITHOUT_ZLIB)
    #: Whether Tight's JPEG can be decoded. A server that is told no quality sends none.
    jpeg: ClassVar[bool] = available()
    #: Whether other threads of Python run while it decodes. Only such a one may be `abroad`.
    parallel: ClassVar[bool] = False
    #: Whether it knows how to `receive`.
    receives: ClassVar[bool] = False

    def __init__(self, framebuffer: Framebuffer, *, limits: Limits) -> None:
        self.framebuffer = framebuffer
        self.position = 0
        self.allowance = sys.maxsize
        self.abroad = self.blocked = self.too_large = False
        self.largest = sys.maxsize
        self.needed = self.received = 0
        self.answers = b""
        self._updates = self._rectangles = self._pixels = 0
        self._painters = {encoding: kind(limits) for encoding, kind in DECODERS.items()}
        self._tellers = {encoding: kind(limits) for encoding, kind in PSEUDO.items()}
        self._inside = False
        self._left = 0  # rectangles still to come in this update
        self._seen = 0
        self._drawn: FrameDrawn | None = None
        self._painting: Iterator[int] | None = None  # of a rectangle that was begun
        self._length = self._charged = 0  # of that rectangle, in bytes and in work

    @property
    def inside(self) -> bool:
        """Whether an update has begun and not ended."""
        return self._inside

    @property
    def updates(self) -> int:
        """FramebufferUpdates that have ended while it read."""
        return self._updates

    @property
    def rectangles(self) -> int:
        """Rectangles that it read."""
        return self._rectangles

    @property
    def pixels(self) -> int:
        """Pixels that it painted, each as often as it was."""
        return self._pixels

    @property
    def between(self) -> bool:
        """Whether all that was read of rectangles is whole ones."""
        return True

    @classmethod
    def make_buffer(cls, *, limit: int) -> Buffer:
        """Return memory for what arrives, that `read` can take it from.

        Args:
            limit: The largest message, in bytes.
        """
        return ReceiveBuffer(limit=limit)

    def read_fences(self) -> None:
        """Let `read` take fences between updates too, where that is quicker; here it is not."""

    def read(self, buffer: Buffer) -> Sequence[Event]:
        """Do as `feed` does with what waits in a buffer, and consume what is used up.

        Returns:
            What there is to tell. All else is added to what our attributes say.
        """
        with buffer.view() as data:
            fed = self.feed(data)
        buffer.consume(fed.consumed)
        self._updates += fed.updates
        self._rectangles += fed.rectangles
        self._pixels += fed.pixels
        self.needed = fed.needed
        return fed.events

    @property
    def plain(self) -> bool:
        """Whether what it painted last came as plain pixels; False if it does not note that."""
        return False

    def receive(
        self, buffer: Buffer, needed: int, file: int, most: int, at_once: int
    ) -> Sequence[Event]:
        """Take what a socket has, large Raw rectangles to the screen itself; then do as `read`.

        Args:
            buffer: Where all other bytes wait.
            needed: How many must wait there before another try can help.
            file: The descriptor of a socket that does not block.
            most: Bytes to take at the most.
            at_once: See `Connection.receive`; with a number below 0 all bytes are left.

        Raises:
            EOFError, OSError: The end has come, or it is broken; and nothing is left there.
        """
        raise NotImplementedError

    def feed(self, data: memoryview) -> Fed:
        """Decode all whole rectangles at the front of `data`.

        Args:
            data: Begins with a FramebufferUpdate, or where the last `feed` stopped inside one.

        Raises:
            MalformedRectangleError: A rectangle's place, size or content is impossible.
            UnsupportedEncodingError: There is no decoder for a rectangle.
            RFBError: The server wants an impossible screen.
        """
        updates = rectangles = needed = pixels = 0
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
                if rectangle.encoding in self._painters:
                    pixels += rectangle.width * rectangle.height
            elif left == 0 or data[self.position] != ServerMessage.FRAMEBUFFER_UPDATE:
                break
            elif left < _UPDATE.size:
                needed = _UPDATE.size
                break
            else:
                _, self._left = _UPDATE.unpack_from(data, self.position)
                self._inside = True
                self.position += _UPDATE.size
        return Fed(self.position, updates, rectangles, needed, events, pixels)

    def _end(self, events: list[Event]) -> None:
        note_end(events, self._seen, self._drawn)
        self._inside, self._seen, self._drawn = False, 0, None
        self.allowance -= RECTANGLE_WORK

    def _rectangle(self, rectangle: Rectangle, data: memoryview, events: list[Event]) -> int:
        """Decode the rectangle at `position`; return 0, or the length it must have to go on."""
        try:
            if self._painting is None and (needed := self._begin(rectangle, data, events)):
                return needed
            if not self._paint_on():
                return self._length
        except RFBError as exc:
            exc.reason = f"{describe(rectangle)}: {exc.reason}"
            raise
        area = rectangle.width * rectangle.height
        if rectangle.encoding in self._painters:
            self.framebuffer.damage.add(Box._make(rectangle[:4]))
        self.allowance -= max(area - self._charged, 0) + RECTANGLE_WORK
        self._seen += 1
        self._left = 0 if rectangle.encoding == Encoding.LAST_RECT else self._left - 1
        self.position += self._length
        return 0

    def _begin(self, rectangle: Rectangle, data: memoryview, events: list[Event]) -> int:
        """Begin to paint a rectangle, or hear what it says; return as `_rectangle` does."""
        decoder, start = self._find(rectangle), self.position + _RECTANGLE.size
        while (length := decoder.measure(data, start, rectangle)) == AGAIN:
            self.allowance -= MEASURING_WORK
            if self.allowance <= 0:
                return len(data) - self.position
        area = rectangle.width * rectangle.height
        if rectangle.encoding in self._painters and length > 4 * area + LONGER:
            raise MalformedRectangleError(f"{length} bytes for {area} pixels")
        self._length, self._charged = _RECTANGLE.size + length, 0
        if start + length > len(data):
            return self._length
        payload = data[start : start + length]
        if painter := self._painters.get(rectangle.encoding):
            self._painting = painter.paint(payload, rectangle, self.framebuffer)
            return 0
        event = self._tellers[rectangle.encoding].decode(payload, rectangle, self.framebuffer)
        if isinstance(event, FrameDrawn):
            self._drawn = event
        elif event is not None:
            events.append(event)
        return 0

    def _paint_on(self) -> bool:
        """Paint what was begun, as far as the allowance goes; tell whether that was all of it."""
        for work in self._painting or ():
            self.allowance -= work
            self._charged += work
            if self.allowance <= 0:
                return False
        self._painting = None
        return True

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
