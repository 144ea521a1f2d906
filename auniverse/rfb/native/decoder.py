"""`decoders.Decoder` with its loop in C."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, ClassVar

from auniverse.errors import MalformedRectangleError, RFBError, UnsupportedEncodingError, UsageError

from ..decoders import Decoder, Fed
from ..decoders.cursor import shape_of
from ..decoders.decoder import describe, note_end
from ..framebuffer import Framebuffer
from ..messages import Event, FrameDrawn, PointerMoved, Updated
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
_WAIT, _FULL, _FOREIGN, _MALFORMED, _UNSUPPORTED, _SPENT, _LARGE = range(7)

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

    def __init__(self, framebuffer: Framebuffer, *, limits: Limits) -> None:
        if not available():
            raise UsageError("the compiled decoder was not built: see `auniverse doctor`")
        super().__init__(framebuffer, limits=limits)
        self._kernel = compiled.Decoder(
            *(Box, Fed, Updated, FrameDrawn, Frame, PointerMoved), shape_of, limits.cursor
        )
        framebuffer.damage.painted = self._kernel.take_damage

    @property
    def inside(self) -> bool:
        """Whether an update has begun and not ended."""
        return self._kernel.inside

    @property
    def between(self) -> bool:
        """Whether nothing of a rectangle was consumed that goes on."""
        return not self._kernel.taken

    @property
    def missing(self) -> memoryview | None:
        """The memory of what is missing of a Raw rectangle; see `Decoder.missing`."""
        if not (size := self._kernel.missing):
            return None
        begin = self._kernel.missing_at
        return memoryview(self.framebuffer.pixels).cast("B")[begin : begin + size]  # type: ignore[arg-type]

    def placed(self, count: int) -> None:
        """Note that the first bytes of `missing` are there; see `Decoder.placed`."""
        self._kernel.placed(count)

    def feed(self, data: memoryview) -> Fed:
        """Decode all whole rectangles at the front of `data`; see `Decoder.feed`."""
        fed = self._run(data, 0)
        stop = self._kernel.stop
        if stop == _WAIT:
            self.blocked = self.too_large = False
            return fed
        return self._see_to(stop, fed, data)

    def _run(self, data: memoryview, position: int) -> Fed:
        largest = sys.maxsize if self.abroad else self.largest
        kernel = self._kernel
        fed = kernel.feed(self.framebuffer.pixels, data, position, self.allowance, largest)
        self.position, self.allowance = fed.consumed, kernel.allowance
        return fed

    def _see_to(self, stop: int, total: Fed, data: memoryview) -> Fed:
        """Do what C came back for, and have it go on."""
        while True:
            self.blocked = stop == _FOREIGN and self.abroad
            self.too_large = stop == _LARGE
            if stop in _REFUSALS:
                raise self._refusal(_REFUSALS[stop])
            if self.blocked or stop not in (_FOREIGN, _FULL):
                return total
            foreign = stop == _FOREIGN
            if foreign and (needed := self._foreign(data, total.events)):
                return total._replace(needed=needed)
            total = _sum(total, self._run(data, self.position), foreign)
            stop = self._kernel.stop

    def _foreign(self, data: memoryview, events: list[Event]) -> int:
        """Let the table in Python take the rectangle at `position`."""
        rectangle = Rectangle._make(_RECTANGLE.unpack_from(data, self.position))
        self._left = self._kernel.left
        needed = self._rectangle(rectangle, data, events)
        if not needed:
            self._kernel.pass_(self._left)
        return needed

    def _refusal(self, kind: type[RFBError]) -> RFBError:
        kernel = self._kernel
        self.position -= kernel.taken
        return kind(f"{describe(Rectangle._make(kernel.rectangle))}: {kernel.reason}")


def _sum(one: Fed, more: Fed, rectangles: int) -> Fed:
    """Return what both came to, and so many rectangles in between that C has not counted."""
    events = one.events
    if events and more.events and isinstance(first := more.events[0], Updated):
        note_end(events, first.rectangles, None, first.updates)
        del more.events[0]
    return Fed(
        more.consumed,
        one.updates + more.updates,
        one.rectangles + more.rectangles + rectangles,
        more.needed,
        events + more.events,
        one.pixels + more.pixels,
    )
