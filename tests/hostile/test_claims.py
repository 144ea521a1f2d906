"""What a server claims is checked before anything is read, or memory taken, for it.

One line for each class of the known holes of VNC clients; the numbers are the CVEs of those who had
it. `claim` is all that arrives: the refusal must not wait for the payload.
"""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import MalformedRectangleError, RemoteError, RFBError
from auniverse.rfb import CutText, Limits
from auniverse.rfb.decoders import DECODERS
from tests.rfb.wire import (
    COPY_RECT,
    CURSOR,
    DESKTOP_SIZE,
    RAW,
    TIGHT,
    ZLIB,
    ZRLE,
    opening,
    rectangle,
    sized,
    update,
)

from .cost import Told, tell
from .streams import compact, deflated, one

SIDE = 64
HUGE = 0xFFFF
BANNER = b"RFB 003.008\n"
INIT = BANNER + b"\1\1" + bytes(4)
PIXELS = bytes(4 * SIDE * SIDE)


def after_opening(data: bytes) -> bytes:
    return opening(SIDE, SIDE) + data


def at(x: int, y: int, width: int, height: int, encoding: int, payload: bytes = b"") -> bytes:
    return after_opening(update(rectangle(x, y, width, height, encoding, payload)))


def size(number: int) -> bytes:
    return struct.pack(">I", number)


def screen(width: int, height: int) -> bytes:
    return INIT + struct.pack(">HH16sI", width, height, bytes(16), 0)


CLAIMS = [
    # Lengths of texts: CVE-2018-20019, -20748, 2020-14405.
    ("name of 4 GiB", screen(4, 4)[:-4] + size(0xFFFFFFFF), "a desktop name of 4294967295 bytes"),
    ("name of 4 KiB and 1", screen(4, 4)[:-4] + size(4097), "limit is 4096"),
    ("reason of 4 GiB", BANNER + b"\0" + size(0xFFFFFFFF), "reason of 4294967295 bytes"),
    ("reason of 64 KiB and 1", BANNER + b"\0" + size(65537), "reason of 65537 bytes"),
    ("refusal of 4 GiB", BANNER + b"\1\1" + size(1) + size(0xFFFFFFFF), "reason of 42949672"),
    ("cut text of 4 GiB", after_opening(b"\3\0\0\0" + size(0xFFFFFFFF)), "cut text of 42949672"),
    ("cut text of -1", after_opening(b"\3\0\0\0" + size(0x80000000)), "cut text of 2147483648"),
    # Giant screens: 17 GiB from two small numbers.
    ("giant screen", screen(HUGE, HUGE), "screen of 65535x65535"),
    ("screen past the limit", screen(4096, 4097), "screen of 4096x4097"),
    ("no screen", screen(0, 5), "screen of 0x5"),
    ("giant new size", at(0, 0, HUGE, HUGE, DESKTOP_SIZE), "screen of 65535x65535"),
    ("no new size", at(0, 0, 0, 0, DESKTOP_SIZE), "screen of 0x0"),
    # Rectangles off the screen: CVE-2019-15692, 2021-42785, 2008-4770.
    *(
        (f"{encoding} {place}", at(*place, encoding), "off the screen")
        for encoding in DECODERS
        for place in (
            (0, 0, SIDE + 1, 1),
            (0, 0, 1, SIDE + 1),
            (1, 0, SIDE, 1),
            (0, 1, 1, SIDE),
            (SIDE, SIDE, 1, 1),
            (HUGE, 0, 1, 1),
            (HUGE, HUGE, HUGE, HUGE),
            (0, HUGE, 0, 0),
        )
    ),
    ("copy from the right", at(0, 0, 9, 9, COPY_RECT, struct.pack(">HH", 56, 0)), "off the screen"),
    ("copy from below", at(0, 0, 9, 9, COPY_RECT, struct.pack(">HH", 0, 56)), "off the screen"),
    ("copy from afar", at(0, 0, 9, 9, COPY_RECT, b"\xff" * 4), "off the screen"),
    # Lengths and counts: CVE-2018-20020, 2019-15690.
    *(
        (f"{kind} deflated", at(0, 0, 8, 8, kind, size(0xFFFFFFFF)), "4294967295 deflated")
        for kind in (ZLIB, ZRLE)
    ),
    ("zlib a little too long", at(0, 0, 8, 8, ZLIB, size(256 + 36 + 1025)), "deflated bytes for"),
    ("tight deflated", at(0, 0, 8, 8, TIGHT, b"\0\xff\xff\xff"), "deflated bytes for 192"),
    ("tight kind", at(0, 0, 8, 8, TIGHT, b"\xb0"), "kind 11"),
    ("tight kind of all bits", at(0, 0, 8, 8, TIGHT, b"\xf0"), "kind 15"),
    ("tight filter", at(0, 0, 8, 8, TIGHT, b"\x40\3"), "filter of kind 3"),
    ("unknown encoding", at(0, 0, 1, 1, 0x7777), "no such encoding"),
    ("unknown pseudo-encoding", at(0, 0, 1, 1, -9999), "no such encoding"),
    ("unknown message", after_opening(b"\x63"), "message of type 99"),
    # Pointers: CVE-2019-15695.
    ("wide pointer", at(0, 0, 257, 1, CURSOR), "pointer larger than 256"),
    ("high pointer", at(0, 0, 1, 257, CURSOR), "pointer larger than 256"),
    ("giant pointer", at(0, 0, HUGE, HUGE, CURSOR), "pointer larger than 256"),
    # Whole payloads that lie: CVE-2019-15691, -15693, -15694.
    ("tight palette", at(0, 0, 2, 2, TIGHT, b"\x40\1\2" + bytes(9) + b"\0\1\2\3"), "colour 3"),
    ("zrle palette", at(0, 0, 2, 2, ZRLE, sized(deflated(b"\3" + bytes(9) + b"\xc0\0"))), "colour"),
    ("zrle runs", at(0, 0, 2, 2, ZRLE, sized(deflated(b"\x80" + bytes(3) + b"\4"))), "past"),
    ("zrle tile", at(0, 0, 2, 2, ZRLE, sized(deflated(b"\x81"))), "kind 129"),
    ("zrle short", at(0, 0, 2, 2, ZRLE, sized(deflated(b"\1ab"))), "end early"),
    ("zrle long", at(0, 0, 2, 2, ZRLE, sized(deflated(b"\1abc" * 9))), "after its tiles"),
    ("zlib short", at(0, 0, 8, 8, ZLIB, sized(deflated(bytes(255)))), "255 bytes instead of 256"),
    ("zlib long", at(0, 0, 8, 8, ZLIB, sized(deflated(bytes(257)))), "more than 256"),
    ("zlib bomb", at(0, 0, 8, 8, ZLIB, sized(deflated(bytes(10**6)))), "more than 256"),
    ("zlib never", at(0, 0, 8, 8, ZLIB, sized(b"\x78\1" + b"\0\0\0\xff\xff" * 99)), "0 bytes"),
]


@pytest.mark.parametrize(
    ("stream", "words"), [claim[1:] for claim in CLAIMS], ids=[claim[0] for claim in CLAIMS]
)
def test_it_is_refused_as_soon_as_it_is_said(stream: bytes, words: str) -> None:
    told = tell(stream, trace=True)
    assert told.fault is not None
    assert words in str(told.fault)
    assert told.peak < 2_000_000


def test_tight_is_not_wider_than_2048() -> None:
    told = tell(opening(2049, 4) + one(2049, 1, TIGHT, b""))
    assert isinstance(told.fault, MalformedRectangleError)
    assert "wider than 2048" in str(told.fault)


@given(
    st.tuples(*[st.integers(0, HUGE)] * 4),
    st.sampled_from([*DECODERS]),
)
def test_no_place_off_the_screen_is_painted(place: tuple[int, ...], encoding: int) -> None:
    x, y, width, height = place
    told = tell(at(x, y, width, height, encoding))
    fits = x + width <= SIDE and y + height <= SIDE
    assert isinstance(told.fault, RFBError) or fits


def refusal_of(stream: bytes) -> Told:
    told = tell(stream, trace=True)
    assert told.peak < 1_000_000
    return told


def test_a_cut_text_past_the_limit_is_read_and_not_kept() -> None:
    heard = []
    limit = Limits().cut_text
    long, fits = (b"\3\0\0\0" + sized(b"x" * length) for length in (limit + 1, limit))
    told = tell(after_opening(long + fits), event=heard.append)
    assert told.fault is None
    assert [len(event.text) for event in heard if isinstance(event, CutText)] == [limit]


def test_colours_for_a_map_that_we_have_not_are_read_and_not_kept() -> None:
    told = refusal_of(after_opening(b"\1\0\0\0\xff\xff" + bytes(6 * 0xFFFF) + b"\2"))
    assert told.fault is None
    assert told.events == 1  # of the bell behind it


def test_a_screen_is_black_whatever_its_memory_held() -> None:
    """CVE-2018-20022, -20023, -21247: what was in memory before is nobody's business."""
    from auniverse.rfb import Connection

    connection = Connection(
        encodings=(RAW, DESKTOP_SIZE),
        allocate=lambda width, height: np.full((height, width, 4), 0xAA, np.uint8),
    )
    data = opening(4, 4) + update(rectangle(0, 0, 9, 7, DESKTOP_SIZE))
    told = tell(opening(4, 4), connection=connection)
    assert connection.framebuffer is not None
    assert not connection.framebuffer.pixels.any()
    tell(data[len(opening(4, 4)) :], connection=told.connection)
    assert connection.framebuffer.pixels.shape == (7, 9, 4)
    assert not connection.framebuffer.pixels.any()


@given(st.binary(max_size=300), st.integers(0, 1 << 31))
def test_nothing_that_a_server_said_is_sent_back(noise: bytes, place: int) -> None:
    """What we say after the opening is ours alone, byte for byte, whatever came."""
    quiet = tell(opening(4, 4)).said
    stream = opening(4, 4) + noise
    cut = place % (len(stream) - len(opening(4, 4)) + 1) + len(opening(4, 4))
    told = tell([stream[:cut], stream[cut:]])
    assert told.said == quiet
    assert told.fault is None or isinstance(told.fault, RemoteError)


def test_compact_lengths_of_three_bytes_are_what_tight_means() -> None:
    assert compact(1) == b"\x81\x80\0"
