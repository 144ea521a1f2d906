"""What is fuzzed, and what must hold whatever comes: documented errors, bounded memory.

A target takes bytes and returns, or raises what is a finding. It uses no randomness of its own.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Protocol

from auniverse.errors import AuniverseError, RemoteError, RFBError
from auniverse.rewarder import Connection as RewarderConnection
from auniverse.rewarder import Ledger, Server
from auniverse.rfb import Connection, Decoder, Encoding, Framebuffer, Limits, Screen, State, Viewer
from auniverse.rfb.decoders import DECODERS, PSEUDO

Target = Callable[[bytes], None]

#: Small, so that what goes past a limit shows.
LIMITS = Limits(pixels=96 * 96, name=64, reason=64, cut_text=256, cursor=16)
#: Room of a connection: the usual buffer, and twice the largest message for growing.
ROOM = 256 * 1024 + 4 * (8 * LIMITS.pixels + LIMITS.cut_text) + (1 << 20)
WIDTH, HEIGHT = 40, 30
OPENING = (
    b"RFB 003.008\n\1\1" + bytes(4) + struct.pack(">HH16sI", WIDTH, HEIGHT, bytes(16), 1) + b"x"
)
SLICE = 5000
EVERYTHING = (*DECODERS, *(encoding for encoding in PSEUDO if encoding != Encoding.FRAME))
RECTANGLE = struct.Struct(">HHHHi")
#: One rectangle of a decoder's target: x, y, width, height, length of its payload.
PLACE = struct.Struct(">BBBBH")


class Finding(AssertionError):
    """Something did not hold."""


#: A piece costs as much as some hundred bytes, so that many of them are all that would be tried.
MOST_PIECES = 64
#: Bytes that a socket takes at once.
MOST_SENT = 1 << 16


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut into pieces of `size`, larger ones if those would be too many; 0: leave it whole."""
    size = max(size, len(data) // MOST_PIECES) if size else max(len(data), 1)
    for start in range(0, len(data), size):
        yield data[start : start + size]


def taken(client: Connection, file: int, most: int) -> int:
    """Have a client take from a socket that has so many bytes; return how many it took."""
    if not (count := client.receive(file, most, SLICE, SLICE)):
        raise Finding("nothing was taken")
    while client.pending:
        client.go_on(SLICE)
    return count


def told(data: bytes, size: int, decoder: type[Decoder], password: str | None = None) -> Connection:
    """Return a client that was told `data` in pieces, slice by slice, until it refuses."""
    client = Connection(
        encodings=EVERYTHING, limits=LIMITS, password=password, decoder=decoder, security=(2, 1)
    )
    client.fault = None  # type: ignore[attr-defined]
    near, far = socket.socketpair()
    try:
        near.setblocking(False)
        for number, piece in enumerate(pieces(data, size)):
            rest = memoryview(piece)
            while rest:
                if client.receives and number % 2:  # by turns, both ways that bytes come in
                    held = count = far.send(rest[:MOST_SENT])
                    while held:
                        held -= taken(client, near.fileno(), held)
                else:
                    room = client.get_buffer(-1)
                    count = min(len(room), len(rest))
                    room[:count] = rest[:count]
                    del room
                    client.buffer_updated(count, SLICE)
                rest = rest[count:]
                while client.pending:
                    client.go_on(SLICE)
                client.events()
                client.data_to_send()
    except RemoteError as error:
        client.fault = error  # type: ignore[attr-defined]
        if client.state is not State.CLOSED:
            raise Finding("refused and not closed") from error
    finally:
        near.close()
        far.close()
    if client._buffer.capacity > ROOM:
        raise Finding(f"a buffer of {client._buffer.capacity} bytes")
    return client


class Subject(Protocol):
    """What was told something."""

    framebuffer: Framebuffer | None
    updates: int
    rectangles: int

    @property
    def state(self) -> object:
        """Where it stands."""


def fault_of(subject: Subject) -> RemoteError | None:
    """Return what it refused, None if it did not."""
    fault: RemoteError | None = vars(subject)["fault"]
    return fault


def agree(one: Subject, other: Subject, what: str) -> None:
    """Make sure that two subjects, told the same, came to the same."""
    if type(fault_of(one)) is not type(fault_of(other)):
        raise Finding(f"{what}: {fault_of(one)!r} and {fault_of(other)!r}")
    if fault_of(one) is not None:
        return  # how much of the last rectangle is painted by then is nobody's business
    if (one.updates, one.rectangles, one.state) != (other.updates, other.rectangles, other.state):
        raise Finding(f"{what}: they counted differently")
    if one.framebuffer is not None and other.framebuffer is not None:
        mine, its = one.framebuffer.pixels[..., :3], other.framebuffer.pixels[..., :3]
        if mine.shape != its.shape or (mine != its).any():
            raise Finding(f"{what}: different pixels")


def handshake(data: bytes) -> None:
    """The client's opening: version, security, security result, ServerInit."""
    if data:
        password = "secret" if data[0] & 1 else None
        whole, cut = (told(data[1:], size, Decoder, password) for size in (0, 1 + (data[0] >> 1)))
        agree(whole, cut, "whole and cut")
        for client in (whole, cut):
            if client.state is not State.CLOSED:
                try:
                    client.receive_eof()
                except RemoteError:
                    continue
                raise Finding("the end of all bytes raised nothing")


def messages(data: bytes) -> None:
    """All that a server may say once it is open: updates, cut texts, colour maps, bells."""
    if data:
        stream = OPENING + data[1:]
        agree(told(stream, 0, Decoder), told(stream, 1 + data[0], Decoder), "whole and cut")


def stream_of(data: bytes, encoding: int) -> bytes:
    """Return updates of one rectangle each, in one encoding: places from bytes, payloads."""
    parts, position = [], 0
    while len(data) - position >= PLACE.size:
        x, y, width, height, length = PLACE.unpack_from(data, position)
        position += PLACE.size
        parts.append(b"\0\0\0\1" + RECTANGLE.pack(x, y, width, height, encoding))
        parts.append(data[position : position + length])
        position += length
    return b"".join(parts)


class Fed:
    """What a decoder came to that was fed in pieces: to open a connection first takes longer."""

    def __init__(self, stream: bytes, size: int, kind: type[Decoder]) -> None:
        self.framebuffer = Framebuffer(WIDTH, HEIGHT, limits=LIMITS)
        self.fault: RFBError | None = None
        self.state = self.updates = self.rectangles = 0
        self.between = True
        decoder = kind(self.framebuffer, limits=LIMITS)
        waiting, needed = b"", 1
        try:
            for piece in pieces(stream, size):
                waiting += piece
                while len(waiting) >= needed:
                    decoder.allowance = SLICE
                    consumed, updates, rectangles, needed, *_ = decoder.feed(memoryview(waiting))
                    waiting = waiting[consumed:]
                    self.updates += updates
                    self.rectangles += rectangles
                    if not (consumed or needed or decoder.inside):
                        return  # where another message would begin
                    needed = needed or 1
        except RFBError as error:
            self.fault = error
        self.between = decoder.between  # else some of a rectangle is painted, as it comes


def decode(data: bytes, encoding: int) -> None:
    """One decoder: rectangles whose head is right and whose payload is whatever comes."""
    if data:
        stream = stream_of(data[1:], encoding)
        agree(Fed(stream, 0, Decoder), Fed(stream, 1 + data[0], Decoder), "whole and cut")


def twins(data: bytes) -> None:
    """The numpy decoder against the compiled one: the same pixels, the same kind of refusal."""
    from auniverse.rfb.native import NativeDecoder

    if len(data) > 1:
        encodings = sorted({*NativeDecoder.encodings} & {*Decoder.encodings})
        stream = stream_of(data[2:], encodings[data[0] % len(encodings)])
        numpy, compiled = (Fed(stream, 0, kind) for kind in (Decoder, NativeDecoder))
        # When bytes are found to be no zlib stream is the libraries' business: zlib takes a block
        # without any code for good until it needs one.
        if "no zlib stream" not in f"{numpy.fault} {compiled.fault}" and compiled.between:
            agree(numpy, compiled, "numpy and compiled")
        agree(compiled, Fed(stream, 1 + data[1], NativeDecoder), "whole and cut")


def viewer(data: bytes) -> None:
    """Our server: a viewer's handshake and messages, and the updates that it asks for."""
    if not data:
        return
    screen = Screen(WIDTH, HEIGHT)
    peer = Viewer(
        screen, password="secret" if data[0] & 1 else None, challenge=bytes(16), limits=LIMITS
    )
    try:
        for piece in pieces(data[1:], data[0] >> 1):
            peer.receive_data(piece)
            peer.events()
            screen.finish(screen.frame + 1, 0.0, announce=True)
            peer.update()
            peer.data_to_send()
    except RFBError:
        if not peer.closed:
            raise Finding("refused and not closed") from None
    if len(peer._input) > LIMITS.cut_text + 4 * LIMITS.encodings + len(data):
        raise Finding("input is kept")


def texts(data: bytes) -> list[str]:
    """Return the texts of a websocket, which are UTF-8 by then."""
    return [part.decode("utf-8", "replace") for part in data.split(b"\0")]


def rewarder_client(data: bytes) -> None:
    """A rewarder's messages, in the middle of a conversation, booked and collected."""
    connection, ledger = RewarderConnection(), Ledger(episodes=4, texts=4, size=1000)
    for _ in range(3):
        connection.send_ping(1.0)
    ledger.mask(connection.send_reset(env_id="x", seed=1, fps=60, now=1.0))
    try:
        for now, text in enumerate(texts(data)):
            connection.receive_text(text, float(now))
            for event in connection.events():
                ledger.feed(event)
            if now % 3 == 2:
                ledger.collect()
    except RemoteError:
        if connection.closed is None:
            raise Finding("refused and not closed") from None
    ledger.peek()
    ledger.collect()


def rewarder_server(data: bytes) -> None:
    """A client's messages to our rewarder; whatever they are, nothing is raised."""
    server = Server(password=None, env_id="x", fps=60.0)
    peer = server.connect({"auniverse-protocol": "1"}, 0.0)
    server.set_state("resetting", 0.0)
    for now, text in enumerate(texts(data)):
        for request in server.receive_text(peer, text, float(now)):
            server.reply_error(request, "no", float(now))
    peer.data_to_send()


def recording(data: bytes) -> None:
    """The reader of recorded streams."""
    from auniverse.recording import fbs

    try:
        fbs.parse(data)
    except AuniverseError:
        return


def found(module: str) -> bool:
    """Tell whether a part of auniverse is there."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def native() -> bool:
    """Tell whether the compiled decoder was built."""
    if not found("auniverse.rfb.native"):
        return False
    from auniverse.rfb.native import available

    return available()


def name_of(encoding: int) -> str:
    """Return how the target of an encoding is called."""
    return "decode-" + Encoding(encoding).name.lower().replace("_", "-")


TARGETS: dict[str, Target] = {
    "handshake": handshake,
    "messages": messages,
    **{name_of(one): partial(decode, encoding=one) for one in (*DECODERS, *PSEUDO)},
    **({"twins": twins} if native() else {}),
    "viewer": viewer,
    "rewarder-client": rewarder_client,
    "rewarder-server": rewarder_server,
    **({"recording": recording} if found("auniverse.recording") else {}),
}
