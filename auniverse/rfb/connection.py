"""A client's connection: bytes in, events out, and the other way round."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from auniverse.errors import ConnectionLostError, RemoteError, RFBError, UsageError

from .choice import best_decoder
from .decoders import Decoder
from .framebuffer import Allocate, Framebuffer, allocate_pixels
from .handshake import Handshake, ServerInit, State, check_banner
from .incoming import read_message
from .messages import (
    Event,
    HandOver,
    Opened,
    StartTLS,
    Updated,
    set_encodings,
    set_pixel_format,
)
from .offers import DEFAULT_ENCODINGS, checked
from .painting import Painting
from .types import RGBX, Encoding, Limits, SecurityType, ServerMessage
from .vencrypt import PAUSE

#: Work of a message that is no update, in the decoder's pixels.
MESSAGE_WORK = 256

_UPDATE, _FENCE = int(ServerMessage.FRAMEBUFFER_UPDATE), int(ServerMessage.FENCE)


class Connection(Painting):
    """The client's end of one RFB connection, without a socket.

    Feed it with `receive_data`, or without a copy through `get_buffer` and `buffer_updated`; then
    look at `events` and `data_to_send`. It never asks for updates by itself. After any error it
    is CLOSED.

    Args:
        username: For the security types that want one.
        password: For the types that want one; of VNC authentication's the first 8 bytes count.
        security: The accepted security types, the preferred one first; VeNCrypt's by their own
            numbers. Those whose password or user name is lacking are passed over.
        shared: Whether other clients of the server may stay.
        encodings: What to offer, the preferred one first; see `offers.checked`.
        allocate: Gives the memory of the screen, see `Allocate`.
        limits: What the server may cost us.
        decoder: The decoder's class; the best there is for None.

    Raises:
        UsageError: The decoder lacks one of the encodings, or a security type is unknown.

    Attributes:
        bytes_received: Bytes taken.
    """

    def __init__(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        security: Sequence[int] = (SecurityType.VNC_AUTHENTICATION, SecurityType.NONE),
        shared: bool = True,
        encodings: Sequence[int] = DEFAULT_ENCODINGS,
        allocate: Allocate = allocate_pixels,
        limits: Limits | None = None,
        decoder: type[Decoder] | None = None,
    ) -> None:
        self._limits = limits = limits or Limits()
        decoder = decoder or best_decoder()
        super().__init__(limits)
        self._encodings = checked(encodings, decoder)
        self._allocate = allocate
        self._decoder_type = decoder
        self._to_send = bytearray()
        self._buffer = decoder.make_buffer(limit=8 * limits.pixels + limits.cut_text + (1 << 20))
        self._handshake = Handshake(
            self._to_send.extend,
            username=username,
            password=password,
            security=security,
            shared=shared,
            limits=limits,
        )
        self._steps = self._handshake.run()
        self._needed = next(self._steps)  # bytes that must wait before another try can help
        self._work = self._turn = 0  # left to do before others have their turn; and at its begin
        self._skip = 0  # bytes of a message that are read for nothing
        self._refused = 0  # where in what waits, if it is not the front
        self._closed = False
        self.bytes_received = 0

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

    @property
    def security(self) -> SecurityType:
        """The security type that was agreed on; INVALID before."""
        return self._handshake.security

    def tls_started(self) -> None:
        """Go on after `StartTLS`; the bytes from here on are those inside TLS."""
        if self.state is not State.TLS:
            raise UsageError(f"no TLS is waited for, but {self.state.value}")
        self._needed = self._steps.send(b"")

    def take_over(self, width: int, height: int, name: str) -> None:
        """Go on after `HandOver`, behind the server's ServerInit; RFBError: too large a screen."""
        if self.state is not State.APPLE:
            raise UsageError(f"nothing is handed over, it waits for {self.state.value}")
        self._open(ServerInit(width, height, name))
        self._needed = 1

    def receive_data(self, data: bytes | bytearray | memoryview, work: int = sys.maxsize) -> None:
        """Take bytes from the server, as many as there are; for `work` see `buffer_updated`.

        Raises:
            RFBError: They break the protocol or exceed a limit; says what was being read, and
                where in all bytes received.
            ConnectError: The server turns us away.
            AuthenticationError: See `Handshake.run`.
            ConnectionLostError: The connection is closed already.
        """
        self._work = work
        rest = memoryview(data)
        while rest:
            room = self.get_buffer(len(rest))
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            del room  # or the memory would outlive the next, larger one
            self.buffer_updated(count, self._work)
            rest = rest[count:]

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

    def receive(self, file: int, most: int, at_once: int, work: int) -> int:
        """Take what a socket has, where it belongs, and read it; return how many bytes that were.

        The one place where the core calls the kernel: pixels that are sent as they are go from
        there to the screen.

        Args:
            file: The descriptor of a socket that does not block; it is not kept.
            most: Bytes to take at the most.
            at_once: If more bytes wait then, they are left `pending`, unless they are such pixels.
            work: See `buffer_updated`.

        Raises:
            EOFError: The server has ended it; see `receive_eof`.
            OSError: It is broken.
            RemoteError: As `receive_data` does.
        """
        if self._closed or (decoder := self._decoder) is None:
            raise ConnectionLostError("the connection is closed, or not open yet")
        self._work = self._turn = work
        self._allow(decoder)
        at_once = -1 if self._skip else at_once  # what is to be skipped is not for the decoder
        try:
            try:
                events = decoder.receive(self._buffer, self._needed, file, most, at_once)
            finally:
                self.bytes_received += decoder.received
            self._note(decoder, events)
        except RemoteError as exc:
            self._refused = decoder.position
            self._give_up(exc)
            raise
        return decoder.received

    @property
    def pending(self) -> bool:
        """Whether `go_on` has something to read."""
        return not self._closed and self._buffer.holds(self._needed)

    @property
    def waiting(self) -> int:
        """Bytes received and not read yet."""
        return self._buffer.waiting

    @property
    def updating(self) -> bool:
        """Whether an update has begun to come in and has not ended."""
        if self._decoder is None or self._skip:
            return False
        if self._decoder.inside:
            return True
        return self._buffer.front == _UPDATE

    @property
    def unfinished(self) -> tuple[int, int] | None:
        """Which message of an open connection has begun and not ended, None if none has.

        A mark that stays the same until that message ends.
        """
        if self._decoder is None:
            return None
        if self._decoder.inside:
            return self.updates, -1
        if not self._buffer.waiting and not self._skip:
            return None
        return self.updates, self._position + self._skip

    def go_on(self, work: int = sys.maxsize) -> None:
        """Read what has arrived, up to so much work; see `buffer_updated`."""
        self._work = self._turn = work
        buffer = self._buffer
        try:
            if self._decoder is None and self.state is State.VERSION:
                check_banner(buffer.view())
            while self._work > 0 and buffer.holds(self._needed):
                if self._decoder is None:
                    self._shake_hands()
                else:
                    self._read(self._decoder)
            # Were they kept, somebody in between could put words before the server's own.
            if self._needed == PAUSE and buffer.waiting:
                raise RFBError(f"{len(self._buffer)} bytes that nobody asked for")
        except RemoteError as exc:
            self._give_up(exc)
            raise

    def _give_up(self, error: RemoteError) -> None:
        if isinstance(error, RFBError):
            at = self._position + self._refused
            error.reason += f" (at byte {at}, reading {self.state.value})"
        self._closed = True

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
            between = not self._buffer and self._decoder.between
            where = "between two rectangles" if between else "inside a rectangle"
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
        if not self._to_send:
            return b""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def _send(self, message: bytes) -> None:
        if self._closed:
            raise ConnectionLostError("the connection is closed")
        if self._decoder is None:
            raise UsageError("the connection is not open yet")
        self._to_send += message

    @property
    def _position(self) -> int:
        """Where in all bytes received those begin that are not understood yet."""
        return self.bytes_received - self._buffer.waiting

    def _consume(self, count: int, needed: int) -> None:
        self._buffer.consume(count)
        self._needed = needed

    def _shake_hands(self) -> None:
        count = self._needed
        try:
            needed = self._steps.send(bytes(self._buffer.view()[:count]))
        except StopIteration as end:
            self._open(end.value)
            needed = 1
        self._consume(count, needed)
        if needed == PAUSE:
            apple = self.state is State.APPLE
            self._events.append(HandOver() if apple else StartTLS(self._handshake.anonymous))

    def _open(self, init: ServerInit) -> None:
        width, height, self.name = init
        self.framebuffer = Framebuffer(width, height, allocate=self._allocate, limits=self._limits)
        self._decoder = self._decoder_type(self.framebuffer, limits=self._limits)
        if Encoding.FENCE in self._encodings:
            self._decoder.read_fences()
        self._send(set_pixel_format(RGBX) + set_encodings(self._encodings))
        self._events.append(Opened(width, height, self.name))

    def _read(self, decoder: Decoder) -> None:
        """Get on by one message, or by as many updates as there are."""
        self._work -= MESSAGE_WORK
        if self._skip:
            count = min(self._skip, self._buffer.waiting)
            self._skip -= count
            self._consume(count, 1)
        elif self._buffer.front == _UPDATE or decoder.inside:
            self._read_updates(decoder)
        elif self._buffer.front != _FENCE or not self._read_fences(decoder):
            self._read_message(self._buffer.view())

    def _read_updates(self, decoder: Decoder) -> None:
        self._allow(decoder)
        try:
            events = decoder.read(self._buffer)
        except RFBError:
            self._refused = decoder.position
            raise
        self._note(decoder, events)

    def _allow(self, decoder: Decoder) -> None:
        decoder.allowance = self._work
        decoder.largest = self._turn if self.lends else sys.maxsize

    def _note(self, decoder: Decoder, events: Sequence[Event]) -> None:
        """Note what a decoder has come to."""
        self._work = 0 if decoder.blocked or decoder.too_large else decoder.allowance
        self._needed = decoder.needed or 1
        self._events += events
        for event in events:
            if type(event) is not Updated:
                self._heed(event)
        if decoder.answers:
            self.fences = True
            self._send(decoder.answers)
            decoder.answers = b""

    def _read_fences(self, decoder: Decoder) -> bool:
        """Have the decoder read fences, and what is behind them; tell whether it reads this one."""
        waiting = self._buffer.waiting
        self._read_updates(decoder)
        return self._buffer.waiting < waiting or self._needed > 1

    def _read_message(self, data: memoryview) -> None:
        incoming = read_message(data, self._limits, self._encodings)
        if incoming.length > len(data):
            self._needed = incoming.length
            return
        self._skip = incoming.skip
        self._consume(incoming.length, 1)
        if incoming.message is not None:
            self._hear(incoming.message)
