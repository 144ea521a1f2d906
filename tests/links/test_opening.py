"""Opening a screen: what goes wrong on the way, and what is said about it."""

import asyncio
from dataclasses import replace

import pytest

from auniverse.address import Remote, Route
from auniverse.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    ProtocolError,
    RemoteError,
    RemoteTimeoutError,
    UsageError,
)
from auniverse.links import open_vnc
from auniverse.links.opening import _warn_if_weak
from auniverse.rfb import SecurityType
from tests.meter import meters
from tests.scripted import BANNER, NO_SECURITY, says


def opening(port, **options):
    return open_vnc(Remote("127.0.0.1", port, None), **{"timeout": 5.0, **options})


def test_the_decoder_may_be_forced(monkeypatch):
    monkeypatch.setenv("AUNIVERSE_DECODER", "cobol")
    with pytest.raises(UsageError, match="cobol"):
        asyncio.run(open_vnc(Remote("127.0.0.1", 1, None)))


def test_a_wrong_password_names_remote_and_remedy():
    async def main():
        async with meters(1) as hosts:
            remote = replace(hosts[0].remote, vnc_password="guessed1")
            with pytest.raises(AuthenticationError) as caught:
                await open_vnc(remote)
            assert caught.value.remote == f"vnc://127.0.0.1:{remote.vnc_port}"
            assert "guessed1" not in str(caught.value)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ((b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n",), RemoteError, "SSH"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), RemoteError, "HTTP"),
        ((BANNER, b"\x00\x00\x00\x00\x10too many clients"), RemoteError, "too many clients"),
        ((BANNER, b"\x01\x05"), AuthenticationError, "5"),
        (
            (BANNER, NO_SECURITY, b"\x00\x00\x00\x00", b"\xff\xff\xff\xff" * 6),
            ProtocolError,
            "name",
        ),
    ],
)
def test_what_is_no_server_for_us_is_refused_at_once(said, error, words):
    async def main():
        async with says(*said) as port:
            with pytest.raises(error, match=words) as caught:
                await opening(port)
            assert str(port) in caught.value.remote

    asyncio.run(main())


def test_a_stall_in_the_handshake_ends_in_time():
    async def main():
        async with says(BANNER) as port:
            with pytest.raises(RemoteTimeoutError, match="handshake") as caught:
                await opening(port, timeout=0.2)
            assert str(port) in caught.value.remote
            assert caught.value.remedy

    asyncio.run(main())


def test_closing_in_the_handshake_says_where():
    async def main():
        async with says(BANNER, then="close") as port:
            with pytest.raises(ConnectionLostError, match="handshake"):
                await opening(port)

    asyncio.run(main())


def test_nobody_listens():
    async def main():
        async with says() as port:
            pass
        with pytest.raises(ConnectError, match=str(port)) as caught:
            await opening(port)
        assert caught.value.remedy

    asyncio.run(main())


@pytest.mark.parametrize(
    ("remote", "agreed", "warned"),
    [
        (Remote("far.example", 1, None), SecurityType.VNC_AUTHENTICATION, True),
        (Remote("10.0.0.1", 1, None), SecurityType.NONE, True),
        (Remote("10.0.0.2", 1, None), SecurityType.X509_NONE, False),
        (Remote("10.0.0.3", 1, None, route=Route("vnc+tls")), SecurityType.NONE, False),
        (Remote("127.0.0.9", 1, None), SecurityType.NONE, False),
        (Remote("::1", 1, None), SecurityType.NONE, False),
        (Remote("localhost", 1, None), SecurityType.VNC_AUTHENTICATION, False),
    ],
)
def test_weak_security_is_said_once(caplog, remote, agreed, warned):
    for _ in range(2):
        _warn_if_weak(remote, agreed)
    assert len(caplog.records) == warned
    assert all(str(remote) in record.getMessage() for record in caplog.records)
    assert "openai" not in caplog.text
