"""Our client, decoding a recorded stream from memory."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from auniverse.errors import RemoteError, UsageError
from auniverse.links.requests import Requests, Wants
from auniverse.rfb import Connection, Updated

from .memory_socket import THE_STREAM, Chunks, preloaded
from .streams import Stream

#: Bytes that a link takes at the most before it looks what they were.
AT_A_TIME = 1024 * 1024
_SERVER = b"RFB 003.008\n\1\1\0\0\0\0"


class Refused(Exception):
    """A contender cannot decode the stream; the text says why."""


def ours_pass(stream: Stream, chunk: int | None = None, **options: Any) -> float:
    """Decode a whole stream; return the CPU seconds of its timed updates.

    Args:
        stream: What to decode.
        chunk: How many bytes come at a time; None: one update.
        options: For `Connection`, such as decoder=.

    Raises:
        Refused: We cannot.
    """
    return begun_pass(stream, chunk, **options)()


def begun_pass(stream: Stream, chunk: int | None = None, **options: Any) -> Callable[[], float]:
    """Do of a pass what is not timed; return what does the rest, as `ours_pass` does."""
    try:
        connection, requests = _opened(stream, options)
        _feed(connection, requests, stream.untimed)
    except (RemoteError, UsageError) as error:
        raise Refused(str(error)) from error

    def go_on() -> float:
        try:
            seconds = _feed(connection, requests, stream.chunks(chunk))
        except RemoteError as error:
            raise Refused(str(error)) from error
        if connection.updates != len(stream.updates):
            raise Refused(f"{connection.updates} of {len(stream.updates)} updates are whole to us")
        return seconds

    return go_on


def crcs(stream: Stream, **options: Any) -> list[int]:
    """Return the CRC32 of the picture after every update, as RGBX with X = 255; raises Refused."""
    found = []
    try:
        connection, requests = _opened(stream, options)
        for number, update in enumerate(stream.updates, 1):
            _feed(connection, requests, (update,))
            if connection.updates != number:
                raise Refused(f"update {number} is not whole to us")
            assert connection.framebuffer is not None
            picture = connection.framebuffer.pixels.copy()
            picture[..., 3] = 255
            found.append(zlib.crc32(picture))
    except (RemoteError, UsageError) as error:
        raise Refused(str(error)) from error
    return found


def default_decoder() -> type[Any]:
    """Return the class of the decoder that a connection takes by itself."""
    connection = Connection()
    connection.receive_data(_SERVER + b"\0\1\0\1" + bytes(20))
    return type(connection._decoder)


def _opened(stream: Stream, options: dict[str, Any]) -> tuple[Connection, Requests]:
    connection = Connection(encodings=stream.encodings, **options)
    connection.receive_data(_SERVER + stream.init)
    connection.events()
    requests = Requests(connection)
    requests.due(Wants.EVERYTHING)
    connection.data_to_send()
    return connection, requests


def _feed(connection: Connection, requests: Requests, chunks: tuple[bytes, ...]) -> float:
    """Give it what is waiting in a socket, one chunk after the other; return CPU seconds.

    Where the decoder takes from sockets by itself, it takes from one in memory. Otherwise filling
    its memory is one call of one function in C, as `recv_into` is to asyncio.
    """
    if connection.receives and preloaded():
        socket = Chunks(chunks)
        started = time.thread_time()
        while socket.size:
            socket.size -= connection.receive(THE_STREAM, AT_A_TIME, sys.maxsize, sys.maxsize)
            _tell(connection, requests)
        return time.thread_time() - started
    sources = [(BytesIO(chunk), len(chunk)) for chunk in chunks]
    started = time.thread_time()
    for source, size in sources:
        while size:
            count = source.readinto(connection.get_buffer(-1))
            connection.buffer_updated(count)
            size -= count
            _tell(connection, requests)
    return time.thread_time() - started


def _tell(connection: Connection, requests: Requests) -> None:
    """What a link does after each time, the request for the next update included."""
    ended = 0
    for event in connection.events():
        if type(event) is Updated:
            ended += event.updates
    connection.data_to_send() + requests.due(Wants.NOTHING, ended)
