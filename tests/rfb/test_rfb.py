"""What the server's end has learned since RFC 6143, and both ends together."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import RFBError
from auniverse.rfb import (
    ContinuousUpdatesEnded,
    ContinuousUpdatesOffered,
    Encoding,
    FenceReplied,
    LayoutChanged,
    Resized,
    Screen,
    Viewer,
)
from auniverse.rfb.messages import set_encodings

from .viewing import CUTS, Cut, ask, exchange, joined, meet

EVERYTHING = (0, 0, 65535, 65535)


def desk() -> Screen:
    return Screen(4, 3, "desk")


def pixel(level: int) -> np.ndarray:
    return np.full((1, 1, 3), level, np.uint8)


FENCE, CONTINUOUS, LAYOUT = -312, -313, -308
OURS = b"\xf8\0\0\0\x80\0\0\1\0"  # the fence by which a viewer learns that it may send some
ON = b"\x96\1\0\0\0\0\xff\xff\xff\xff"


def offering(screen: Screen, *encodings: int) -> tuple[Viewer, bytes]:
    viewer = joined(screen)
    viewer.receive_data(set_encodings((0, *encodings)))
    return viewer, viewer.data_to_send()


def layout(reason: int, status: int, width: int, height: int) -> bytes:
    head = struct.pack(">HHHHi", reason, status, width, height, LAYOUT)
    return head + b"\1\0\0\0" + struct.pack(">IHHHHI", 0, 0, 0, width, height, 0)


def test_it_says_what_it_knows_once_that_is_offered() -> None:
    viewer, said = offering(desk(), FENCE, CONTINUOUS)
    assert said == OURS + b"\x96"
    viewer.receive_data(set_encodings((0, FENCE, CONTINUOUS)))
    assert viewer.data_to_send() == b""
    assert offering(desk())[1] == b""


def test_a_fence_is_returned() -> None:
    viewer, _ = offering(desk(), FENCE)
    for byte in b"\xf8\0\0\0\x80\0\0\7\3abc" + b"\xf8\0\0\0\0\0\0\1\0":
        viewer.receive_data(bytes([byte]))
    assert viewer.data_to_send() == b"\xf8\0\0\0\0\0\0\3\3abc"


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        (b"\xf8", "needs FENCE, which was not offered"),
        (b"\x96", "needs CONTINUOUS_UPDATES, which"),
        (b"\xfb", "needs EXTENDED_DESKTOP_SIZE, which"),
    ],
)
def test_what_was_not_offered_is_refused(says: bytes, complaint: str) -> None:
    with pytest.raises(RFBError, match=complaint):
        joined(desk()).receive_data(says)


def test_bounds_of_the_newer_messages() -> None:
    viewer, _ = offering(desk(), FENCE)
    with pytest.raises(RFBError, match="a fence of 65 bytes"):
        viewer.receive_data(b"\xf8\0\0\0\x80\0\0\7\x41")
    viewer, _ = offering(desk(), LAYOUT)
    with pytest.raises(RFBError, match="65 monitors"):
        viewer.receive_data(b"\xfb\0\0\1\0\1\x41\0")


def test_continuous_updates_come_without_requests() -> None:
    screen = desk()
    viewer, _ = offering(screen, CONTINUOUS)
    assert not viewer.update()
    viewer.receive_data(ON)
    assert viewer.armed
    assert viewer.update()
    assert len(viewer.data_to_send()) == 4 + 12 + 4 * 12
    assert not viewer.update()
    for level in (1, 2):
        screen.paint(1, 1, pixel(level))
        assert viewer.update()
        assert viewer.data_to_send()[4:] == (
            b"\0\1\0\1\0\1\0\1\0\0\0\0" + bytes([level] * 3) + b"\0"
        )
    viewer.receive_data(b"\x96\0" + bytes(8))
    assert viewer.data_to_send() == b"\x96"
    screen.paint(1, 1, pixel(3))
    assert not viewer.update()
    assert not viewer.armed
    viewer.receive_data(b"\x96\0" + bytes(8))
    assert viewer.data_to_send() == b"", "they were off"


def test_continuous_updates_of_a_part_and_a_request_for_another() -> None:
    screen = desk()
    viewer, _ = offering(screen, CONTINUOUS)
    viewer.receive_data(b"\x96\1\0\0\0\0\0\1\0\1")
    viewer.update()
    viewer.data_to_send()
    screen.paint(3, 2, pixel(1))
    assert not viewer.update()
    assert ask(viewer, (3, 2, 1, 1))[-16:-12] == b"\0\3\0\2"
    viewer.receive_data(b"\x96\1" + b"\xff" * 8)  # off the screen: nothing to be seen there
    screen.paint(0, 0, pixel(1))
    assert not viewer.update()


def test_the_layout_is_told_first_and_with_all_pixels() -> None:
    viewer, _ = offering(desk(), LAYOUT)
    told = ask(viewer, (0, 0, 1, 1))
    assert told.startswith(b"\0\0\0\2" + layout(0, 0, 4, 3))
    assert ask(viewer, (0, 0, 1, 1)) == b""
    viewer.damage.take()
    viewer._request = None
    assert ask(viewer, (0, 0, 1, 1), incremental=False).startswith(b"\0\0\0\2" + layout(0, 0, 4, 3))


WISH = b"\xfb\0\0\2\0\5\1\0" + struct.pack(">IHHHHI", 0, 0, 0, 2, 5, 0)


def test_a_wish_for_another_size_is_refused_by_default() -> None:
    screen = desk()
    viewer, _ = offering(screen, LAYOUT)
    ask(viewer, EVERYTHING)
    for byte in WISH:
        viewer.receive_data(bytes([byte]))
    assert ask(viewer, EVERYTHING) == b"\0\0\0\1" + layout(1, 1, 4, 3)
    viewer.receive_data(WISH[:2] + bytes(4) + WISH[6:])
    assert ask(viewer, EVERYTHING) == b"\0\0\0\1" + layout(1, 3, 4, 3)


def test_a_host_may_grant_it_and_the_others_hear_of_it() -> None:
    screen = desk()
    wishes = []

    def grant(width: int, height: int) -> bool:
        wishes.append((width, height))
        screen.resize(width, height)
        return True

    screen.on_size = grant
    viewer, other = (offering(screen, LAYOUT)[0] for _ in range(2))
    old = joined(screen, 0, Encoding.DESKTOP_SIZE)
    for each in (viewer, other, old):
        ask(each, EVERYTHING)
    viewer.receive_data(WISH)
    assert wishes == [(2, 5)]
    assert ask(viewer, EVERYTHING) == b"\0\0\0\1" + layout(1, 0, 2, 5)
    assert ask(other, EVERYTHING) == b"\0\0\0\1" + layout(2, 0, 2, 5)
    assert ask(old, EVERYTHING) == b"\0\0\0\1" + struct.pack(">HHHHi", 0, 0, 2, 5, -223)
    assert len(ask(viewer, EVERYTHING)) == 4 + 12 + 4 * 10


@pytest.mark.parametrize("cut", CUTS)
def test_both_ends_together(cut: Cut) -> None:
    screen = desk()
    screen.on_size = lambda width, height: screen.resize(width, height) is None
    client, viewer = meet(screen, 0, FENCE, CONTINUOUS, LAYOUT, cut=cut)
    assert client.fences
    assert ContinuousUpdatesOffered() in client.events()
    client.send_fence(b"12345678")
    client.update_continuously()
    exchange(client, viewer, cut)
    assert client.events() == [FenceReplied(b"12345678")]
    viewer.update()
    exchange(client, viewer, cut)
    assert any(isinstance(event, LayoutChanged) for event in client.events())
    client.request_size(7, 5)
    exchange(client, viewer, cut)
    viewer.update()
    exchange(client, viewer, cut)
    (resized, _) = client.events()
    assert isinstance(resized, Resized)
    assert resized[:2] == (7, 5)
    client.update_continuously()  # of the new size
    exchange(client, viewer, cut)
    screen.paint(6, 4, pixel(9))
    viewer.update()
    exchange(client, viewer, cut)
    assert client.framebuffer
    assert client.framebuffer.pixels[4, 6, :3].tolist() == [9, 9, 9]
    client.update_continuously(False)
    exchange(client, viewer, cut)
    assert client.events()[-1] == ContinuousUpdatesEnded()


pieces = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([ON, WISH, OURS, b"\x96\0" + bytes(8), b"\xfb\0\0\0\0\0\0\0"]),
    st.builds(
        lambda flags, n: b"\xf8\0\0\0" + flags + bytes([n]) + bytes(n),
        st.binary(min_size=4, max_size=4),
        st.integers(0, 70),
    ),
)


@given(st.lists(pieces, max_size=6).map(b"".join))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_from_a_viewer_that_offered_all(data: bytes) -> None:
    viewer, _ = offering(desk(), FENCE, CONTINUOUS, LAYOUT)
    with contextlib.suppress(RFBError):
        viewer.receive_data(data)
        viewer.update()
    assert len(viewer.data_to_send()) <= len(data) + 300
