"""Viewers for tests: by hand, byte for byte, and our own client at the other end of no network."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb.connection import Connection
from auniverse.rfb.messages import set_encodings, set_pixel_format, update_request
from auniverse.rfb.screen import Screen
from auniverse.rfb.types import Box, Encoding, PixelFormat
from auniverse.rfb.viewer import Viewer

CHALLENGE = bytes(range(16))
BGRX = PixelFormat(32, 24, False, True, 255, 255, 255, 16, 8, 0)
XRGB_BIG = PixelFormat(32, 24, True, True, 255, 255, 255, 16, 8, 0)
RGB30 = PixelFormat(32, 30, False, True, 1023, 1023, 1023, 20, 10, 0)
RGB565 = PixelFormat(16, 16, False, True, 31, 63, 31, 11, 5, 0)
RGB565_BIG = RGB565._replace(big_endian=True)
RGB332 = PixelFormat(8, 8, False, True, 7, 7, 3, 5, 2, 0)

Cut = Callable[[bytes], Iterable[bytes]]


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    for place in range(len(data)):
        yield data[place : place + 1]


def shreds(data: bytes) -> Iterator[bytes]:
    rng = random.Random(len(data))
    while data:
        size = rng.choice((1, 2, 7, 50, 1000, 20000))
        yield data[:size]
        data = data[size:]


CUTS: tuple[Cut, ...] = (whole, byte_by_byte, shreds)


def joined(
    screen: Screen, *encodings: int, form: PixelFormat | None = None, joining: bytes = b"\1"
) -> Viewer:
    """Return a viewer past its handshake, with nothing left to take from it."""
    viewer = Viewer(screen, password=None, challenge=CHALLENGE)
    viewer.receive_data(b"RFB 003.008\n\1" + joining)
    if form is not None:
        viewer.receive_data(set_pixel_format(form))
    if encodings:
        viewer.receive_data(set_encodings(encodings))
    viewer.data_to_send()
    viewer.events()
    return viewer


def ask(viewer: Viewer, box: tuple[int, int, int, int], *, incremental: bool = True) -> bytes:
    """Ask for an update and return what comes."""
    viewer.receive_data(update_request(incremental, Box(*box)))
    viewer.update()
    return viewer.data_to_send()


def exchange(client: Connection, viewer: Viewer, cut: Cut = whole) -> None:
    """Carry bytes to and fro until both ends are silent; updates are not among them."""
    while True:
        up, down = client.data_to_send(), viewer.data_to_send()
        if not up and not down:
            return
        for piece in cut(bytes(up)):
            viewer.receive_data(piece)
        for piece in cut(bytes(down)):
            client.receive_data(piece)


def watch(client: Connection, viewer: Viewer, cut: Cut = whole, *, incremental: bool = True) -> int:
    """Let the client ask once; return how many updates it got, 0 or 1."""
    before = client.updates
    client.request_update(incremental)
    exchange(client, viewer, cut)
    viewer.update()
    exchange(client, viewer, cut)
    return client.updates - before


def picture(client: Connection) -> NDArray[np.uint8]:
    """Return what the client sees as RGB, shape (height, width, 3)."""
    assert client.framebuffer is not None
    return client.framebuffer.pixels[:, :, :3]


def meet(
    screen: Screen, *encodings: int, password: str | None = None, cut: Cut = whole
) -> tuple[Connection, Viewer]:
    """Return a client and the viewer it talks to, both past their handshake."""
    client = Connection(password=password, encodings=encodings or (Encoding.RAW,))
    viewer = Viewer(screen, password=password, challenge=CHALLENGE)
    exchange(client, viewer, cut)
    assert viewer.joined
    return client, viewer
