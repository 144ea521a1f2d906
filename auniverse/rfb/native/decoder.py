"""`decoders.Decoder` with its loop in C."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from auniverse.errors import MalformedRectangleError, RFBError, UnsupportedEncodingError, UsageError

from ..buffer import Buffer
from ..decoders import Decoder, Fed
from ..decoders.cursor import shape_of
from ..decoders.decoder import describe, note_end
from ..framebuffer import Framebuffer
from ..messages import Event, FenceReplied, FrameDrawn, PointerMoved, Updated
from ..types import Box, Encoding, Frame, Limits, Rectangle

if TYPE_CHECKING:
    from . import _native

    compiled = _native
else:
    try:
        from . import _native as compiled
    except ImportError:  # no compiler, or not built for this interpreter
        compiled = None

__all__ = ["NativeDecoder", "available", "compiled", "libraries"]

#: Why C came back (`enum stop` in kernel.h).
_WAIT, _FULL, _FOREIGN, _MALFORMED, _UNSUPPORTED, _SPENT, _LARGE, _LATER = range(8)
#: Nothing is to be done about these.
_SETTLED = (_WAIT, _LATER)

_REFUSALS: dict[int, type[RFBError]] = {
    _MALFORMED: MalformedRectangleError,
    _UNSUPPORTED: UnsupportedEncodingError,
}

_RECTANGLE = struct.Struct(">HHHHi")

#: What C decodes, the preferred first.
_PAINTED = (
    *(Encoding.TIGHT, Encoding.ZRLE, Encoding.ZLIB, Encoding.HEXTILE, Encoding.TRLE),
    *(Encoding.CORRE, Encoding.RRE, Encoding.COPY_RECT, Encoding.RAW),
)


def available() -> bool:
    """Tell whether the compiled decoder was built for this interpreter."""
    return compiled is not None


def libraries() -> dict[str, str]:
    """Return what the compiled decoder is linked with: "jpeg"; {} if it was not built.

    An empty name says that there is no library for it.
    """
    if not available():
        return {}
    return {"jpeg": compiled.JPEG}


class NativeDecoder(Decoder):
    """Decodes as `Decoder` does; see there.

    What it painted lies in C, as at most 32 boxes: exact ones, or past that number the tiles of a
    grid that they touch. The framebuffer's `Damage` fetches them when somebody asks.

    Raises:
        UsageError: It was not built.
    """

    encodings: ClassVar[tuple[int, ...]] = tuple(dict.fromkeys((*_PAINTED, *Decoder.encodings)))
    parallel: ClassVar[bool] = True
    receives: ClassVar[bool] = True

    def __init__(self, framebuffer: Framebuffer, *, limits: Limits) -> None:
        if not available():
            raise UsageError("the compiled decoder was not built: see `auniverse doctor`")
        super().__init__(framebuffer, limits=limits)
        self._kernel = compiled.Decoder(
            *(Box, Updated, FrameDrawn, Frame, PointerMoved, FenceReplied), shape_of, limits.cursor
        )
        framebuffer.damage.painted = self._kernel.take_damage

    @classmethod
    def make_buffer(cls, *, limit: int) -> Buffer:
        """Return memory for what arrives, which `read` takes without asking Python for it."""
        return compiled.ReceiveBuffer(RFBError, limit=limit)

    @property
    def inside(self) -> bool:
        """Whether an update has begun and not ended."""
        return self._kernel.inside

    @property
    def between(self) -> bool:
        """Whether all that was read of rectangles is whole ones."""
        return not self._kernel.taken

    @property
    def updates(self) -> int:
        """Updates that have ended."""
        return self._kernel.updates

    @property
    def rectangles(self) -> int:
        """Rectangles read."""
        return self._kernel.rectangles

    @property
    def pixels(self) -> int:
        """Pixels painted."""
        return self._kernel.pixels

    def read_fences(self) -> None:
        """Read fences between updates too."""
        self._kernel.fences = 1

    def read(self, buffer: Buffer) -> Sequence[Event]:
        """Decode what waits in one of `make_buffer`; see `Decoder.read`."""
        events = self._run(buffer)
        stop = self._note()
        return events or () if stop in _SETTLED else self._see_to(stop, events or [], buffer)

    def receive(
        self, buffer: Buffer, needed: int, file: int, most: int, at_once: int
    ) -> Sequence[Event]:
        """Take what a socket has and decode it; see `Decoder.receive`."""
        kernel, pixels, work = self._kernel, self.framebuffer.pixels, self.allowance
        area = sys.maxsize if self.abroad else self.largest
        try:  # every argument by itself: to unpack a tuple takes as long as the call
            events = kernel.receive(pixels, buffer, work, area, needed, file, most, at_once)
        finally:
            self.received = kernel.received
        stop = self._note()
        return events or () if stop in _SETTLED else self._see_to(stop, events or [], buffer)

    @property
    def plain(self) -> bool:
        """Whether what it painted last came as plain pixels."""
        return bool(self._kernel.plain)

    def feed(self, data: memoryview) -> Fed:
        """Decode what `data` begins with; see `Decoder.feed`."""
        buffer = self.make_buffer(limit=max(len(data), 1))
        before = self.updates, self.rectangles, self.pixels
        buffer.get_buffer(len(data))[: len(data)] = data
        buffer.buffer_updated(len(data))
        self.position = 0
        try:
            events = [*self.read(buffer)]
        finally:
            consumed = len(data) - len(buffer)
            self.position += consumed
        after = self.updates, self.rectangles, self.pixels
        updates, rectangles, pixels = (new - old for new, old in zip(after, before, strict=True))
        return Fed(consumed, updates, rectangles, self.needed, events, pixels)

    def _run(self, buffer: Buffer) -> list[Event] | None:
        """Have C read."""
        largest = sys.maxsize if self.abroad else self.largest
        return self._kernel.read(self.framebuffer.pixels, buffer, self.allowance, largest)

    def _note(self) -> int:
        """Note what C has left, what it waits for and what it answers; return why it came back."""
        kernel = self._kernel
        self.allowance, self.needed = kernel.allowance, kernel.needed
        self.blocked = self.too_large = False
        if kernel.answered:
            self.answers += kernel.take_answers()
        return kernel.stop

    def _see_to(self, stop: int, events: list[Event], buffer: Buffer) -> list[Event]:
        """Do what C came back for, and have it go on."""
        kernel = self._kernel
        while True:
            self.blocked = stop == _FOREIGN and self.abroad
            self.too_large = stop == _LARGE
            if stop in _REFUSALS:
                self.position = -kernel.taken
                rectangle = Rectangle._make(kernel.rectangle)
                raise _REFUSALS[stop](f"{describe(rectangle)}: {kernel.reason}")
            if self.blocked or stop not in (_FOREIGN, _FULL):
                return events
            if stop == _FOREIGN and (needed := self._foreign(buffer, events)):
                self.needed = needed
                return events
            events = _joined(events, self._run(buffer) or [])
            stop = self._note()

    def _foreign(self, buffer: Buffer, events: list[Event]) -> int:
        """Let the table in Python take the rectangle at the front."""
        self.position, self._left = 0, self._kernel.left
        with buffer.view() as data:
            rectangle = Rectangle._make(_RECTANGLE.unpack_from(data))
            needed = self._rectangle(rectangle, data, events)
        if not needed:
            buffer.consume(self.position)
            self._kernel.pass_(self._left)
        self.position = 0
        return needed


def _joined(events: list[Event], more: list[Event]) -> list[Event]:
    """Return both, with updates that follow one another made one event."""
    if events and more and isinstance(first := more[0], Updated):
        note_end(events, first.rectangles, None, first.updates)
        del more[0]
    return events + more
