from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import (
    ConnectionLostError,
    InvalidActionError,
    RemoteError,
    RFBError,
    UsageError,
)
from auniverse.rfb.buffer import Buffer
from auniverse.rfb.connection import Connection
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.handshake import State
from auniverse.rfb.messages import Bell, CutText, Event, FrameDrawn, Opened, Resized, Updated
from auniverse.rfb.types import FRAME_LAYOUT, Box, Encoding, Frame, Limits

from .conftest import Shred
from .wire import (
    BELL,
    COPY_RECT,
    DESKTOP_SIZE,
    FRAME,
    LAST_RECT,
    RAW,
    ZLIB,
    ZRLE,
    Subject,
    noise,
    opening,
    picture,
    rectangle,
    sized,
    update,
)

pytestmark = pytest.mark.usefixtures("decoder_type")

RED = b"\xff\0\0\0"


def opened(width: int = 4, height: int = 3, **options: object) -> Connection:
    options.setdefault("decoder", Subject.kind)
    connection = Connection(**options)  # type: ignore[arg-type]
    connection.receive_data(opening(width, height))
    assert connection.events() == [Opened(width, height, "test")]
    connection.data_to_send()
    assert connection.framebuffer
    connection.framebuffer.damage.take()
    return connection


def cut_text(text: bytes) -> bytes:
    return b"\3\0\0\0" + sized(text)


def receive_all(connection: Connection, pieces: list[bytes]) -> None:
    for piece in pieces:
        connection.receive_data(piece)


def frame(number: int) -> bytes:
    return rectangle(0, 0, 0, 0, FRAME, FRAME_LAYOUT.pack(number, 1.5, 2, 2.5))


def test_opened_it_has_asked_for_its_pixel_format_and_encodings() -> None:
    connection = Connection(encodings=(RAW, ZRLE))
    connection.receive_data(opening())
    sent = connection.data_to_send()
    form = b"\0\0\0\0\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x00\x08\x10\0\0\0"
    encodings = b"\2\0\0\3\0\0\0\0\0\0\0\x10AUNF"
    assert sent == b"RFB 003.008\n\1\1" + form + encodings
    assert connection.data_to_send() == b""


CONVERSATION = b"".join(
    [
        BELL,
        update(rectangle(1, 1, 2, 1, RAW, RED * 2)),
        cut_text(b"caf\xe9"),
        b"\1\0\0\0\0\2" + bytes(12),
        update(),
        update(rectangle(0, 0, 1, 1, COPY_RECT, b"\0\1\0\1"), frame(7)),
        update(rectangle(0, 0, 5, 2, DESKTOP_SIZE), rectangle(4, 1, 1, 1, RAW, RED), count=2),
        update(frame(8), rectangle(0, 0, 0, 0, LAST_RECT), count=65535),
        BELL,
        BELL,
    ]
)
HAPPENED: list[Event] = [
    Bell(),
    Updated(1),
    CutText("café"),
    Updated(0),
    FrameDrawn(Frame(7, 1.5, 2, 2.5)),
    Updated(2),
    Resized(5, 2),
    Updated(2),
    FrameDrawn(Frame(8, 1.5, 2, 2.5)),
    Updated(2),
    Bell(),
    Bell(),
]


def test_a_conversation(shred: Shred) -> None:
    connection = opened()
    happened = []
    for piece in shred(CONVERSATION):
        connection.receive_data(piece)
        happened += connection.events()
    assert happened == HAPPENED
    assert connection.updates == 5
    assert connection.rectangles == 7
    assert connection.bytes_received == len(opening()) + len(CONVERSATION)
    assert connection.frame == Frame(8, 1.5, 2, 2.5)
    assert connection.framebuffer
    assert connection.framebuffer.pixels.shape == (2, 5, 4)
    assert connection.framebuffer.pixels[1, 4].tolist() == [255, 0, 0, 0]
    assert np.count_nonzero(connection.framebuffer.pixels) == 1
    assert connection.framebuffer.damage.boxes == (Box(0, 0, 5, 2),)


def test_the_opening_and_all_that_follows_may_come_in_one_piece() -> None:
    connection = Connection(decoder=Subject.kind)
    connection.receive_data(opening() + CONVERSATION)
    assert connection.events() == [Opened(4, 3, "test"), *HAPPENED]


def test_the_way_without_a_copy() -> None:
    connection = opened()
    data = memoryview(CONVERSATION)
    while data:
        room = connection.get_buffer(-1)
        count = min(len(room), len(data), 5)
        room[:count] = data[:count]
        connection.buffer_updated(count)
        data = data[count:]
    assert connection.events() == HAPPENED


def test_damage_is_what_was_painted() -> None:
    connection = opened()
    connection.receive_data(
        update(
            rectangle(0, 0, 1, 1, RAW, RED),
            rectangle(2, 2, 2, 1, RAW, RED * 2),
            rectangle(1, 1, 0, 0, RAW),
        )
    )
    assert connection.framebuffer
    assert connection.framebuffer.damage.take() == [Box(0, 0, 1, 1), Box(2, 2, 2, 1)]


def test_much_damage_is_few_boxes() -> None:
    connection = opened(100, 3)
    connection.receive_data(update(*(rectangle(x, 1, 1, 1, RAW, RED) for x in range(100))))
    assert connection.framebuffer
    damage = connection.framebuffer.damage
    boxes = damage.take()
    assert len(boxes) <= damage.limit
    assert {x for box in boxes for x in range(box.x, box.x + box.width)} == {*range(100)}
    assert not damage


def test_a_frame_counts_when_its_update_is_over() -> None:
    connection = opened()
    data = update(frame(7), rectangle(0, 0, 1, 1, RAW, RED))
    connection.receive_data(data[:-1])
    assert connection.frame is None
    assert connection.events() == []
    connection.receive_data(data[-1:])
    assert connection.frame == Frame(7, 1.5, 2, 2.5)


def test_a_large_rectangle_is_measured_once_and_not_at_every_byte() -> None:
    fed = []

    class Counting(Subject.kind):  # type: ignore[name-defined, misc]
        def read(self, buffer: Buffer) -> Sequence[Event]:
            fed.append(len(buffer))
            return super().read(buffer)  # type: ignore[no-any-return]

    connection = opened(64, 64, decoder=Counting)
    data = update(rectangle(0, 0, 64, 64, RAW, noise(4 * 64 * 64)))
    for i in range(len(data)):
        connection.receive_data(data[i : i + 1])
    assert fed == [1, 4, 12, 12 + 4 * 64 * 64]
    assert connection.framebuffer
    assert connection.framebuffer.pixels.tobytes() == noise(4 * 64 * 64)


def test_what_it_sends() -> None:
    connection = opened()
    connection.send_key(97, True)
    connection.send_pointer(3, 2, 1)
    connection.send_cut_text("x")
    connection.request_update()
    connection.request_update(incremental=False, box=Box(1, 1, 2, 2))
    assert connection.data_to_send() == (
        b"\4\1\0\0\0\0\0\x61\5\1\0\3\0\2\6\0\0\0\0\0\0\1x\3\1\0\0\0\0\0\4\0\3\3\0\0\1\0\1\0\2\0\2"
    )
    assert connection.data_to_send() == b""


def test_what_it_does_not_send() -> None:
    connection = opened()
    with pytest.raises(UsageError, match="screen"):
        connection.request_update(box=Box(0, 0, 5, 1))
    with pytest.raises(InvalidActionError):
        connection.send_key(-1, True)
    assert connection.data_to_send() == b""


def test_it_sends_nothing_before_it_is_open_or_after() -> None:
    connection = Connection()
    with pytest.raises(UsageError, match="not open yet"):
        connection.send_key(97, True)
    with pytest.raises(UsageError, match="not open yet"):
        connection.request_update()
    connection = opened()
    with pytest.raises(ConnectionLostError, match="the server closed"):
        connection.receive_eof()
    with pytest.raises(ConnectionLostError, match="is closed"):
        connection.send_key(97, True)
    with pytest.raises(ConnectionLostError, match="is closed"):
        connection.request_update()


START = len(opening())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x96", f"a message of type 150 (at byte {START}, reading messages)"),
        (b"\xff\1\0\0", f"a message of type 255 (at byte {START}, reading messages)"),
        (BELL * 3 + b"\xff", f"a message of type 255 (at byte {START + 3}, reading messages)"),
        (
            BELL + update(rectangle(3, 0, 2, 1, RAW)),
            "rectangle RAW 2x1 at (3, 0): off the screen of 4x3 pixels "
            f"(at byte {START + 5}, reading messages)",
        ),
        (
            update(rectangle(0, 0, 1, 1, RAW, RED), rectangle(0, 0, 1, 1, 77)),
            "rectangle 77 1x1 at (0, 0): no such encoding was asked for "
            f"(at byte {START + 20}, reading messages)",
        ),
        (b"\3\0\0\0\xff\xff\xff\xf0", "a cut text of 4294967280 bytes"),
    ],
)
def test_a_breach_says_what_and_where(data: bytes, text: str, shred: Shred) -> None:
    connection = opened()
    with pytest.raises(RFBError) as caught:
        receive_all(connection, shred(data))
    assert text in str(caught.value)
    assert connection.state is State.CLOSED
    with pytest.raises(ConnectionLostError):
        connection.receive_data(b"x")
    with pytest.raises(ConnectionLostError):
        connection.get_buffer(-1)
    with pytest.raises(ConnectionLostError):
        connection.buffer_updated(0)


def test_more_colours_than_are_allowed() -> None:
    connection = opened(limits=Limits(colour_map=1))
    with pytest.raises(RFBError, match="2 colour map entries; the limit is 1"):
        connection.receive_data(b"\1\0\0\0\0\2")


def test_a_cut_text_that_is_too_long_is_read_but_not_kept(shred: Shred) -> None:
    connection = opened(limits=Limits(cut_text=100))
    for piece in shred(cut_text(b"x" * 101) + cut_text(b"y" * 100) + BELL):
        connection.receive_data(piece)
    assert connection.events() == [CutText("y" * 100), Bell()]


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "waiting for messages"),
        (BELL, "waiting for messages"),
        (b"\3\0", "inside a message"),
        (b"\3\0\0\0\0\x10\0\0", "inside a message"),
        (update(count=1), "between two rectangles"),
        (update(count=1) + b"\0", "inside a rectangle"),
        (update(rectangle(0, 0, 1, 1, RAW, b"\0")), "inside a rectangle"),
    ],
)
def test_the_end_of_it_says_where_it_broke_off(data: bytes, where: str) -> None:
    connection = opened()
    connection.receive_data(data)
    with pytest.raises(ConnectionLostError, match=f"closed the connection, {where}"):
        connection.receive_eof()
    assert connection.state is State.CLOSED


CLAIMS = {
    "a zlib rectangle": update(rectangle(0, 0, 4, 3, ZLIB, struct.pack(">I", 1 << 30))),
    "a ZRLE rectangle": update(rectangle(0, 0, 4, 3, ZRLE, struct.pack(">I", 1 << 30))),
    "a raw rectangle": update(rectangle(0, 0, 65535, 65535, RAW)),
    "a screen": update(rectangle(0, 0, 65535, 65535, DESKTOP_SIZE)),
    "a pointer": update(rectangle(0, 0, 65535, 65535, Encoding.CURSOR)),
    "a cut text": b"\3\0\0\0" + struct.pack(">I", 1 << 30),
    "rectangles": update(count=65535),
    "colours": b"\1\0\0\0\xff\xff",
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_is_only_claimed_takes_no_memory(claim: str) -> None:
    connection = opened()
    tracemalloc.start()
    try:
        connection.receive_data(CLAIMS[claim])
        connection.get_buffer(-1)
    except RFBError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 200_000


def screenful(width: int, height: int) -> bytes:
    return update(rectangle(0, 0, width, height, RAW, picture(width, height).tobytes()))


EVERYTHING = (*Decoder.encodings, -312, -313, Encoding.EXTENDED_CLIPBOARD)
FENCE = b"\xf8\0\0\0\x80\0\0\1\2ab"
FENCE_BACK = b"\xf8\0\0\0\0\0\0\1\0"

headers = st.builds(
    lambda x, y, w, h, encoding, rest: struct.pack(">HHHHi", x, y, w, h, encoding) + rest,
    *(st.integers(0, 4) for _ in range(4)),
    st.sampled_from([*Decoder.encodings, 77]),
    st.binary(max_size=40),
)
messages = st.one_of(
    st.binary(max_size=50),
    st.builds(update, headers, headers, count=st.integers(0, 3)),
    st.sampled_from([BELL, cut_text(b"hello"), screenful(4, 3), *CLAIMS.values()]),
    st.sampled_from([FENCE, FENCE_BACK, b"\x96", b"\3\0\0\0\xff\xff\xff\xfc\1\0\0\0"]),
)


@given(st.lists(messages, max_size=6).map(b"".join), st.integers(1, 50))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_a_conversation_or_a_typed_error(data: bytes, step: int) -> None:
    limits = Limits(pixels=1000, cut_text=100)
    ends = []
    for size in (len(data) or 1, step):
        connection = opened(limits=limits, encodings=EVERYTHING)
        try:
            for start in range(0, len(data), size):
                connection.receive_data(data[start : start + size])
            ends.append("fine")
        except RemoteError as exc:
            assert connection.state is State.CLOSED
            ends.append(str(exc))
        assert connection._buffer.capacity <= 8 * limits.pixels + (2 << 20)
    assert ends[0] == ends[1]


@given(st.binary(max_size=100))
def test_arbitrary_bytes_from_the_start(data: bytes) -> None:
    for begin in (b"", b"RFB 003.003\n", b"RFB 003.008\n\1\2", b"RFB 003.008\n\1\1"):
        connection = Connection(password="secret", limits=Limits(pixels=1000))
        try:
            connection.receive_data(begin + data)
            connection.receive_eof()
        except RemoteError:
            assert connection.state is State.CLOSED
