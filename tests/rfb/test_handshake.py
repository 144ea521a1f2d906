from __future__ import annotations

import struct
from typing import Any

import pytest

from auniverse.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    RemoteError,
    RFBError,
    UsageError,
)
from auniverse.rfb.connection import Connection
from auniverse.rfb.handshake import State, printable
from auniverse.rfb.messages import Bell, HandOver, Opened
from auniverse.rfb.security import vnc_response
from auniverse.rfb.types import Limits

from .conftest import Shred
from .wire import server_init, sized

CHALLENGE = bytes(range(16))
RESPONSE = vnc_response("secret", CHALLENGE)
NONE, VNC = b"\1", b"\2"


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


OPENINGS = {
    # name: what the server says, what the client must have said up to ClientInit
    "3.8 none": (
        b"RFB 003.008\n" + b"\1" + NONE + u32(0),
        b"RFB 003.008\n" + NONE + b"\1",
    ),
    "3.8 password": (
        b"RFB 003.008\n" + b"\1" + VNC + CHALLENGE + u32(0),
        b"RFB 003.008\n" + VNC + RESPONSE + b"\1",
    ),
    "3.8, the first of ours that they have": (
        b"RFB 003.008\n" + b"\4\x13" + NONE + VNC + b"\x05" + CHALLENGE + u32(0),
        b"RFB 003.008\n" + VNC + RESPONSE + b"\1",
    ),
    "3.7 none: no result": (
        b"RFB 003.007\n" + b"\1" + NONE,
        b"RFB 003.007\n" + NONE + b"\1",
    ),
    "3.7 password": (
        b"RFB 003.007\n" + b"\1" + VNC + CHALLENGE + u32(0),
        b"RFB 003.007\n" + VNC + RESPONSE + b"\1",
    ),
    "3.3 none: neither choice nor result": (
        b"RFB 003.003\n" + u32(1),
        b"RFB 003.003\n" + b"\1",
    ),
    "3.3 password": (
        b"RFB 003.003\n" + u32(2) + CHALLENGE + u32(0),
        b"RFB 003.003\n" + RESPONSE + b"\1",
    ),
    "3.889 is 3.8": (
        b"RFB 003.889\n" + b"\1" + NONE + u32(0),
        b"RFB 003.008\n" + NONE + b"\1",
    ),
    "5.0 is 3.8": (
        b"RFB 005.000\n" + b"\1" + NONE + u32(0),
        b"RFB 003.008\n" + NONE + b"\1",
    ),
    "3.5 is 3.3": (b"RFB 003.005\n" + u32(1), b"RFB 003.003\n" + b"\1"),
    "0.0 is 3.3": (b"RFB 000.000\n" + u32(1), b"RFB 003.003\n" + b"\1"),
}


@pytest.mark.parametrize("opening", OPENINGS)
def test_an_opening(opening: str, shred: Shred) -> None:
    server, client = OPENINGS[opening]
    connection = Connection(password="secret")
    for piece in shred(server + server_init(640, 480, b"desk")):
        assert connection.state is not State.OPEN
        connection.receive_data(piece)
    assert connection.state is State.OPEN
    assert connection.events() == [Opened(640, 480, "desk")]
    assert connection.data_to_send().startswith(client + b"\0\0\0\0\x20\x18")
    assert connection.version == tuple(map(int, client[4:11].split(b".")))


def test_it_speaks_only_when_spoken_to() -> None:
    connection = Connection(password="secret")
    assert connection.data_to_send() == b""
    server, _ = OPENINGS["3.8 password"]
    states = [connection.state]
    said = []
    for start, end in ((0, 11), (11, 12), (12, 14), (14, 30), (30, 34)):
        connection.receive_data(server[start:end])
        said.append(connection.data_to_send())
        states.append(connection.state)
    assert said == [b"", b"RFB 003.008\n", VNC, RESPONSE, b"\1"]
    assert states == [
        *(State.VERSION, State.VERSION, State.SECURITY),
        *(State.CHALLENGE, State.RESULT, State.INIT),
    ]


def test_not_shared() -> None:
    connection = Connection(shared=False)
    connection.receive_data(OPENINGS["3.8 none"][0])
    assert connection.data_to_send() == b"RFB 003.008\n\1\0"


def test_without_a_password_another_type_will_do() -> None:
    connection = Connection()
    connection.receive_data(b"RFB 003.008\n" + b"\2" + VNC + NONE + u32(0) + server_init())
    assert connection.state is State.OPEN


REFUSALS: dict[str, tuple[bytes, dict[str, Any], type[RemoteError], str]] = {
    "3.8 wants a password": (
        b"RFB 003.008\n" + b"\1" + VNC,
        {"password": None},
        AuthenticationError,
        r"wants a password \(give the password: vnc://host:5900\?password=\.\.\.\)",
    ),
    "3.3 wants a password": (
        b"RFB 003.003\n" + u32(2),
        {"password": None},
        AuthenticationError,
        "wants a password",
    ),
    "no type of ours": (
        b"RFB 003.008\n" + b"\2\x05\x13",
        {},
        AuthenticationError,
        r"offers security types \[5, 19\]; accepted are \[2, 1\]",
    ),
    "no downgrade": (
        b"RFB 003.008\n" + b"\1" + NONE,
        {"security": (2,)},
        AuthenticationError,
        r"offers security types \[1\]; accepted are \[2\]",
    ),
    "no downgrade by a 3.3 that dictates": (
        b"RFB 003.003\n" + u32(1),
        {"security": (2,)},
        AuthenticationError,
        r"offers security types \[1\]",
    ),
    "3.8 turns away": (
        b"RFB 003.008\n" + b"\0" + sized(b"Too many authentication failures"),
        {},
        ConnectError,
        "turns us away: Too many authentication failures",
    ),
    "3.3 turns away": (
        b"RFB 003.003\n" + u32(0) + sized(b"busy"),
        {},
        ConnectError,
        "turns us away: busy",
    ),
    "3.8 refuses, with a reason": (
        b"RFB 003.008\n" + b"\1" + VNC + CHALLENGE + u32(1) + sized(b"Authentication failed"),
        {},
        AuthenticationError,
        r"refuses us: Authentication failed \(check the password\)",
    ),
    "3.8 refuses, with an empty reason": (
        b"RFB 003.008\n" + b"\1" + NONE + u32(1) + sized(b""),
        {},
        AuthenticationError,
        "refuses us: it gives no reason",
    ),
    "3.7 refuses": (
        b"RFB 003.007\n" + b"\1" + VNC + CHALLENGE + u32(1),
        {},
        AuthenticationError,
        "refuses us: it gives no reason",
    ),
    "3.3 refuses, too often": (
        b"RFB 003.003\n" + u32(2) + CHALLENGE + u32(2),
        {},
        AuthenticationError,
        "refuses us: too many attempts",
    ),
    "a reason without end": (
        b"RFB 003.008\n" + b"\1" + NONE + u32(1) + u32(0xFFFFFFFF),
        {},
        AuthenticationError,
        "a reason of 4294967295 bytes, which was not read",
    ),
    "a reason full of escapes": (
        b"RFB 003.008\n" + b"\0" + sized(b"\x1b[2J\xff bad"),
        {},
        ConnectError,
        r"turns us away: \?\[2J\ufffd bad",
    ),
    "a name without end": (
        b"RFB 003.008\n" + b"\1" + NONE + u32(0) + server_init()[:20] + u32(1 << 30),
        {},
        RFBError,
        r"a desktop name of 1073741824 bytes; the limit is 4096 \(at byte 18, reading the screen",
    ),
    "a giant screen": (
        b"RFB 003.008\n" + b"\1" + NONE + u32(0) + server_init(65535, 65535),
        {},
        RFBError,
        r"a screen of 65535x65535 pixels",
    ),
    "no screen": (
        b"RFB 003.008\n" + b"\1" + NONE + u32(0) + server_init(0, 0),
        {},
        RFBError,
        r"a screen of 0x0 pixels",
    ),
    "no version": (b"RFB 3.8 then", {}, RFBError, "a version of 'RFB 3.8 then'"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal(refusal: str, shred: Shred) -> None:
    server, options, error, text = REFUSALS[refusal]
    connection = Connection(**{"password": "secret"} | options)
    *pieces, last = [piece for piece in shred(server) if piece]
    for piece in pieces:
        connection.receive_data(piece)
    with pytest.raises(error, match=text) as caught:
        connection.receive_data(last)
    assert "secret" not in str(caught.value)
    assert connection.state is State.CLOSED
    with pytest.raises(ConnectionLostError):
        connection.receive_data(b"?")


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it said 'SSH-2.0-OpenSSH_9.2'"),
        (b"HTTP/1.1 400 Bad Request\r\nDate: x", "it said 'HTTP/1.1 400 Bad Request'"),
        (b"220\n", "it said '220'"),
        (b"\x16\x03\x01", r"it said '\?\?\?'"),
        (b"R" * 10_000, "it said 'R{80}'"),
        (b"", None),
    ],
)
def test_what_is_no_vnc_server_is_quoted(said: bytes, quoted: str | None) -> None:
    connection = Connection()
    if quoted is None:
        connection.receive_data(said)
        assert connection.state is State.VERSION
        return
    with pytest.raises(RFBError, match=f"not a VNC server: {quoted}.*5900"):
        connection.receive_data(said)


def test_the_first_wrong_byte_is_enough() -> None:
    connection = Connection()
    connection.receive_data(b"RF")
    with pytest.raises(RFBError, match="not a VNC server: it said 'RFX'"):
        connection.receive_data(b"X")


@pytest.mark.parametrize(
    ("said", "error", "text"),
    [
        (b"", ConnectionLostError, "in the handshake, before the protocol version"),
        (b"RFB 003.008\n", ConnectionLostError, "before the security types"),
        (b"RFB 003.008\n\1\1\0\0\0\1", AuthenticationError, "refuses us: it gives no reason"),
        (b"RFB 003.008\n\1\1\0\0\0\1\0\0\0\5bu", AuthenticationError, "it gives no reason"),
        (b"RFB 003.008\n\0", ConnectError, "turns us away: it gives no reason"),
        (b"RFB 003.008\n\1\1\0\0\0\0", ConnectionLostError, "before the screen's size"),
    ],
)
def test_a_handshake_that_breaks_off(said: bytes, error: type[RemoteError], text: str) -> None:
    connection = Connection()
    connection.receive_data(said)
    with pytest.raises(error, match=text):
        connection.receive_eof()
    assert connection.state is State.CLOSED


@pytest.mark.parametrize("security", [(), (2, 19)])
def test_security_types_that_we_lack(security: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="security types"):
        Connection(security=security)


def test_the_limits_are_the_callers() -> None:
    connection = Connection(limits=Limits(name=3))
    with pytest.raises(RFBError, match="the limit is 3"):
        connection.receive_data(OPENINGS["3.8 none"][0] + server_init(name=b"four"))


def test_printable() -> None:
    assert printable("Räum\t1\n".encode()) == "Räum?1"
    assert printable(b"\xff") == "\ufffd"


def test_who_lacks_the_user_name_passes_such_types_over() -> None:
    connection = Connection(password="secret", security=(262, 33, 2))
    connection.receive_data(b"RFB 003.008\n\3\x13\x21\2")
    assert connection.data_to_send() == b"RFB 003.008\n" + VNC
    with pytest.raises(AuthenticationError, match="wants a user name"):
        Connection(password="secret", security=(33,)).receive_data(b"RFB 003.008\n\1\x21")


def test_apples_authentication_is_left_to_others(shred: Shred) -> None:
    connection = Connection(username="me", password="secret", security=(33,))
    for piece in shred(b"RFB 003.889\n\1\x21"):
        connection.receive_data(piece)
    assert connection.events() == [HandOver()]
    assert connection.data_to_send() == b"RFB 003.008\n", "not even the choice"
    assert connection.state is State.APPLE
    with pytest.raises(UsageError, match="no TLS"):
        connection.tls_started()
    connection.take_over(640, 480, "mac")
    assert connection.state is State.OPEN
    assert connection.events() == [Opened(640, 480, "mac")]
    assert connection.data_to_send().startswith(b"\0\0\0\0\x20\x18")
    connection.receive_data(b"\2")
    assert connection.events() == [Bell()]
    with pytest.raises(UsageError, match="nothing is handed over"):
        connection.take_over(640, 480, "mac")
