from __future__ import annotations

import pytest

from auniverse.errors import AuthenticationError, RFBError
from auniverse.rfb.screen import Screen
from auniverse.rfb.security import vnc_response
from auniverse.rfb.viewer import Joined, Viewer

from .viewing import CHALLENGE

GREETING = b"RFB 003.008\n"
SERVER_INIT = (
    b"\x00\x04\x00\x03"  # 4x3
    b"\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x00\x08\x10\x00\x00\x00"  # RGBX
    b"\x00\x00\x00\x04desk"
)


def desk() -> Screen:
    return Screen(4, 3, "desk")


def stranger(screen: Screen | None = None, password: str | None = None) -> Viewer:
    """Return a viewer before its handshake."""
    return Viewer(screen or desk(), password=password, challenge=CHALLENGE)


@pytest.mark.parametrize(
    ("says", "version", "answer"),
    [
        (b"RFB 003.003\n", (3, 3), b"\0\0\0\1"),
        (b"RFB 003.005\n", (3, 3), b"\0\0\0\1"),
        (b"RFB 003.007\n\1", (3, 7), b"\1\1"),
        (b"RFB 003.008\n\1", (3, 8), b"\1\1\0\0\0\0"),
        (b"RFB 003.889\n\1", (3, 8), b"\1\1\0\0\0\0"),
    ],
)
def test_without_a_password_everybody_comes_in(
    says: bytes, version: tuple[int, int], answer: bytes
) -> None:
    screen = desk()
    viewer = stranger(screen)
    viewer.receive_data(says)
    assert viewer.data_to_send() == GREETING + answer
    assert viewer.version == version
    assert not viewer.joined
    assert screen.viewers == ()
    viewer.receive_data(b"\1")
    assert viewer.data_to_send() == SERVER_INIT
    assert viewer.joined
    assert screen.viewers == (viewer,)
    assert viewer.events() == [Joined(shared=True)]


@pytest.mark.parametrize(
    ("says", "offer"),
    [
        (b"RFB 003.003\n", b"\0\0\0\2"),
        (b"RFB 003.007\n\2", b"\1\2"),
        (b"RFB 003.008\n\2", b"\1\2"),
    ],
)
def test_with_the_password_and_bytes_one_by_one(says: bytes, offer: bytes) -> None:
    viewer = stranger(password="secret")
    for byte in says:
        viewer.receive_data(bytes([byte]))
    assert viewer.data_to_send() == GREETING + offer + CHALLENGE
    for byte in vnc_response("secret", CHALLENGE):
        viewer.receive_data(bytes([byte]))
    assert viewer.data_to_send() == b"\0\0\0\0"
    viewer.receive_data(b"\0")
    assert viewer.data_to_send() == SERVER_INIT
    assert viewer.events() == [Joined(shared=False)]


@pytest.mark.parametrize(
    ("says", "verdict"),
    [
        (b"RFB 003.003\n", b"\0\0\0\1"),
        (b"RFB 003.007\n\2", b"\0\0\0\1"),
        (b"RFB 003.008\n\2", b"\0\0\0\1\0\0\0\x0ewrong password"),
    ],
)
def test_a_wrong_password_is_told_and_closes(says: bytes, verdict: bytes) -> None:
    screen = desk()
    viewer = stranger(screen, password="secret")
    viewer.receive_data(says)
    viewer.data_to_send()
    viewer.receive_data(vnc_response("guess", CHALLENGE) + b"\1")
    assert viewer.data_to_send() == verdict
    assert viewer.closed
    assert isinstance(viewer.close_reason, AuthenticationError)
    assert "secret" not in str(viewer.close_reason)
    viewer.receive_data(vnc_response("secret", CHALLENGE) + b"\1")
    assert (viewer.data_to_send(), viewer.events(), screen.viewers) == (b"", [], ())


@pytest.mark.parametrize(
    ("password", "says"),
    [
        (None, b"RFB 004.001\n"),
        (None, b"RFB 003.00x\n"),
        (None, b"RFB 003.0083"),
        (None, b"GET / HTTP/1.1\r\n"),
        (None, b"RFB 003.008\n\2"),
        ("secret", b"RFB 003.008\n\1\1"),  # no way around the password
        ("secret", b"RFB 003.007\n\1\1"),
        (None, b"RFB 003.008\n\0"),
    ],
)
def test_a_handshake_that_is_none_is_refused(password: str | None, says: bytes) -> None:
    screen = desk()
    viewer = stranger(screen, password)
    with pytest.raises(RFBError, match="byte"):
        viewer.receive_data(says)
    assert viewer.closed
    assert isinstance(viewer.close_reason, RFBError)
    assert screen.viewers == ()
