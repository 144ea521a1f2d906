"""The server's end of RFB: one viewer of a screen (RFC 6143, seen from the other side)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Mapping

from auniverse.errors import AuthenticationError, RemoteError, RFBError, UsageError

from .encoders import ENCODERS, Encoder
from .extensions import DONE_BEFORE, Fence, fence_length, layout_rectangle
from .framebuffer import Damage
from .greeting import greet
from .messages import CutText, Joined, KeyEvent, PointerEvent, StartTLS
from .region import bands, disjoint, intersect, subtract
from .screen import Screen
from .security import CHALLENGE
from .types import (
    FRAME_LAYOUT,
    MONITOR,
    RGBX,
    Box,
    ClientMessage,
    Encoding,
    Frame,
    Limits,
    PixelFormat,
    ServerMessage,
    bounding_box,
)
from .vencrypt import PAUSE

_RECTANGLE = struct.Struct(">HHHHi")
_UPDATE = struct.Struct(">BxH")
_NOWHERE = Box(0, 0, 0, 0)
_END_OF_CONTINUOUS = bytes([ServerMessage.END_OF_CONTINUOUS_UPDATES])


#: Reads one thing from the viewer: yields how many bytes it needs and is sent just those.
Reader = Generator[int, bytes, None]
ViewerEvent = KeyEvent | PointerEvent | CutText | Joined | StartTLS


class Viewer:
    """One viewer's connection: its bytes in, its input out, updates of the screen to it.

    Nothing is ever queued for a slow viewer but the one update that is under way: damage adds up
    until `update` is called again.

    Attributes:
        version: RFB version as agreed, (3, 3), (3, 7) or (3, 8).
        joined: Whether the handshake is over.
        closed: Whether the connection is over. Bytes still to send should go out before the
            transport is closed: they may say why.
        close_reason: What ended it: AuthenticationError (wrong password), RFBError (a breach, or
            a new screen size that the viewer cannot be told), None (`close` was called).
        damage: What changed on the screen since this viewer was sent it.
    """

    def __init__(
        self,
        screen: Screen,
        *,
        password: str | None,
        challenge: bytes,
        tls: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """Greet the viewer.

        Args:
            screen: What it will see.
            password: What it must know; None lets everybody in.
            challenge: 16 random bytes, used once, that the viewer must encrypt with the password.
            tls: Whether it sees nothing outside TLS (VeNCrypt X509Vnc, without a password
                X509None); then `StartTLS` is an event, to be answered by `tls_started`.
            limits: What it may cost.
        """
        if len(challenge) != CHALLENGE:
            raise ValueError(f"a challenge of {len(challenge)} bytes instead of {CHALLENGE}")
        self.version = (3, 8)
        self.joined = False
        self.closed = False
        self.close_reason: RemoteError | None = None
        self.damage = Damage()
        self._screen = screen
        self._password = password
        self._challenge = challenge
        self._tls = tls
        self._limits = limits or Limits()
        self._form = RGBX
        self._encoder: Encoder = ENCODERS[Encoding.RAW]()
        self._encoders: dict[int, Encoder] = {Encoding.RAW: self._encoder}
        self._offered: frozenset[int] = frozenset()
        self._request: Box | None = None
        self._continuous: Box | None = None
        self._layout: tuple[int, int] | None = None  # reason and status that it must be told
        self._size = (0, 0)
        self._told = Frame(-1, 0.0, 0, 0.0)
        self._inputs, self._input_at = 0, 0.0
        self._input = bytearray()
        self._position = 0
        self._events: list[ViewerEvent] = []
        self._output: list[bytes] = []
        self._reader = self._read()
        self._needed = next(self._reader)

    @property
    def encoding(self) -> Encoding:
        """How rectangles are sent: the first of the viewer's encodings that we have, or Raw."""
        return self._encoder.encoding

    @property
    def armed(self) -> bool:
        """Whether the viewer wants an update: it has asked for one, or for all that come."""
        return self._request is not None or self._continuous is not None

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the viewer. After `closed` they are dropped.

        A wrong password raises nothing, since it breaks no rule: see `closed`.

        Raises:
            RFBError: They are not RFB, or exceed a limit; the connection is closed.
        """
        if self.closed:
            return
        self._input += data
        start = 0
        try:
            while not self.closed and len(self._input) - start >= self._needed > PAUSE:
                piece = bytes(self._input[start : start + self._needed])
                start += len(piece)
                self._position += len(piece)
                self._needed = self._reader.send(piece)
                if self._needed == PAUSE:
                    self._events.append(StartTLS(anonymous=False))
            if self._needed == PAUSE and start < len(self._input):
                raise RFBError("bytes in the clear where TLS begins")
        except AuthenticationError as error:
            self.close(error)
        except RFBError as error:
            error.reason += f" (from the viewer, before byte {self._position})"
            self.close(error)
            raise
        del self._input[:start]

    def tls_started(self) -> None:
        """Go on after `StartTLS`: the bytes from here on are those inside TLS."""
        if self._needed != PAUSE or self.closed:
            raise UsageError("no TLS is waited for")
        self._needed = self._reader.send(b"")

    def events(self) -> list[ViewerEvent]:
        """Return what the viewer did since this was last called."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Return what is to be sent since this was last called, for one write."""
        output = b"".join(self._output)
        self._output.clear()
        return output

    def note_inputs(self, count: int, now: float) -> None:
        """Say that `count` more key and pointer events of this viewer reached the program.

        Args:
            count: How many.
            now: When the last of them was read: unix seconds.
        """
        if count:
            self._inputs += count
            self._input_at = now

    def update(self) -> bool:
        """Answer the viewer's request if there is one, with one update if there is anything new.

        To a viewer with continuous updates it is as if it had always just asked.

        New is: what was painted inside the box asked for; another size of the screen (an update
        of its own, the picture follows on the next request); and for a viewer with the FRAME
        encoding also an announced frame, and input that was noted. Such a viewer gets a FRAME
        rectangle at the end of every update but that of a size, which completes no frame.

        Returns:
            Whether there is an update to send. If not, the viewer may have been closed: it did
            not offer DesktopSize and the screen has another size now.
        """
        asked = [box for box in (self._request, self._continuous) if box is not None]
        if not asked:
            return False
        if self._size != (self._screen.width, self._screen.height):
            return self._tell_size()
        boxes = [part for box in asked for part in self._claim(box)]
        if not boxes and not self._frame_is_news() and self._layout is None:
            return False
        self._request = None
        self._send(boxes)
        return True

    def note_layout(self, reason: int, status: int) -> None:
        """Have the viewer told of the screen's size with its next update, if it understands that.

        Args:
            reason: Who wanted it to change: 0 the host, 1 this viewer, 2 another one.
            status: 0, or why it did not.
        """
        if Encoding.EXTENDED_DESKTOP_SIZE in self._offered:
            self._layout = (reason, status)

    def close(self, reason: RemoteError | None = None) -> None:
        """End the connection; what was to be sent can still be taken. Twice is once."""
        if self.closed:
            return
        self.closed = True
        self.close_reason = reason
        self._screen.leave(self)
        self._request = self._continuous = None
        self._input.clear()
        self._reader.close()

    # What the viewer says.

    def _read(self) -> Reader:
        self.version = yield from greet(
            self._output.append, self._password, self._challenge, tls=self._tls
        )
        yield from self._read_init()
        while True:
            kind = (yield 1)[0]
            reader = _READERS.get(kind)
            if reader is None:
                raise RFBError(f"unknown message type {kind}")
            yield from reader(self)

    def _read_init(self) -> Reader:
        shared = (yield 1) != b"\0"
        screen = self._screen
        name = screen.name.encode()
        self._size = (screen.width, screen.height)
        self._output.append(
            struct.pack(">HH", *self._size) + RGBX.pack() + len(name).to_bytes(4, "big") + name
        )
        screen.join(self)
        self.joined = True
        self._events.append(Joined(shared))

    def _read_pixel_format(self) -> Reader:
        form = PixelFormat.unpack((yield 19)[3:])
        if not form.true_colour:
            raise RFBError("a pixel format with a colour map")
        self._form = form

    def _read_encodings(self) -> Reader:
        count = int.from_bytes((yield 3)[1:], "big")
        if count > self._limits.encodings:
            raise RFBError(f"{count} encodings, the limit is {self._limits.encodings}")
        offered = struct.unpack(f">{count}i", (yield 4 * count))
        number = next((number for number in offered if number in ENCODERS), Encoding.RAW)
        # Kept even while another is in use: a stream of zlib lives as long as its connection.
        self._encoder = self._encoders.get(number) or ENCODERS[number]()
        self._encoders[number] = self._encoder
        before, self._offered = self._offered, frozenset(offered)
        new = self._offered - before
        if Encoding.FENCE in new:  # that is how a server says that it knows fences
            self._output.append(Fence(DONE_BEFORE, b"").pack())
        if Encoding.CONTINUOUS_UPDATES in new:  # and so with these
            self._output.append(_END_OF_CONTINUOUS)
        if Encoding.EXTENDED_DESKTOP_SIZE in new:
            self.note_layout(0, 0)

    def _read_request(self) -> Reader:
        incremental, *place = struct.unpack(">BHHHH", (yield 9))
        wanted = intersect(Box(*place), self._screen.whole) or _NOWHERE
        if not incremental:
            self.damage.add(wanted)
            if self._layout is None:
                self.note_layout(0, 0)  # the extension wants it said again with all pixels
        asked = [box for box in (wanted, self._request or _NOWHERE) if box != _NOWHERE]
        self._request = bounding_box(asked) if asked else _NOWHERE

    def _read_key(self) -> Reader:
        down, keysym = struct.unpack(">B2xI", (yield 7))
        self._events.append(KeyEvent(keysym, bool(down)))

    def _read_pointer(self) -> Reader:
        buttons, x, y = struct.unpack(">BHH", (yield 5))
        x, y = min(x, self._screen.width - 1), min(y, self._screen.height - 1)
        self._events.append(PointerEvent(x, y, buttons))

    def _read_cut_text(self) -> Reader:
        length = int.from_bytes((yield 7)[3:], "big")
        if length > self._limits.cut_text:
            raise RFBError(f"cut text of {length} bytes, the limit is {self._limits.cut_text}")
        self._events.append(CutText((yield length).decode("latin-1")))

    def _read_fence(self) -> Reader:
        self._require(Encoding.FENCE)
        head = yield 8
        flags = int.from_bytes(head[3:7], "big")
        # We do one thing after the other, so whatever it waits for is done.
        answer = Fence(flags, (yield fence_length(b"\0" + head))).answer()
        if answer is not None:
            self._output.append(answer.pack())

    def _read_continuous(self) -> Reader:
        self._require(Encoding.CONTINUOUS_UPDATES)
        on, *place = struct.unpack(">BHHHH", (yield 9))
        if self._continuous is not None and not on:
            self._output.append(_END_OF_CONTINUOUS)
        box = intersect(Box(*place), self._screen.whole) or _NOWHERE
        self._continuous = box if on else None

    def _read_size(self) -> Reader:
        self._require(Encoding.EXTENDED_DESKTOP_SIZE)
        width, height, count = struct.unpack(">xHHBx", (yield 7))
        if count > self._limits.monitors:
            raise RFBError(f"{count} monitors, the limit is {self._limits.monitors}")
        yield count * MONITOR.size  # we have one, whatever is asked for
        self._screen.ask_size(self, width, height)

    def _require(self, encoding: Encoding) -> None:
        if encoding not in self._offered:
            raise RFBError(f"a message that needs {encoding.name}, which was not offered")

    # What it is told.

    def _claim(self, wanted: Box) -> list[Box]:
        """Take the damage inside `wanted`, as boxes that do not overlap; leave the rest."""
        claimed = []
        for box in self.damage.take():
            part = intersect(box, wanted)
            if part is not None:
                claimed.append(part)
            for rest in subtract(box, wanted):
                self.damage.add(rest)
        return disjoint(claimed)

    def _frame_is_news(self) -> bool:
        """Tell whether a FRAME rectangle would be worth an update by itself."""
        return Encoding.FRAME in self._offered and (
            self._screen.announced > self._told.number or self._inputs > self._told.inputs
        )

    def _send(self, boxes: list[Box]) -> None:
        screen, encoder = self._screen, self._encoder
        parts: list[bytes | memoryview] = []
        count = 0
        if self._layout is not None:
            parts.append(self._layout_rectangle())
            count += 1
        rectangles = [band for box in boxes for band in bands(box)]
        for x, y, width, height in rectangles:
            pixels = screen.pixels[y : y + height, x : x + width]
            parts.append(_RECTANGLE.pack(x, y, width, height, encoder.encoding))
            parts.append(encoder.encode(pixels, self._form))
        count += len(rectangles)
        if Encoding.FRAME in self._offered:
            count += 1
            self._told = Frame(screen.frame, screen.drawn_at, self._inputs, self._input_at)
            parts.append(_RECTANGLE.pack(0, 0, 0, 0, Encoding.FRAME))
            parts.append(FRAME_LAYOUT.pack(*self._told))
        # Joined at once, because parts may be views of pixels that are about to change.
        head = _UPDATE.pack(ServerMessage.FRAMEBUFFER_UPDATE, count)
        self._output.append(b"".join((head, *parts)))

    def _tell_size(self) -> bool:
        size = self._screen.width, self._screen.height
        if Encoding.EXTENDED_DESKTOP_SIZE in self._offered:
            rectangle = self._layout_rectangle()
        elif Encoding.DESKTOP_SIZE in self._offered:
            rectangle = _RECTANGLE.pack(0, 0, *size, Encoding.DESKTOP_SIZE)
        else:
            self.close(RFBError(f"the viewer cannot follow the screen to {size[0]}x{size[1]}"))
            return False
        self._request = None
        self._size = size
        self._output.append(_UPDATE.pack(ServerMessage.FRAMEBUFFER_UPDATE, 1) + rectangle)
        return True

    def _layout_rectangle(self) -> bytes:
        (reason, status), self._layout = self._layout or (0, 0), None
        return layout_rectangle(reason, status, self._screen.width, self._screen.height)


_READERS: Mapping[int, Callable[[Viewer], Reader]] = {
    ClientMessage.SET_PIXEL_FORMAT: Viewer._read_pixel_format,
    ClientMessage.SET_ENCODINGS: Viewer._read_encodings,
    ClientMessage.FRAMEBUFFER_UPDATE_REQUEST: Viewer._read_request,
    ClientMessage.KEY_EVENT: Viewer._read_key,
    ClientMessage.POINTER_EVENT: Viewer._read_pointer,
    ClientMessage.CLIENT_CUT_TEXT: Viewer._read_cut_text,
    ClientMessage.FENCE: Viewer._read_fence,
    ClientMessage.ENABLE_CONTINUOUS_UPDATES: Viewer._read_continuous,
    ClientMessage.SET_DESKTOP_SIZE: Viewer._read_size,
}
