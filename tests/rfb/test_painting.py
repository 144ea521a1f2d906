"""What a connection tells of its decoder: nothing before it has one."""

import pytest

from auniverse.errors import RFBError
from auniverse.rfb import Connection
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.native import NativeDecoder, available

from .wire import COPY_RECT, HEXTILE, RAW, opening, rectangle, update

DECODERS = [
    Decoder,
    pytest.param(NativeDecoder, marks=pytest.mark.skipif(not available(), reason="not built")),
]


@pytest.mark.parametrize("decoder", DECODERS)
def test_before_it_is_open_there_is_none(decoder: type[Decoder]) -> None:
    connection = Connection(decoder=decoder)
    assert (connection.updates, connection.rectangles, connection.pixels) == (0, 0, 0)
    for name in ("plain", "receives", "parallel", "blocked", "too_large"):
        assert getattr(connection, name) is False, name
    connection.receive_data(opening(40, 30))
    assert connection.receives is connection.parallel is decoder.parallel


@pytest.mark.parametrize("decoder", DECODERS)
def test_it_counts_what_was_painted(decoder: type[Decoder]) -> None:
    connection = Connection(decoder=decoder)
    connection.receive_data(opening(40, 30))
    dots = [rectangle(n, 0, 1, 1, RAW, b"abc\0") for n in range(5)]
    connection.receive_data(update(*dots[:2]) + update(*dots[2:]))
    assert (connection.updates, connection.rectangles, connection.pixels) == (2, 5, 5)


@pytest.mark.skipif(not available(), reason="the compiled decoder was not built")
def test_plain_is_what_came_as_pixels_until_something_else_does() -> None:
    connection = Connection(decoder=NativeDecoder)
    connection.receive_data(opening(160, 120))
    tile = rectangle(0, 0, 16, 16, HEXTILE, b"\2" + b"abc\0")
    for drawn, plain in (
        (tile, False),
        (rectangle(0, 0, 1, 1, RAW, b"abc\0"), True),
        (rectangle(0, 0, 1, 1, COPY_RECT, b"\0\1\0\1"), True),
        (tile, False),
        (rectangle(0, 0, 1, 1, COPY_RECT, b"\0\1\0\1"), False),
        (rectangle(0, 0, 160, 120, RAW, bytes(4 * 160 * 120)), True),
        (rectangle(0, 0, 1, 1, RAW, b"abc\0"), True),
    ):
        connection.receive_data(update(drawn))
        assert connection.plain is plain
    with pytest.raises(RFBError):  # no zlib stream, which is found after it is looked at
        connection.receive_data(update(rectangle(0, 0, 1, 1, 6, b"\0\0\0\0")))
    assert connection.plain is False
