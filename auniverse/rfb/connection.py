"""A client's connection: bytes in, events out, and the other way round."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import ClassVar

from auniverse.errors import ConnectionLostError, RemoteError, RFBError, UsageError

from .buffer import ReceiveBuffer
from .decoders import Decoder
from .framebuffer import Allocate, Framebuffer, allocate_zeros
from .handshake import Handshake, ServerInit, State, check_banner
from .messages import (
    Bell,
    CutText,
    Event,
    FrameDrawn,
    KeyEvent,
    Opened,
    PointerEvent,
    client_cut_text,
    set_encodings,
    set_pixel_format,
    update_request,
)
from .types import RGBX, Box, Encoding, Frame, Limits, SecurityType, ServerMessage, bounding_box


def compress_level(level: int) -> int:
    """Return the pseudo-encoding that asks for a zlib level of 0 (fastest) to 9 (smallest).

    Raises:
        UsageError: There is no such level.
    """
    if not 0 <= level <= 9:
        raise UsageError(f"a compress level of {level}")
    return level - 256


#: Work of a message that is no update, in the decoder's pixels.
MESSAGE_WORK = 256

#: What to offer a server, by how far away it is. Compressing costs more than it saves on one
#: host. LastRect makes servers hunt for solid areas, which helps compressed encodings only. Zlib
#: before ZRLE where the decoder counts, after it where bytes count. The Cursor encoding is left
#: out: it would keep the pointer out of the picture.
LINKS: dict[str, tuple[int, ...]] = {
    "local": (Encoding.RAW, Encoding.COPY_RECT, Encoding.DESKTOP_SIZE, Encoding.FRAME),
    "lan": (
        *(Encoding.TIGHT, Encoding.ZLIB, Encoding.ZRLE, Encoding.COPY_RECT, Encoding.RAW),
        *(Encoding.LAST_RECT, Encoding.DESKTOP_SIZE, Encoding.FRAME, compress_level(1)),
    ),
    "wan": (
        *(Encoding.TIGHT, Encoding.ZRLE, Encoding.ZLIB, Encoding.COPY_RECT, Encoding.RAW),
        *(Encoding.LAST_RECT, Encoding.DESKTOP_SIZE, Encoding.FRAME, compress_level(6)),
    ),
}

DEFAULT_ENCODINGS = LINKS["local"]


class Connection:
    """The client's end of one RFB connection, without a socket.

    Feed it with `receive_data`, or without a copy through `get_buffer` and `buffer_updated`; then
    look at `events` and `data_to_send`. It never asks for updates by itself. After any error it
    is CLOSED.

    Args:
        password: For VNC authentication; its first 8 bytes count.
        security: The accepted security types, the preferred one first. VNC authentication is
            passed over if there is no password and another type will do.
        shared: Whether other clients of the server may stay.
        encodings: What to offer, the preferred one first; FRAME is always offered.
        allocate: Gives the memory of the screen, see `Allocate`.
        limits: What the server may cost us.
        decoder: The decoder's class.

    Raises:
        UsageError: The decoder lacks one of the encodings, or a security type is unknown.

    Attributes:
        name: The desktop's name, "" until it is known.
        framebuffer: The screen, None until its size is known.
        updates: FramebufferUpdates that have ended.
        rectangles: Rectangles read.
        bytes_received: Bytes taken.
        frame: The newest frame that a finished update has announced.
    """

    def __init__(
        self,
        *,
        password: str | None = None,
        security: Sequence[int] = (SecurityType.VNC_AUTHENTICATION, SecurityType.NONE),
        shared: bool = True,
        encodings: Sequence[int] = DEFAULT_ENCODINGS,
        allocate: Allocate = allocate_zeros,
        limits: Limits | None = None,
        decoder: type[Decoder] = Decoder,
    ) -> None:
        self._limits = limits = limits or Limits()
        self._encodings = _checked(encodings, decoder)
        self._allocate = allocate
        self._decoder_type = decoder
        self._decoder: Decoder | None = None  # from OPEN on
        self._to_send = bytearray()
        self._events: list[Event] = []
        self._buffer = ReceiveBuffer(limit=8 * limits.pixels + limits.cut_text + (1 << 20))
        self._handshake = Handshake(
            self._to_send.extend,
            password=password,
            security=security,
            shared=shared,
            limits=limits,
        )
        self._steps = self._handshake.run()
        self._needed = next(self._steps)  # bytes that must wait before another try can help
        self._work = 0  # left to do before others have their turn
        self._skip = 0  # bytes of a message that are read for nothing
        self._position = 0  # in all bytes received
        self._closed = False
        self.name = ""
        self.framebuffer: Framebuffer | None = None
        self.updates = 0
        self.rectangles = 0
        self.bytes_received = 0
        self.frame: Frame | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        if self._closed:
            return State.CLOSED
        return State.OPEN if self._decoder else self._handshake.state

    @property
    def version(self) -> tuple[int, int]:
        """The protocol version that is spoken: (3, 3), (3, 7) or (3, 8)."""
        return self._handshake.version

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the server, as many as there are.

        Raises:
            RFBError: They break the protocol or exceed a limit; says what was being read, and
                where in all bytes received.
            ConnectError: The server turns us away.
            AuthenticationError: See `Handshake.run`.
            ConnectionLostError: The connection is closed already.
        """
        rest = memoryview(data)
        while rest:
            room = self.get_buffer(len(rest))
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            self.buffer_updated(count)
            rest = rest[count:]
            room.release()  # or the memory would outlive the next, larger one

    def get_buffer(self, size_hint: int) -> memoryview:
        """Return memory for the next bytes (`asyncio.BufferedProtocol`), whatever the hint.

        Raises:
            ConnectionLostError: The connection is closed.
        """
        if self._closed:
            raise ConnectionLostError("the connection is closed")
        return self._buffer.get_buffer(self._needed)

    def buffer_updated(self, count: int, work: int = sys.maxsize) -> None:
        """Take the `count` bytes that were put where `get_buffer` said.

        Args:
            count: How many.
            work: Stop once as much is done, in pixels painted (`Decoder.allowance`). What is
                `pending` then must be read by `go_on` before more bytes are taken.

        Raises:
            RemoteError: As `receive_data` does.
        """
        if self._closed:
            raise ConnectionLostError("the connection is closed")
        self._buffer.buffer_updated(count)
        self.bytes_received += count
        self.go_on(work)

    @property
    def pending(self) -> bool:
        """Whether `go_on` has something to read."""
        return not self._closed and len(self._buffer) >= self._needed

    def go_on(self, work: int = sys.maxsize) -> None:
        """Read what has arrived, up to so much work; see `buffer_updated`."""
        self._work = work
        try:
            if self.state is State.VERSION:
                check_banner(self._buffer.view())
            while self.pending and self._work > 0:
                if self._decoder is None:
                    self._shake_hands()
                else:
                    self._read(self._decoder)
        except RemoteError as exc:
            if isinstance(exc, RFBError):
                exc.reason += f" (at byte {self._position}, reading {self.state.value})"
            self._closed = True
            raise

    def receive_eof(self) -> None:
        """Take the end of the server's bytes.

        Raises:
            ConnectionLostError: Always, unless the handshake knows better; says where it broke
                off.
            AuthenticationError: The server had refused us and left its reason away.
            ConnectError: The same, before a password was asked for.
        """
        where = f"waiting for {self.state.value}"
        if self._decoder and self._decoder.inside:
            where = "inside a rectangle" if self._buffer else "between two rectangles"
        elif self._decoder and (self._buffer or self._skip):
            where = "inside a message"
        elif self._decoder is None:
            where = f"in the handshake, before {self.state.value}"
        self._closed = True
        lost = ConnectionLostError(f"the server closed the connection, {where}")
        if self._decoder is None:
            self._steps.throw(lost)
        raise lost

    def events(self) -> list[Event]:
        """Return what has happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Return the bytes to write to the server since the last call."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def send_key(self, keysym: int, down: bool) -> None:
        """Press or release a key.

        Raises:
            InvalidActionError: There can be no such keysym.
            ConnectionLostError: The connection is closed.
            UsageError: It is not open yet.
        """
        self._send(KeyEvent(keysym, down).pack())

    def send_pointer(self, x: int, y: int, buttons: int) -> None:
        """Move the pointer to a pixel, with a mask of pressed buttons; raises as `send_key`."""
        self._send(PointerEvent(x, y, buttons).pack())

    def send_cut_text(self, text: str) -> None:
        """Hand over Latin-1 text for the remote's cut buffer; raises as `send_key`."""
        self._send(client_cut_text(text))

    def request_update(self, incremental: bool = True, box: Box | None = None) -> None:
        """Ask for an update of a region (all: None): what changed in it, or all of it.

        Raises:
            ConnectionLostError: The connection is closed.
            UsageError: It is not open yet, or the region is not on the screen.
        """
        if self.framebuffer is None:
            raise UsageError("the connection is not open yet")
        screen = Box(0, 0, self.framebuffer.width, self.framebuffer.height)
        if box is not None and not self.framebuffer.contains(box):
            raise UsageError(f"a request for {box} of a screen of {screen[2:]} pixels")
        self._send(update_request(incremental, box or screen))

    def _send(self, message: bytes) -> None:
        if self._closed:
            raise ConnectionLostError("the connection is closed")
        if self._decoder is None:
            raise UsageError("the connection is not open yet")
        self._to_send += message

    def _consume(self, count: int, needed: int) -> None:
        self._buffer.consume(count)
        self._position += count
        self._needed = needed

    def _shake_hands(self) -> None:
        count = self._needed
        try:
            needed = self._steps.send(bytes(self._buffer.view()[:count]))
        except StopIteration as end:
            self._open(end.value)
            needed = 1
        self._consume(count, needed)

    def _open(self, init: ServerInit) -> None:
        width, height, self.name = init
        self.framebuffer = Framebuffer(width, height, allocate=self._allocate, limits=self._limits)
        self._decoder = self._decoder_type(self.framebuffer, limits=self._limits)
        self._send(set_pixel_format(RGBX) + set_encodings(self._encodings))
        self._events.append(Opened(width, height, self.name))

    def _read(self, decoder: Decoder) -> None:
        """Get on by one message, or by as many updates as there are."""
        data = self._buffer.view()
        self._work -= MESSAGE_WORK
        if self._skip:
            count = min(self._skip, len(data))
            self._skip -= count
            self._consume(count, 1)
        elif decoder.inside or data[0] == ServerMessage.FRAMEBUFFER_UPDATE:
            self._read_updates(decoder, data)
        elif data[0] not in self._READERS:
            raise RFBError(f"a message of type {data[0]}")
        else:
            head, reader = self._READERS[data[0]]
            length = reader(self, data) if len(data) >= head else head
            if length > len(data):
                self._needed = length
            else:
                self._consume(length, 1)

    def _read_updates(self, decoder: Decoder, data: memoryview) -> None:
        decoder.allowance = self._work
        try:
            fed = decoder.feed(data)
        except RFBError:
            self._position += decoder.position
            raise
        self._work = decoder.allowance
        self._consume(fed.consumed, max(fed.needed, 1))
        self.updates += fed.updates
        self.rectangles += fed.rectangles
        self._events += fed.events
        for event in fed.events:
            if isinstance(event, FrameDrawn):
                self.frame = event.frame
        damage = decoder.framebuffer.damage
        boxes = fed.damage if len(fed.damage) <= damage.limit else [bounding_box(fed.damage)]
        for box in boxes:
            damage.add(box)

    # Every reader gets data that begins with a message whose head is whole, and returns how many
    # bytes it has read; if that is more than there is, it has done nothing and wants them all.

    def _read_colour_map(self, data: memoryview) -> int:
        """SetColourMapEntries: nothing to us, who ask for true colour (RFC 6143 §7.6.2)."""
        count = int.from_bytes(data[4:6], "big")
        if count > self._limits.colour_map:
            raise RFBError(f"{count} colour map entries; the limit is {self._limits.colour_map}")
        self._skip = 6 * count
        return 6

    def _read_bell(self, data: memoryview) -> int:
        self._events.append(Bell())
        return 1

    def _read_cut_text(self, data: memoryview) -> int:
        """ServerCutText (RFC 6143 §7.6.4); what is too long is read but not kept."""
        length = int.from_bytes(data[4:8], "big")
        if length >= 1 << 31:  # a negative one belongs to an extension that we never offer
            raise RFBError(f"a cut text of {length} bytes")
        if length > self._limits.cut_text:
            self._skip = length
            return 8
        if len(data) >= 8 + length:
            self._events.append(CutText(str(data[8 : 8 + length], "latin-1")))
        return 8 + length

    #: By message type: how long the head is, and who reads the message.
    _READERS: ClassVar[dict[int, tuple[int, Callable[[Connection, memoryview], int]]]] = {
        ServerMessage.SET_COLOUR_MAP_ENTRIES: (6, _read_colour_map),
        ServerMessage.BELL: (1, _read_bell),
        ServerMessage.SERVER_CUT_TEXT: (8, _read_cut_text),
    }


def _checked(encodings: Sequence[int], decoder: type[Decoder]) -> tuple[int, ...]:
    known = {*decoder.encodings, *map(compress_level, range(10))}
    unknown = [int(encoding) for encoding in encodings if encoding not in known]
    if unknown:
        raise UsageError(f"encodings that the decoder lacks: {unknown}")
    return tuple(dict.fromkeys((*encodings, Encoding.FRAME)))
