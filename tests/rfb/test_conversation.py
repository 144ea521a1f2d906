from __future__ import annotations

import pytest

from auniverse.errors import RFBError, UsageError
from auniverse.rfb.connection import Connection
from auniverse.rfb.messages import (
    ContinuousUpdatesEnded,
    ContinuousUpdatesOffered,
    CutText,
    FenceReplied,
    LayoutChanged,
    Renamed,
    Resized,
    Updated,
)
from auniverse.rfb.types import Encoding, Monitor

from .conftest import Shred
from .wire import opening, rectangle, update

LAYOUT, NAME, KEYS = -308, -307, -258
OFFER = (0, -312, -313, LAYOUT, NAME, KEYS, -223, Encoding.EXTENDED_CLIPBOARD)


def opened() -> Connection:
    connection = Connection(encodings=OFFER)
    connection.receive_data(opening())
    connection.events()
    connection.data_to_send()
    return connection


def test_a_fence_is_returned_at_once(shred: Shred) -> None:
    connection = opened()
    assert not connection.fences
    for piece in shred(b"\xf8\0\0\0\x80\0\0\7\2ab" + b"\xf8\0\0\0\x80\0\0\0\0"):
        connection.receive_data(piece)
    assert connection.data_to_send() == b"\xf8\0\0\0\0\0\0\3\2ab" + b"\xf8" + bytes(8)
    assert connection.events() == []
    assert connection.fences


def test_a_fence_of_ours_comes_back(shred: Shred) -> None:
    connection = opened()
    with pytest.raises(UsageError, match="fences=False"):
        connection.send_fence(b"x")
    connection.receive_data(b"\xf8\0\0\0\x80\0\0\0\0")
    connection.data_to_send()
    connection.send_fence(b"abc")
    assert connection.data_to_send() == b"\xf8\0\0\0\x80\0\0\1\3abc"
    for piece in shred(b"\xf8\0\0\0\0\0\0\1\3abc"):
        connection.receive_data(piece)
    assert connection.events() == [FenceReplied(b"abc")]
    with pytest.raises(UsageError, match="65 bytes"):
        connection.send_fence(bytes(65))


def test_continuous_updates() -> None:
    connection = opened()
    assert connection.continuous is None
    with pytest.raises(UsageError, match="not offered"):
        connection.update_continuously()
    connection.receive_data(b"\x96")
    assert connection.events() == [ContinuousUpdatesOffered()]
    connection.update_continuously()
    assert connection.continuous
    assert connection.data_to_send() == b"\x96\1\0\0\0\0\0\4\0\3"
    connection.update_continuously(False)
    assert connection.continuous, "until the server says so"
    assert connection.data_to_send() == b"\x96\0\0\0\0\0\0\4\0\3"
    connection.receive_data(b"\x96")
    assert connection.events() == [ContinuousUpdatesEnded()]
    assert not connection.continuous
    connection.receive_data(b"\x96")
    assert connection.events() == []


def test_another_size_is_asked_for_where_that_is_known() -> None:
    connection = opened()
    with pytest.raises(UsageError, match="cannot be asked"):
        connection.request_size(640, 480)
    monitor = b"\0\0\0\7" + b"\0\1\0\0" + b"\0\3\0\3" + b"\0\0\0\5"
    connection.receive_data(update(rectangle(0, 0, 4, 3, LAYOUT, b"\1\0\0\0" + monitor)))
    monitors = (Monitor(7, 1, 0, 3, 3, 5),)
    assert connection.events() == [LayoutChanged(0, 0, monitors), Updated(1)]
    assert connection.monitors == monitors
    connection.request_size(640, 480)
    whole = b"\0\0\0\7" + b"\0\0\0\0" + b"\2\x80\1\xe0" + b"\0\0\0\5"
    assert connection.data_to_send() == b"\xfb\0\2\x80\1\xe0\1\0" + whole
    refused = rectangle(1, 1, 640, 480, LAYOUT, b"\1\0\0\0" + whole)
    connection.receive_data(update(refused))
    assert connection.events()[0] == LayoutChanged(1, 1, (Monitor(7, 0, 0, 640, 480, 5),))
    assert connection.monitors == monitors
    for size in ((0, 1), (1, 65536)):
        with pytest.raises(UsageError, match="a screen of"):
            connection.request_size(*size)


def test_a_storm_of_resizes_ends_unless_we_ask_for_more() -> None:
    connection = opened()

    def resize(times: int) -> None:
        for i in range(times):
            connection.receive_data(update(rectangle(0, 0, 5 + i % 2, 5, -223)))

    resize(16)
    connection.request_update()
    resize(16)
    assert connection.events()[-2:] == [Resized(6, 5), Updated(1)]
    with pytest.raises(RFBError, match="resized more than 16 times"):
        resize(1)


def test_another_name() -> None:
    connection = opened()
    connection.receive_data(update(rectangle(0, 0, 0, 0, NAME, b"\0\0\0\3new")))
    assert connection.events() == [Renamed("new"), Updated(1)]
    assert connection.name == "new"


def test_keys_go_by_their_place_once_that_is_offered() -> None:
    connection = opened()
    connection.send_key(97, True)
    assert connection.data_to_send() == b"\4\1\0\0\0\0\0\x61"
    connection.receive_data(update(rectangle(0, 0, 0, 0, KEYS)))
    assert connection.extended_keys
    connection.send_key(97, True)
    assert connection.data_to_send() == b"\xff\0\0\1\0\0\0\x61\0\0\0\x1e"
    connection.send_key(0x1000394, False)  # on no US keyboard
    assert connection.data_to_send() == b"\4\0\0\0\1\0\3\x94"


def test_the_extended_clipboard(shred: Shred) -> None:
    connection = opened()
    for piece in shred(b"\3\0\0\0\xff\xff\xff\xf8" + b"\x1f\0\0\1\0\0\1\0"):
        connection.receive_data(piece)
    assert connection.data_to_send().startswith(b"\6\0\0\0\xff\xff\xff\xf8\x1f\0\0\1")
    connection.send_cut_text("→")
    assert connection.data_to_send() == b"\6\0\0\0\xff\xff\xff\xfc\x08\0\0\1"
    other = opened()
    other.receive_data(b"\3\0\0\0\xff\xff\xff\xf8" + b"\x11\0\0\1\0\0\1\0")
    other.data_to_send()
    other.send_cut_text("→")
    data = other.data_to_send()[4:]
    for piece in shred(b"\3\0\0\0" + data):
        connection.receive_data(piece)
    assert connection.events() == [CutText("→")]
