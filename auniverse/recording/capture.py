"""Recording: a VNC connection whose bytes go to a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from auniverse.address import Remote
from auniverse.errors import (
    ConnectError,
    ConnectionLostError,
    RemoteError,
    RemoteTimeoutError,
    UsageError,
)
from auniverse.links import WallClock, keep_alive
from auniverse.rfb import (
    Connection,
    ContinuousUpdatesEnded,
    ContinuousUpdatesOffered,
    Decoder,
    Fed,
    Opened,
    Resized,
    State,
)

from .encodings import is_lossless
from .fbs import Header, Writer

#: Bytes that one read of the socket may give.
READ = 256 * 1024


@dataclass(slots=True)
class Captured:
    """How far a recording has come.

    Attributes:
        path: Where it is.
        server: Who sent it.
        encodings: What was offered.
        width: Columns of the screen.
        height: Rows.
        decoded: Whether the stream was understood; if not, `updates` stays None.
        bytes: What the server sent, ServerInit included.
        seconds: How long it has taken.
        updates: Whole updates.
        ended: Why it is over: "seconds", "bytes", "updates", "cancelled", or what the server did.
        quiet_since: `loop.time()` of the newest byte.
    """

    path: Path
    server: str
    encodings: tuple[int, ...]
    width: int
    height: int
    decoded: bool
    bytes: int = 0
    seconds: float = 0.0
    updates: int | None = None
    ended: str = ""
    quiet_since: float = 0.0


class Opaque(Decoder):
    """Takes everything after the opening and understands none of it.

    It makes a stream recordable whatever is in it. Where an update ends cannot be told then, so
    `Tap` asks for the next one whenever bytes arrive: the request that follows the last bytes of
    an update is the one that keeps the server going, and servers merge the others into it.
    """

    @property
    def inside(self) -> bool:
        """Always: nothing is ever known to have ended."""
        return True

    def feed(self, data: memoryview) -> Fed:
        """Use all of it up."""
        return Fed(len(data), 0, 0, 0, [])


class Tap:
    """A client's connection that keeps what the server sends, and always has a request armed.

    Or has continuous updates, where they are offered to the server and it knows them. Fences are
    returned as they come.

    Args:
        remote: Whose password is used.
        encodings: What to offer. Where the decoder lacks one of them, nothing is decoded.

    Attributes:
        connection: The protocol core.
        decoded: Whether it decodes.
        kept: Bytes to be recorded, from ServerInit on, that nobody took yet.
    """

    def __init__(self, remote: Remote, encodings: Sequence[int]) -> None:
        options: dict[str, Any] = {"password": remote.vnc_password, "encodings": encodings}
        self.decoded = True
        try:
            self.connection = Connection(**options)
        except UsageError:
            self.decoded = False
            blind = type("Blind", (Opaque,), {"encodings": tuple(encodings)})
            self.connection = Connection(**options, decoder=blind)
        self.kept = bytearray()
        self._waiting = bytearray()

    @property
    def opened(self) -> bool:
        """Whether the opening is over."""
        return self.connection.state is State.OPEN

    def receive_data(self, data: bytes) -> None:
        """Take what the server sent.

        What follows the opening is left to the next call, even if there is nothing new then.

        Raises:
            RemoteError: As `Connection.receive_data` does; what was taken is kept.
        """
        self._waiting += data
        if self.opened:
            self._take(len(self._waiting))
        # One byte at a time: only so is it known where the ServerInit begins and ends.
        while self._waiting and not self.opened:
            self._take(1)

    def _take(self, count: int) -> None:
        data = bytes(self._waiting[:count])
        del self._waiting[:count]
        connection = self.connection
        if connection.state in (State.INIT, State.OPEN):
            self.kept += data
        updates = connection.updates
        connection.receive_data(data)
        events = connection.events()
        kinds = {type(event) for event in events}
        whole = not kinds.isdisjoint((Opened, Resized))
        news = connection.updates > updates or ContinuousUpdatesEnded in kinds
        if ContinuousUpdatesOffered in kinds or (Resized in kinds and connection.continuous):
            connection.update_continuously()
        if whole or (
            not connection.continuous and (news or (data and self.opened and not self.decoded))
        ):
            connection.request_update(incremental=not whole)


async def capture(
    remote: Remote,
    path: str | Path,
    *,
    encodings: Sequence[int],
    seconds: float | None = None,
    max_bytes: int | None = None,
    max_updates: int | None = None,
    timeout: float = 10.0,
    server: str = "",
    notes: dict[str, Any] | None = None,
    watch: Callable[[Captured], object] = lambda captured: None,
) -> Captured:
    """Record what a server sends, until a limit is reached, it hangs up, or we are cancelled.

    However it ends, the file is whole and can be read; cancelling it is a usual way to stop.

    Args:
        remote: Whose screen.
        path: The file.
        encodings: What to offer the server, preferred first; also those that we cannot decode.
        seconds: How long to record.
        max_bytes: How many of the server's bytes to keep at most; the last update may be cut.
        max_updates: How many updates to record.
        timeout: Seconds for the opening.
        server: What the file says about who sent it; the desktop's name if empty.
        notes: What else the file says.
        watch: Called after everything that was recorded.

    Raises:
        UsageError: Updates are to be counted in encodings that we cannot decode.
        ConnectError: Nobody listens there, or what answers is no VNC server.
        AuthenticationError: It refuses the password.
        RemoteTimeoutError: It did not finish the handshake in time.
        ProtocolError: It broke the protocol; what came before that is recorded.
    """
    tap = Tap(remote, encodings)
    if max_updates is not None and not tap.decoded:
        raise UsageError("updates cannot be counted in encodings that are not decoded here")
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(remote.host, remote.vnc_port, limit=READ)
            keep_alive(writer.transport)
            while not tap.opened:
                await _exchange(tap, reader, writer)
        tape = _Tape(tap, _begin(tap, Path(path), encodings, server), watch)
        await tape.record(reader, writer, notes or {}, _Stops(seconds, max_bytes, max_updates))
        return tape.captured
    except RemoteError as error:
        error.remote = error.remote or str(remote)
        raise
    except TimeoutError as error:
        raise RemoteTimeoutError(
            f"the VNC handshake did not finish within {timeout:g} s", remote=str(remote)
        ) from error
    except OSError as error:
        if writer is not None:
            raise ConnectionLostError(
                f"the connection was lost: {error.strerror or error}", remote=str(remote)
            ) from error
        reason = f"cannot connect: {error.strerror or error}"
        raise ConnectError(reason, remote=str(remote)) from error
    finally:
        if writer is not None:
            writer.close()


class _Stops(NamedTuple):
    seconds: float | None
    bytes: int | None
    updates: int | None


class _Tape:
    """Takes what the tap keeps to the file."""

    def __init__(self, tap: Tap, captured: Captured, watch: Callable[[Captured], object]) -> None:
        self.captured = captured
        self._tap = tap
        self._watch = watch
        self._clock = WallClock()
        self._start = self._clock()

    async def record(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        notes: dict[str, Any],
        stops: _Stops,
    ) -> None:
        """Record until something in `stops` is reached or the server ends."""
        captured = self.captured
        header = Header(
            self._start,
            captured.server,
            captured.encodings,
            captured.width,
            captured.height,
            is_lossless(captured.encodings),
            notes=notes,
        )
        with Writer(captured.path, header) as file:
            limit = asyncio.timeout(stops.seconds)
            captured.ended = "cancelled"
            try:
                async with limit:
                    self._tap.receive_data(b"")
                    while not self._keep(file, stops):
                        await _exchange(self._tap, reader, writer)
            except (ConnectionLostError, ConnectionError) as error:
                captured.ended = str(error)
            except TimeoutError:
                if not limit.expired():
                    raise
                captured.ended = "seconds"
            finally:
                self._keep(file, stops)
                file.stop(self._clock())

    def _keep(self, file: Writer, stops: _Stops) -> bool:
        """Write what there is; tell whether that is enough."""
        captured, tap = self.captured, self._tap
        data = bytes(tap.kept)
        tap.kept.clear()
        captured.seconds = self._clock() - self._start
        if stops.bytes is not None and captured.bytes + len(data) > stops.bytes:
            captured.ended = "bytes"
            return True
        if data:
            file.write(data, round(captured.seconds * 1000))
            captured.bytes += len(data)
            captured.quiet_since = asyncio.get_running_loop().time()
        if tap.decoded:
            captured.updates = tap.connection.updates
            if stops.updates is not None and captured.updates >= stops.updates:
                captured.ended = "updates"
                return True
        self._watch(captured)
        return False


def _begin(tap: Tap, path: Path, encodings: Sequence[int], server: str) -> Captured:
    framebuffer = tap.connection.framebuffer
    assert framebuffer is not None
    numbers = tuple(int(encoding) for encoding in encodings)
    name = server or tap.connection.name
    width, height = framebuffer.width, framebuffer.height
    return Captured(path, name, numbers, width, height, tap.decoded)


async def _exchange(tap: Tap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read what there is, and answer it."""
    data = await reader.read(READ)
    if data:
        tap.receive_data(data)
    else:
        tap.connection.receive_eof()
    if answer := tap.connection.data_to_send():
        writer.write(answer)
        await writer.drain()
