from __future__ import annotations

import struct

import pytest

from auniverse.errors import AuthenticationError, RemoteError, RFBError
from auniverse.rfb.connection import Connection
from auniverse.rfb.handshake import State
from auniverse.rfb.messages import Opened, StartTLS
from auniverse.rfb.screen import Screen
from auniverse.rfb.security import vnc_response
from auniverse.rfb.vencrypt import (
    INSIDE_VENCRYPT,
    SECURITY_NAMES,
    plain_credentials,
    security_names,
)
from auniverse.rfb.viewer import Viewer

from .conftest import Shred
from .viewing import CHALLENGE, CUTS, Cut, exchange
from .wire import server_init

RESPONSE = vnc_response("secret", CHALLENGE)


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


VENCRYPT = b"RFB 003.008\n" + b"\2\2\x13" + b"\0\2" + b"\0"
CHOSEN = b"RFB 003.008\n" + b"\x13" + b"\0\2"
PLAIN = u32(2) + u32(6) + b"me" + b"secret"
#: subtype: what the server says inside TLS before the result, and the client's answer
INSIDE = {
    257: (b"", b""),
    258: (CHALLENGE, RESPONSE),
    259: (b"", PLAIN),
    260: (b"", b""),
    261: (CHALLENGE, RESPONSE),
    262: (b"", PLAIN),
}


@pytest.mark.parametrize("kind", INSIDE)
def test_vencrypt_stops_where_tls_begins(kind: int, shred: Shred) -> None:
    asked, answer = INSIDE[kind]
    connection = Connection(username="me", password="secret", security=(kind, 2))
    for piece in shred(VENCRYPT + b"\2" + u32(256) + u32(kind) + b"\1"):
        assert connection.events() == []
        connection.receive_data(piece)
    assert connection.events() == [StartTLS(anonymous=kind < 260)]
    assert connection.data_to_send() == CHOSEN + u32(kind)
    assert connection.state is State.TLS
    assert connection.security == kind
    connection.tls_started()
    for piece in shred(asked + u32(0) + server_init(640, 480, b"desk")):
        connection.receive_data(piece)
    assert connection.events() == [Opened(640, 480, "desk")]
    assert connection.data_to_send().startswith(answer + b"\1\0\0\0\0\x20\x18")


def test_plain_is_for_what_is_encrypted_already(shred: Shred) -> None:
    connection = Connection(username="me", password="secret", security=(256,))
    for piece in shred(VENCRYPT + b"\1" + u32(256) + u32(0) + server_init()):
        connection.receive_data(piece)
    assert connection.data_to_send().startswith(CHOSEN + u32(256) + PLAIN + b"\1")
    assert connection.state is State.OPEN


@pytest.mark.parametrize("early", [b"R", b"\x16\x03\x03", bytes(100)])
def test_nobody_puts_words_in_front_of_tls(early: bytes) -> None:
    at_once = Connection(password="secret", security=(261,))
    opening = VENCRYPT + b"\1" + u32(261) + b"\1"
    with pytest.raises(RFBError, match=f"{len(early)} bytes that nobody asked for"):
        at_once.receive_data(opening + early)
    later = Connection(password="secret", security=(261,))
    later.receive_data(opening)
    with pytest.raises(RFBError, match=r"nobody asked for.*the start of TLS"):
        later.receive_data(early)
    assert later.state is State.CLOSED


VENCRYPT_REFUSALS: dict[str, tuple[bytes, type[RemoteError], str]] = {
    "too old": (b"RFB 003.008\n\1\x13\0\1", RFBError, "VeNCrypt 0.1; spoken is 0.2"),
    "not after all": (b"RFB 003.008\n\1\x13\0\2\1", RFBError, "after all"),
    "nothing inside": (VENCRYPT + b"\0", AuthenticationError, r"types \[\] inside VeNCrypt"),
    "the weak one is no way out": (
        VENCRYPT + b"\1" + u32(258),
        AuthenticationError,
        r"types \[258\] inside VeNCrypt; accepted are \[261, 2\] \(it offers tlsvnc; accepted",
    ),
    "an old type inside": (
        VENCRYPT + b"\1" + u32(2),
        AuthenticationError,
        r"types \[2\] inside VeNCrypt",
    ),
    "no TLS": (VENCRYPT + b"\1" + u32(261) + b"\0", AuthenticationError, "cannot begin TLS"),
}


@pytest.mark.parametrize("refusal", VENCRYPT_REFUSALS)
def test_vencrypt_refused(refusal: str, shred: Shred) -> None:
    server, error, text = VENCRYPT_REFUSALS[refusal]
    connection = Connection(password="secret", security=(261, 2))
    *pieces, last = shred(server)
    for piece in pieces:
        connection.receive_data(piece)
    with pytest.raises(error, match=text):
        connection.receive_data(last)
    assert connection.state is State.CLOSED
    assert b"secret" not in connection.data_to_send()


@pytest.mark.parametrize("cut", CUTS)
def test_both_ends_meet_inside_tls(cut: Cut) -> None:
    viewer = Viewer(Screen(4, 3, "desk"), password="secret", challenge=CHALLENGE, tls=True)
    client = Connection(password="secret", security=(261, 2))
    exchange(client, viewer, cut)
    assert client.events() == [StartTLS(anonymous=False)] == viewer.events()
    viewer.tls_started()
    client.tls_started()
    exchange(client, viewer, cut)
    assert client.events() == [Opened(4, 3, "desk")]
    assert viewer.joined


def test_plain_credentials_count_bytes() -> None:
    assert plain_credentials("é", "pw") == b"\0\0\0\2\0\0\0\2" + "é".encode() + b"pw"


def test_every_type_has_one_name() -> None:
    assert len(set(SECURITY_NAMES.values())) == len(SECURITY_NAMES)
    assert set(INSIDE_VENCRYPT) < set(SECURITY_NAMES.values())
    assert security_names([19, 261, 2, 77]) == "vencrypt, x509vnc, vncauth, type 77"
