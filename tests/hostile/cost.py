"""What a stream of a server's bytes costs the client: memory by tracemalloc, work by counting."""

from __future__ import annotations

import socket
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from auniverse.errors import RemoteError
from auniverse.links.turns import SLICE, SMALL
from auniverse.rfb import Connection, Encoding, Event, compress_level
from auniverse.rfb.decoders import DECODERS, PSEUDO

#: Besides two framebuffers: what a server may make us hold, in bytes.
SLACK = 16 << 20
PIECE = 64 * 1024
EVERYTHING = (*DECODERS, *(set(PSEUDO) - {Encoding.FRAME}), compress_level(1))


class Told(NamedTuple):
    """What came of it."""

    connection: Connection
    fault: RemoteError | None
    #: Most memory taken at a time beyond that before, in bytes.
    peak: int
    slices: int
    #: The most rectangles, and events, of one slice.
    rectangles: int
    events: int
    said: bytes


def tell(
    stream: bytes | Iterable[bytes],
    *,
    piece: int = PIECE,
    connection: Connection | None = None,
    event: Callable[[Event], None] = lambda event: None,
    trace: bool = False,
) -> Told:
    """Feed a client as a link does, slice by slice; nobody looks at what it shows."""
    parts = [stream] if isinstance(stream, bytes) else stream
    if trace:
        tracemalloc.start()
    slices = most_rectangles = most_events = 0
    said = bytearray()
    fault: RemoteError | None = None
    try:
        client = connection or Connection(encodings=EVERYTHING)
        try:
            for part in parts:
                for _ in _slices(client, part, piece):
                    slices += 1
                    events = client.events()
                    for one in events:
                        event(one)
                    most_events = max(most_events, len(events))
                    most_rectangles = max(most_rectangles, client.rectangles - seen(client))
                    client.last_rectangles = client.rectangles  # type: ignore[attr-defined]
                    said += client.data_to_send()
        except RemoteError as error:
            fault = error
        peak = tracemalloc.get_traced_memory()[1] if trace else 0
    finally:
        if trace:
            tracemalloc.stop()
    said += client.data_to_send()
    return Told(client, fault, peak, slices, most_rectangles, most_events, bytes(said))


def seen(client: Connection) -> int:
    return getattr(client, "last_rectangles", 0)


def _slices(client: Connection, data: bytes, piece: int) -> Iterator[None]:
    """Give it what there is by turns: from a socket, where it reads those, and in memory."""
    rest, by_socket, held = memoryview(data), False, 0
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        while rest or held:
            by_socket = bool(held) or (client.receives and not by_socket)
            count = 0
            if by_socket:
                if not held:
                    held = count = far.send(rest[: min(piece, PIECE)])
                taken = client.receive(near.fileno(), held, SMALL, SLICE)
                assert taken
                held -= taken
            else:
                room = client.get_buffer(-1)
                count = min(piece, len(room), len(rest))
                room[:count] = rest[:count]
                del room
                client.buffer_updated(count, SLICE)
            rest = rest[count:]
            yield
            while client.pending:
                client.go_on(SLICE)
                yield
