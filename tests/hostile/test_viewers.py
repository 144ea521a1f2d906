"""The other way round: what a hostile viewer may cost our own VNC server."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import RFBError
from auniverse.rfb import RGBX, Box, CutText, PixelFormat, PointerEvent, Screen, Viewer
from auniverse.rfb.messages import set_encodings, set_pixel_format, update_request
from tests.rfb.viewing import CHALLENGE, joined

SIDE = 256
WHOLE = Box(0, 0, SIDE, SIDE)


def size(number: int) -> bytes:
    return struct.pack(">I", number)


def pixel_format(**changes: int) -> bytes:
    form: PixelFormat = RGBX._replace(**changes)
    return set_pixel_format(form)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"\6\0\0\0" + size(0xFFFFFFFF), "cut text of 4294967295 bytes"),
        (b"\6\0\0\0" + size(256 * 1024 + 1), "limit is 262144"),
        (b"\2\0\x10\1", "4097 encodings"),
        (b"\2\0\xff\xff", "65535 encodings"),
        (pixel_format(bits_per_pixel=24), "24 bits"),
        (pixel_format(bits_per_pixel=255), "255 bits"),
        (pixel_format(red_shift=25), "shift 25"),
        (pixel_format(blue_shift=255), "shift 255"),
        (pixel_format(green_max=0), "maximum 0"),
        (pixel_format(green_max=254), "maximum 254"),
        (pixel_format(true_colour=0), "colour map"),
        (pixel_format(depth=33), "depth 33"),
        (b"\x63", "message type 99"),
        (b"\1", "message type 1"),
    ],
)
def test_it_is_refused_as_soon_as_it_is_said(said: bytes, words: str) -> None:
    screen = Screen(SIDE, SIDE)
    viewer = joined(screen)
    with pytest.raises(RFBError, match=words):
        viewer.receive_data(said)
    assert viewer.closed
    assert screen.viewers == ()


def test_a_request_far_off_the_screen_is_for_nothing() -> None:
    screen = Screen(SIDE, SIDE)
    viewer = joined(screen)
    for box in (Box(0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF), Box(SIDE, 0, 1, 1), Box(0, 0, 0, 0)):
        viewer.receive_data(update_request(False, box))
        viewer.update()
        assert len(viewer.data_to_send()) <= 4
    viewer.receive_data(update_request(False, Box(SIDE - 1, SIDE - 1, 0xFFFF, 0xFFFF)))
    assert viewer.update()
    assert len(viewer.data_to_send()) == 4 + 12 + 4


def test_pointers_stay_on_the_screen() -> None:
    viewer = joined(Screen(SIDE, SIDE))
    viewer.receive_data(PointerEvent(0xFFFF, 0xFFFF, 255).pack())
    assert viewer.events() == [PointerEvent(SIDE - 1, SIDE - 1, 255)]


def test_a_cut_text_of_the_limit_is_taken() -> None:
    viewer = joined(Screen(SIDE, SIDE))
    viewer.receive_data(b"\6\0\0\0" + size(256 * 1024) + b"x" * 256 * 1024)
    assert viewer.events() == [CutText("x" * 256 * 1024)]


@pytest.mark.parametrize(
    "said",
    [
        update_request(False, WHOLE),
        update_request(True, WHOLE),
        set_encodings([16, 6, 0]),
        set_encodings([6] * 4096),
        set_pixel_format(RGBX),
    ],
    ids=["all", "news", "encodings", "many encodings", "pixel formats"],
)
def test_a_flood_of_wishes_costs_one_update_and_no_memory(said: bytes) -> None:
    screen = Screen(SIDE, SIDE)
    viewer = joined(screen, 0)
    times = 200_000 // len(said)
    tracemalloc.start()
    try:
        viewer.receive_data(said * times)
        viewer.update()
        assert len(viewer.data_to_send()) <= 4 * SIDE * SIDE + 100
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


def test_a_viewer_that_never_reads_is_owed_one_update_at_most() -> None:
    screen = Screen(SIDE, SIDE)
    viewer = joined(screen, 0)
    for _ in range(100):
        viewer.receive_data(update_request(True, WHOLE))
        screen.pixels[...] = 1
        viewer.damage.add(WHOLE)
    viewer.update()
    viewer.update()
    assert len(viewer.data_to_send()) <= 4 * SIDE * SIDE + 100


@given(st.binary(max_size=200), st.booleans())
def test_bytes_of_any_kind_end_in_the_documented_error_or_nothing(
    said: bytes, greeted: bool
) -> None:
    screen = Screen(4, 4)
    stranger = Viewer(screen, password="secret", challenge=CHALLENGE)
    viewer = joined(screen) if greeted else stranger
    try:
        viewer.receive_data(said)
        viewer.update()
    except RFBError:
        assert viewer.closed
    assert len(viewer.data_to_send()) < 500
