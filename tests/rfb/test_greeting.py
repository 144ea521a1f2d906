from __future__ import annotations

import pytest

from auniverse.errors import AuthenticationError, RFBError, UsageError
from auniverse.rfb.messages import Joined, StartTLS
from auniverse.rfb.screen import Screen
from auniverse.rfb.security import vnc_response
from auniverse.rfb.viewer import Viewer

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


VENCRYPT = b"RFB 003.008\n\x13\0\2"


@pytest.mark.parametrize(("password", "kind"), [(None, 260), ("secret", 261)])
def test_nothing_is_shown_outside_tls(password: str | None, kind: int) -> None:
    screen = desk()
    viewer = Viewer(screen, password=password, challenge=CHALLENGE, tls=True)
    for byte in VENCRYPT + kind.to_bytes(4, "big"):
        assert viewer.events() == []
        viewer.receive_data(bytes([byte]))
    offered = b"\1\x13" + b"\0\2" + b"\0\1" + kind.to_bytes(4, "big") + b"\1"
    assert viewer.data_to_send() == GREETING + offered
    assert viewer.events() == [StartTLS(anonymous=False)]
    viewer.tls_started()
    if password is not None:
        assert viewer.data_to_send() == CHALLENGE
        viewer.receive_data(vnc_response(password, CHALLENGE))
    assert viewer.data_to_send() == b"\0\0\0\0"
    viewer.receive_data(b"\1")
    assert viewer.data_to_send() == SERVER_INIT
    with pytest.raises(UsageError):
        viewer.tls_started()


@pytest.mark.parametrize(
    ("says", "words", "told"),
    [
        (b"RFB 003.003\n", "has no TLS", b"cannot choose"),
        (b"RFB 003.008\n\2", "security type 2, offered was 19", b""),
        (b"RFB 003.008\n\x13\0\1", "VeNCrypt 0.1", b"\xff"),
        (VENCRYPT + b"\0\0\1\2", "security type 258 of VeNCrypt, offered was 261", b"\0"),
        (VENCRYPT + b"\0\0\1\x05\x16", "bytes in the clear where TLS begins", b"\1"),
    ],
)
def test_no_way_around_tls(says: bytes, words: str, told: bytes) -> None:
    screen = desk()
    viewer = Viewer(screen, password="secret", challenge=CHALLENGE, tls=True)
    with pytest.raises(RFBError, match=words):
        viewer.receive_data(says)
    assert viewer.closed
    assert viewer.data_to_send().endswith(told)
    assert screen.viewers == ()
