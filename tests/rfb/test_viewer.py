from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import RFBError
from auniverse.rfb.messages import (
    CutText,
    KeyEvent,
    PointerEvent,
    client_cut_text,
    set_encodings,
    set_pixel_format,
    update_request,
)
from auniverse.rfb.screen import Screen
from auniverse.rfb.types import RGBX, Box, Encoding, Limits, PixelFormat
from auniverse.rfb.viewer import Viewer

from .viewing import CHALLENGE, RGB332, ask, joined

FRAME = b"\0\0\0\0\0\0\0\0" + Encoding.FRAME.to_bytes(4, "big")
EVERYTHING = (0, 0, 65535, 65535)


def desk() -> Screen:
    return Screen(4, 3, "desk")


def limited(screen: Screen) -> Viewer:
    """Return a joined viewer with narrow limits."""
    viewer = Viewer(
        screen, password=None, challenge=CHALLENGE, limits=Limits(encodings=4, cut_text=4)
    )
    viewer.receive_data(b"RFB 003.008\n\1\1")
    viewer.data_to_send()
    viewer.events()
    return viewer


def pixel(level: int) -> np.ndarray:
    return np.full((1, 1, 3), level, np.uint8)


def frame_rectangle(number: int, drawn_at: float, inputs: int, input_at: float) -> bytes:
    return FRAME + struct.pack(">QdQd", number, drawn_at, inputs, input_at)


# What the viewer says


def test_the_challenge_has_16_bytes() -> None:
    with pytest.raises(ValueError, match="challenge of 15"):
        Viewer(desk(), password="secret", challenge=bytes(15))


def test_input_becomes_events() -> None:
    viewer = joined(desk())
    viewer.receive_data(
        b"\x04\x01\x00\x00\x00\x00\xff\x0d" b"\x04\x00\x00\x00\x00\x00\xff\x0d"
        b"\x05\x81\x00\x02\x00\x01"
        b"\x05\x00\xff\xff\x00\x07"
        b"\x06\x00\x00\x00\x00\x00\x00\x02h\xe9"
        b"\x06\x00\x00\x00\x00\x00\x00\x00"
    )  # fmt: skip
    assert viewer.events() == [
        KeyEvent(0xFF0D, True),
        KeyEvent(0xFF0D, False),
        PointerEvent(2, 1, 0x81),
        PointerEvent(3, 2, 0),  # from beyond the screen
        CutText("hé"),
        CutText(""),
    ]
    assert viewer.events() == []


def test_what_came_before_a_breach_still_counts() -> None:
    viewer = joined(desk())
    with pytest.raises(
        RFBError, match=r"unknown message type 99 \(from the viewer, before byte 23\)"
    ):
        viewer.receive_data(KeyEvent(97, True).pack() + b"\x63" + KeyEvent(98, True).pack())
    assert viewer.events() == [KeyEvent(97, True)]
    assert viewer.closed


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        (b"\x01", "message type 1"),
        (set_encodings([0] * 5), "5 encodings"),
        (client_cut_text("12345")[:8], "cut text of 5 bytes"),
        (b"\x06\0\0\0\xff\xff\xff\xf0", "cut text of 4294967280 bytes"),
        (set_pixel_format(RGBX._replace(true_colour=False)), "colour map"),
        (set_pixel_format(RGBX._replace(bits_per_pixel=24)), "24 bits per pixel"),
        (set_pixel_format(RGBX._replace(red_max=0)), "maximum 0"),
        (set_pixel_format(RGBX._replace(red_shift=25)), "shift 25"),
    ],
)
def test_breaches_are_refused_before_memory_is_taken(says: bytes, complaint: str) -> None:
    screen = desk()
    viewer = limited(screen)
    with pytest.raises(RFBError, match=complaint):
        viewer.receive_data(says)
    assert viewer.closed
    assert screen.viewers == ()


def test_limits_themselves_are_allowed() -> None:
    viewer = limited(desk())
    viewer.receive_data(set_encodings([9, 8, 7, 6]) + client_cut_text("1234"))
    assert viewer.events() == [CutText("1234")]
    assert viewer.encoding is Encoding.ZLIB


def test_the_first_encoding_that_we_have_is_taken() -> None:
    viewer = joined(desk())
    assert viewer.encoding is Encoding.RAW
    for offered, taken in (
        ([Encoding.TIGHT, Encoding.ZRLE, Encoding.RAW], Encoding.ZRLE),
        ([Encoding.ZLIB, Encoding.ZRLE], Encoding.ZLIB),
        ([Encoding.TIGHT, Encoding.CURSOR], Encoding.RAW),
        ([], Encoding.RAW),
    ):
        viewer.receive_data(set_encodings(offered))
        assert viewer.encoding is taken


# Updates


def test_the_first_update_shows_everything_in_the_box_asked_for() -> None:
    screen = desk()
    screen.paint(1, 1, np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8))
    viewer = joined(screen)
    assert ask(viewer, (1, 1, 2, 1), incremental=False) == (
        b"\0\0\0\1\0\1\0\1\0\2\0\1\0\0\0\0\x0a\x14\x1e\x00\x28\x32\x3c\x00"
    )
    assert ask(viewer, (0, 0, 2, 3))[4:12] == b"\0\0\0\0\0\2\0\3"
    assert ask(viewer, EVERYTHING)[4:12] == b"\0\2\0\0\0\2\0\3"


def test_a_request_stays_armed_until_something_changes_and_is_answered_once() -> None:
    screen = desk()
    viewer = joined(screen)
    assert not viewer.update()
    ask(viewer, EVERYTHING)
    assert ask(viewer, EVERYTHING) == b""
    assert viewer.armed
    screen.paint(3, 2, pixel(9))
    assert viewer.update()
    assert viewer.data_to_send() == b"\0\0\0\1\0\3\0\2\0\1\0\1\0\0\0\0\t\t\t\0"
    screen.paint(3, 2, pixel(8))
    assert not viewer.armed
    assert not viewer.update()
    assert ask(viewer, EVERYTHING)[-4:] == b"\x08\x08\x08\x00"


def test_a_request_for_everything_shows_again_what_has_not_changed() -> None:
    viewer = joined(desk())
    ask(viewer, EVERYTHING)
    assert ask(viewer, (1, 1, 1, 1), incremental=False) == (
        b"\0\0\0\1" b"\0\1\0\1\0\1\0\1\0\0\0\0" b"\0\0\0\0"
    )  # fmt: skip
    assert ask(viewer, EVERYTHING) == b""


def test_an_update_keeps_the_pixels_of_its_moment() -> None:
    screen = desk()
    viewer = joined(screen)
    ask(viewer, EVERYTHING)
    screen.paint(0, 0, np.full((3, 4, 3), 1, np.uint8))
    viewer.receive_data(update_request(True, screen.whole))
    assert viewer.update()
    screen.paint(0, 0, np.full((3, 4, 3), 2, np.uint8))
    assert viewer.data_to_send()[16:] == b"\1\1\1\0" * 12


def test_damage_outside_the_box_waits_for_its_request() -> None:
    screen = desk()
    viewer = joined(screen)
    ask(viewer, EVERYTHING)
    screen.paint(0, 0, pixel(1))
    screen.paint(3, 0, pixel(2))
    assert ask(viewer, (2, 0, 2, 3))[4:12] == b"\0\3\0\0\0\1\0\1"
    assert ask(viewer, (2, 0, 2, 3)) == b""
    # Two requests in flight are one, for a box around both.
    assert ask(viewer, (0, 0, 1, 1))[4:12] == b"\0\0\0\0\0\1\0\1"


def test_overlapping_damage_is_sent_once() -> None:
    screen = Screen(40, 40)
    viewer = joined(screen)
    ask(viewer, EVERYTHING)
    screen.paint(0, 0, np.ones((20, 20, 3), np.uint8))
    screen.paint(19, 19, np.ones((20, 20, 3), np.uint8))
    sent = ask(viewer, EVERYTHING)
    count = int.from_bytes(sent[2:4], "big")
    assert len(sent) == 4 + 12 * count + 4 * (400 + 400 - 1)


def test_a_request_beyond_the_screen_is_clipped() -> None:
    viewer = joined(desk())
    assert ask(viewer, (9, 9, 5, 5), incremental=False) == b""
    assert ask(viewer, (3, 2, 65535, 65535))[:12] == b"\0\0\0\1\0\3\0\2\0\1\0\1"


def test_the_pixel_format_is_the_viewers_own() -> None:
    screen = Screen(1, 1)
    screen.paint(0, 0, pixel(255))
    assert ask(joined(screen, form=RGB332), EVERYTHING)[16:] == b"\xff"
    assert ask(joined(screen), EVERYTHING)[16:] == b"\xff\xff\xff\x00"


# Frames


def test_without_the_frame_encoding_no_update_is_empty() -> None:
    screen = desk()
    viewer = joined(screen, Encoding.RAW)
    ask(viewer, EVERYTHING)
    screen.finish(1, 5.0, announce=True)
    viewer.note_inputs(3, 5.5)
    assert ask(viewer, EVERYTHING) == b""
    screen.paint(0, 0, pixel(1))
    assert ask(viewer, EVERYTHING) == b"\0\0\0\1\0\0\0\0\0\1\0\1\0\0\0\0\1\1\1\0"


def test_the_frame_comes_last_and_alone_only_if_it_is_news() -> None:
    screen = desk()
    viewer = joined(screen, Encoding.RAW, Encoding.FRAME)
    screen.finish(1, 5.0)
    first = ask(viewer, EVERYTHING)
    assert first[:4] == b"\0\0\0\2"
    assert first[4 + 12 + 48 :] == frame_rectangle(1, 5.0, 0, 0.0)
    screen.finish(2, 6.0)
    assert ask(viewer, EVERYTHING) == b""  # nothing changed, nothing announced
    screen.finish(3, 7.0, announce=True)
    assert ask(viewer, EVERYTHING) == b"\0\0\0\1" + frame_rectangle(3, 7.0, 0, 0.0)
    assert ask(viewer, EVERYTHING) == b""
    viewer.note_inputs(2, 7.5)
    viewer.note_inputs(1, 7.75)
    viewer.note_inputs(0, 8.0)
    assert ask(viewer, EVERYTHING) == b"\0\0\0\1" + frame_rectangle(3, 7.0, 3, 7.75)
    assert ask(viewer, EVERYTHING) == b""
    screen.paint(0, 0, pixel(1))
    screen.finish(4, 9.0)
    assert ask(viewer, EVERYTHING).endswith(b"\1\1\1\0" + frame_rectangle(4, 9.0, 3, 7.75))


def test_an_announcement_waits_for_a_request_and_for_the_encoding() -> None:
    screen = desk()
    viewer = joined(screen, Encoding.RAW)
    ask(viewer, EVERYTHING)
    screen.finish(0, 1.0, announce=True)
    viewer.receive_data(set_encodings([Encoding.FRAME]))
    assert not viewer.update()
    assert ask(viewer, (9, 9, 0, 0)) == b"\0\0\0\1" + frame_rectangle(0, 1.0, 0, 0.0)


# Sizes


def test_a_new_size_is_told_alone_and_the_picture_follows() -> None:
    screen = desk()
    viewer = joined(screen, Encoding.RAW, Encoding.DESKTOP_SIZE, Encoding.FRAME)
    ask(viewer, EVERYTHING)
    viewer.receive_data(update_request(True, screen.whole))
    screen.resize(2, 5)
    screen.paint(1, 4, pixel(7))
    assert viewer.update()
    assert viewer.data_to_send() == b"\0\0\0\1\0\0\0\0\0\2\0\5\xff\xff\xff\x21"
    assert not viewer.update()
    picture = ask(viewer, EVERYTHING)
    assert picture[:16] == b"\0\0\0\2\0\0\0\0\0\2\0\5\0\0\0\0"
    assert picture[16:56] == bytes(36) + b"\7\7\7\0"


def test_a_viewer_that_cannot_follow_is_closed_when_it_asks() -> None:
    screen = desk()
    deaf, fine = joined(screen), joined(screen, Encoding.DESKTOP_SIZE)
    screen.resize(2, 5)
    assert not deaf.closed
    assert ask(deaf, EVERYTHING) == b""
    assert deaf.closed
    assert isinstance(deaf.close_reason, RFBError)
    assert "2x5" in str(deaf.close_reason)
    assert screen.viewers == (fine,)
    assert not fine.closed


def test_there_and_back_is_no_new_size() -> None:
    screen = desk()
    viewer = joined(screen)
    ask(viewer, EVERYTHING)
    screen.resize(2, 5)
    screen.resize(4, 3)
    assert ask(viewer, EVERYTHING)[4:12] == b"\0\0\0\0\0\4\0\3"


# Closing


def test_closing_says_nothing_more_but_lets_the_rest_be_sent() -> None:
    screen = desk()
    viewer = joined(screen)
    viewer.receive_data(update_request(True, screen.whole) + KeyEvent(97, True).pack())
    assert viewer.update()
    viewer.close()
    assert viewer.closed
    assert viewer.close_reason is None
    assert viewer.events() == [KeyEvent(97, True)]
    assert len(viewer.data_to_send()) == 4 + 12 + 48
    viewer.receive_data(b"\xff" + update_request(True, screen.whole))
    screen.paint(0, 0, pixel(1))
    assert not viewer.update()
    assert not viewer.damage.boxes[1:]


# Anything at all


MESSAGES = st.one_of(
    st.binary(max_size=30),
    st.builds(lambda *form: set_pixel_format(PixelFormat(*form)),
              st.sampled_from((8, 16, 32, 24)), st.integers(0, 255), st.booleans(),
              st.just(True), *[st.sampled_from((1, 3, 255, 1023, 0, 65535))] * 3,
              *[st.integers(0, 40)] * 3),
    st.just(set_pixel_format(RGB332)),
    st.lists(st.sampled_from((0, 6, 16, 7, -223, Encoding.FRAME)), max_size=5).map(set_encodings),
    st.builds(update_request, st.booleans(), st.builds(Box, *[st.integers(0, 65535)] * 4)),
    st.text(st.characters(max_codepoint=255), max_size=20).map(client_cut_text),
    st.builds(lambda key, down: KeyEvent(key, down).pack(), st.integers(0, 2**32 - 1),
              st.booleans()),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    opening=st.sampled_from((b"", b"RFB 003.003\n\1", b"RFB 003.008\n\1\1")),
    messages=st.lists(MESSAGES, max_size=12),
    cut=st.integers(1, 40),
    data=st.data(),
)
def test_whatever_comes_it_is_served_or_refused(
    opening: bytes, messages: list[bytes], cut: int, data: st.DataObject
) -> None:
    screen = Screen(20, 10)
    limits = Limits(encodings=4, cut_text=16)
    viewer = Viewer(screen, password=None, challenge=CHALLENGE, limits=limits)
    stream = opening + b"".join(messages)
    try:
        for place in range(0, len(stream), cut):
            viewer.receive_data(stream[place : place + cut])
            assert len(viewer._input) < 16 + 8 + 12
            if data.draw(st.booleans()):
                screen.paint(place % 20, place % 10, pixel(place % 256))
            viewer.update()
            assert len(viewer.data_to_send()) < 8000
    except RFBError:
        assert viewer.closed
    assert viewer.closed == (viewer not in screen.viewers) or not viewer.joined
    for event in viewer.events():
        if isinstance(event, PointerEvent):
            assert event.x < 20
            assert event.y < 10
