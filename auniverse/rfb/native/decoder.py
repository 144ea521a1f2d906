"""`decoders.Decoder` with its loop in C."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

from auniverse.errors import MalformedRectangleError, RFBError, UnsupportedEncodingError, UsageError

from ..decoders import Decoder, Fed
from ..decoders.decoder import describe, note_end
from ..framebuffer import Framebuffer
from ..messages import Event, FrameDrawn
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
_WAIT, _FULL, _FOREIGN, _MALFORMED, _UNSUPPORTED, _SPENT = range(6)

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

    def __init__(self, framebuffer: Framebuffer, *, limits: Limits) -> None:
        if not available():
            raise UsageError("the compiled decoder was not built: see `auniverse doctor`")
        super().__init__(framebuffer, limits=limits)
        self._kernel = compiled.Decoder(Box)
        framebuffer.damage.painted = self._kernel.take_damage

    @property
    def inside(self) -> bool:
        """Whether an update has begun and not ended."""
        return self._kernel.inside

    def feed(self, data: memoryview) -> Fed:
        """Decode all whole rectangles at the front of `data`; see `Decoder.feed`."""
        events: list[Event] = []
        updates = rectangles = self.position = 0
        while True:
            stop, self.position, ended, painted, needed, self.allowance, happened = (
                self._kernel.feed(self.framebuffer.pixels, data, self.position, self.allowance)
            )
            updates += ended
            rectangles += painted
            for seen, count, frame in happened:
                drawn = None if frame is None else FrameDrawn(Frame._make(frame))
                note_end(events, seen, drawn, count)
            if stop == _FOREIGN:
                needed = self._foreign(data, events)
                rectangles += not needed
            elif stop in _REFUSALS:
                raise self._refusal(_REFUSALS[stop], data)
            if stop in (_WAIT, _SPENT) or needed:
                return Fed(self.position, updates, rectangles, needed, events)

    def _foreign(self, data: memoryview, events: list[Event]) -> int:
        """Let the table in Python take the rectangle at `position`."""
        rectangle = Rectangle._make(_RECTANGLE.unpack_from(data, self.position))
        self._left = self._kernel.left
        needed = self._rectangle(rectangle, data, events)
        if not needed:
            self._kernel.pass_(self._left)
        return needed

    def _refusal(self, kind: type[RFBError], data: memoryview) -> RFBError:
        rectangle = Rectangle._make(_RECTANGLE.unpack_from(data, self.position))
        return kind(f"{describe(rectangle)}: {self._kernel.reason}")
