"""Our client, decoding a recorded stream from memory."""

from __future__ import annotations

import time
import zlib
from typing import Any

from auniverse.errors import RemoteError, UsageError
from auniverse.rfb import Connection

from .streams import Stream

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
    try:
        connection = _opened(stream, options)
        for update in stream.untimed:
            _feed(connection, update)
        pieces = stream.chunks(chunk)
        started = time.thread_time()
        for piece in pieces:
            _feed(connection, piece)
        seconds = time.thread_time() - started
        if connection.updates != len(stream.updates):
            raise Refused(f"{connection.updates} of {len(stream.updates)} updates are whole to us")
        return seconds
    except (RemoteError, UsageError) as error:
        raise Refused(str(error)) from error


def crcs(stream: Stream, **options: Any) -> list[int]:
    """Return the CRC32 of the picture after every update, as RGBX with X = 255; raises Refused."""
    found = []
    try:
        connection = _opened(stream, options)
        for number, update in enumerate(stream.updates, 1):
            _feed(connection, update)
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


def _opened(stream: Stream, options: dict[str, Any]) -> Connection:
    connection = Connection(encodings=stream.encodings, **options)
    connection.receive_data(_SERVER + stream.init)
    connection.data_to_send()
    connection.events()
    return connection


def _feed(connection: Connection, piece: bytes) -> None:
    """What a link does with what its socket gives, the request for the next update included."""
    rest = memoryview(piece)
    while rest:
        room = connection.get_buffer(len(rest))
        count = min(len(room), len(rest))
        room[:count] = rest[:count]
        del room  # as asyncio: nobody looks at it any more
        connection.buffer_updated(count)
        rest = rest[count:]
    if connection.events():
        assert connection.framebuffer is not None
        connection.framebuffer.damage.take()
        connection.request_update()
        connection.data_to_send()
