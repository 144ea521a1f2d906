"""What arrives from a server: taken in, decoded here or on a worker, and told.

Theory of operation. A decoder that reads sockets by itself takes from ours as soon as the
connection is open (`Intake`); until then, inside TLS, and for any other decoder, asyncio fills the
core's memory. What arrives is decoded in the callback that brings it, or, if that is much, by a
worker (see `turns`) while the socket waits. While a worker has the connection the link must not
touch it: input and requests are packed and written without it, and what has changed counts only
once the connection is back.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import cast

from auniverse.errors import ConnectionLostError, RemoteError
from auniverse.rfb import Connection

from .intake import Intake
from .stopwatch import Stopwatch
from .turns import SLICE, SMALL, SMALL_SLICE, WORKER_SLICE, Turns, turns_of


class Reading(asyncio.BufferedProtocol, ABC):
    """The reading half of a link: bytes are the core's business, turns and threads are ours.

    Attributes:
        connection: The protocol core.
        opened: Done when there is a screen; or the fault that there will be none for.
        fault: Why the link ended, None while it lives.
        stopwatch: Seconds spent on reading what arrived; links may share one.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.fault: RemoteError | None = None
        self.stopwatch = Stopwatch()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._closing = False
        self._behind = False  # more has arrived than one callback may read
        self._full = False  # the sockets have brought what they may in this round
        self._turns: Turns | None = None  # while there is a socket
        self._intake: Intake | None = None  # see `_take_socket`
        self._away = False  # a worker has the connection
        self._worked = 0.0  # seconds that it took
        self._back: asyncio.Future[None] | None = None  # somebody waits until it has not
        self._broken: Exception | None = None  # what the worker ran into
        self._urgent = False  # somebody waits for what comes
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()

    @abstractmethod
    def fail(self, error: RemoteError) -> None:
        """Give the link up because of `error`."""

    @abstractmethod
    def _tell(self) -> None:
        """Act on what has been read; then `_breathe`. Not while a worker has the connection."""

    @abstractmethod
    def _ask(self) -> None:
        """Ask for the next update if one is coming in, and send what else there is."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket; the server speaks first."""
        self._transport = cast(asyncio.Transport, transport)
        self._turns = turns_of(self._loop)
        self._turns.joined(1)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the core's own memory to the socket."""
        assert self._turns is not None
        return self.connection.get_buffer(sizehint)[: self._turns.intake]

    def buffer_updated(self, nbytes: int) -> None:
        """Let the core decode what arrived, answer it, and wake the session."""
        begun, small = self._loop.time(), nbytes < SMALL and not self._behind
        if not small and self._turns is not None and self.opened.done():
            self._full = not self._turns.took(nbytes)
        try:
            self.connection.buffer_updated(nbytes, SMALL_SLICE if small else 0)
            self.stopwatch.seconds += self._loop.time() - begun
            if not small:
                self._read()
        except Exception as error:
            self._end(error)
        else:
            self._tell()

    def _take_in(self, file: int) -> None:
        """Have the core take what the socket has; see `intake`."""
        if self._closing or self._turns is None:
            return
        connection, begun = self.connection, self._loop.time()
        try:
            count = connection.receive(file, self._turns.intake, SMALL, SMALL_SLICE)
            self.stopwatch.seconds += self._loop.time() - begun
            if count > SMALL and connection.pending:
                self._read()
        except Exception as error:
            self._end(error)
        else:
            self._tell()

    def _go_on(self) -> None:
        """Read on, in a later callback than the one before."""
        self._full = False
        if self._away or self._closing or self.fault is not None:
            return
        try:
            self._read()
        except Exception as error:
            self._end(error)
        else:
            self._tell()

    def _read(self) -> None:
        """Read a slice of what has arrived, or have a worker do it."""
        if self.connection.pending and not self._send_away():
            pixels = self.connection.pixels
            self.stopwatch.seconds += self._decode(SLICE)
            if self._turns is not None and not self.connection.plain:
                self._turns.painted(self.connection.pixels - pixels)

    def _decode(self, work: int) -> float:
        """Have the core read on; return the seconds that it took."""
        begun = self._loop.time()
        self.connection.go_on(work)
        return self._loop.time() - begun

    def _breathe(self) -> None:
        """Take no more in while some is left to read, and read on in a later callback."""
        if (behind := self.connection.pending or self._full) or self._behind:
            self._hold(behind)
        if behind:
            self._loop.call_soon(self._go_on)  # the others' turn in between

    def _hold(self, behind: bool) -> None:
        """Let nothing more come in, or something again."""
        if behind == self._behind or self._transport is None or self._transport.is_closing():
            return
        self._behind = behind
        source = self._intake or self._transport
        if behind:
            source.pause_reading()
        else:
            source.resume_reading()

    def _take_socket(self) -> None:
        """Have the decoder read the socket by itself from here on, if it can."""
        if self._intake is not None or self._transport is None or not self.connection.receives:
            return
        self._intake = Intake.of(self._transport, self._take_in)
        if self._intake is not None and self._behind:
            self._intake.pause_reading()

    def _stop_reading(self) -> None:
        if self._intake is not None:
            self._intake.close()
            self._intake = None

    # -- on a worker ---------------------------------------------------------------------------

    def _send_away(self) -> bool:
        """Have a worker read what waits, if that is more than this round of the loop has time for.

        The request for the next update goes out before: it need not wait for the pixels.
        """
        connection, turns = self.connection, self._turns
        if turns is None or not connection.parallel or self._transport is None:
            return False
        quick = not connection.too_large and turns.has_time(connection.waiting, connection.plain)
        if connection.blocked or quick:
            return False
        self._ask()
        if self.fault is not None:
            return True
        connection.lend(True)
        self._away = connection.lends = turns.send_away(self, first=self._urgent)
        connection.lend(self._away)
        self._hold(self._away or self._behind)
        return self._away

    def work(self) -> None:
        """Read what waits, on a worker's thread."""
        if self._closing:
            return
        try:
            self._worked = self._decode(WORKER_SLICE)
        except Exception as error:  # told on the loop
            self._broken = error

    def come_home(self) -> None:
        """Have the connection back from a worker."""
        self._away = False
        self.connection.lend(False)
        self.stopwatch.seconds, self._worked = self.stopwatch.seconds + self._worked, 0.0
        if self._back is not None:
            self._back.set_result(None)
            self._back = None
        if self._closing or self.fault is not None:
            return
        if self._broken is not None:
            self._end(self._broken)
        else:
            self._tell()

    async def left(self) -> None:
        """Wait until no worker has the connection, and so nobody paints on the screen."""
        while self._away:
            self._back = self._back or self._loop.create_future()
            await asyncio.shield(self._back)

    def eof_received(self) -> None:
        """The server closed its end: say where that broke the protocol off."""
        if self._closing or self._away:  # a worker still reads: what it says comes first
            return
        try:
            self.connection.receive_eof()
        except RemoteError as error:
            self.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if not self._closing and self.fault is None:
            reason = f"the VNC connection was lost: {exc or 'closed by the server'}"
            self.fail(ConnectionLostError(reason))
        self._stop_reading()
        if self._turns is not None:
            self._turns.joined(-1)
            self._turns = None
        if not self._lost.done():
            self._lost.set_result(None)

    def _end(self, error: Exception) -> None:
        """Give the link up because of what reading ran into."""
        match error:
            case RemoteError():
                self.fail(error)
            case EOFError():
                self.eof_received()
            case OSError():
                self.fail(ConnectionLostError(f"the VNC connection was lost: {error}"))
            case _:  # a mistake of ours
                what = {"message": "a VNC stream could not be decoded", "exception": error}
                self._loop.call_exception_handler(what)
                self.fail(ConnectionLostError(f"it could not be decoded: {error!r}"))
