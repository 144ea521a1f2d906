"""TLS against real TigerVNC, our own hosts, and servers that deserve no trust."""

import asyncio
import random
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from auniverse.address import Remote, Route
from auniverse.errors import (
    AuthenticationError,
    ConnectionLostError,
    ProtocolError,
    RemoteError,
    UsageError,
)
from auniverse.host import Certificate
from auniverse.links import open_rewarder, open_vnc
from auniverse.links.tls import client_context, tls_error
from auniverse.rfb import SecurityType
from tests.certificates import Authority
from tests.meter import meters
from tests.scripted import BANNER, OPENING, says
from tests.tigervnc import tigervnc

X509 = ("x509vnc", "x509plain", "x509none")


def routed(remote, **route):
    return replace(remote, route=Route(**route))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


def xtigervnc(folder, types, shown):
    """A real server that offers just those types, with that certificate."""
    files = ("-X509Cert", str(shown.cert), "-X509Key", str(shown.key)) if shown else ()
    return tigervnc(
        folder, "320x240", security=("-SecurityTypes", types, "-UseBlacklist", "0", *files)
    )


@pytest.mark.apt
def test_tigervnc_with_a_certificate(tmp_path, authority, stranger):
    """Every way to trust it, and every reason not to, against one server of each kind."""
    shown, other = authority.sign(), stranger.sign()

    async def main():
        async with xtigervnc(tmp_path, "X509Vnc", shown) as (remote, _):
            for trust in (
                {"ca": str(authority.ca)},
                {"pin": shown.pin},
                {"ca": str(authority.ca), "pin": shown.pin, "security": ("x509none", "x509vnc")},
                {"ca": str(authority.ca), "security": ("vncauth", "tlsvnc", "x509vnc")},
            ):
                link = await open_vnc(routed(remote, **trust))
                assert link.size == (320, 240)
                assert link.connection.security is SecurityType.X509_VNC
                assert link._transport.get_extra_info("ssl_object").version() == "TLSv1.3"
                await link.close()
            for trust, words in (
                ({}, "not to be trusted: self-signed|unable to get"),
                ({"ca": str(stranger.ca)}, "not to be trusted: unable to get.*pin="),
                ({"pin": other.pin}, f"is {shown.pin}, pinned is {other.pin}.*change the pin"),
                ({"ca": str(authority.ca), "pin": other.pin}, "not the one that was pinned"),
                ({"ca": str(stranger.ca), "pin": shown.pin}, "not to be trusted"),
                ({"security": ("vncauth",)}, r"offers security types \[19\]; accepted are \[2\]"),
                ({"security": ("tlsvnc",)}, r"types \[261\] inside VeNCrypt; accepted are \[258\]"),
            ):
                bad = routed(remote, **trust)
                with pytest.raises(AuthenticationError, match=words) as caught:
                    await open_vnc(bad)
                assert caught.value.remote == str(bad)
                assert caught.value.remedy
                assert not caught.value.retryable
            wrong = replace(routed(remote, pin=shown.pin), vnc_password="guessed1")
            with pytest.raises(AuthenticationError, match="refuses us") as caught:
                await open_vnc(wrong)
            assert "guessed1" not in str(caught.value)

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.parametrize(
    ("name", "expired", "words"),
    [
        ("127.0.0.1", True, "has expired.*renewed"),
        ("elsewhere.example", False, "not valid for '127.0.0.1'.*name that is in the certificate"),
    ],
)
def test_tigervnc_with_a_certificate_that_is_wrong(tmp_path, authority, name, expired, words):
    shown = authority.sign(name, expired=expired)

    async def main():
        async with xtigervnc(tmp_path, "X509None", shown) as (remote, _):
            with pytest.raises(AuthenticationError, match=words):
                await open_vnc(routed(remote, ca=str(authority.ca)))
            link = await open_vnc(routed(remote, pin=shown.pin))  # a pin asks for no name or date
            assert link.connection.security is SecurityType.X509_NONE
            await link.close()

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.parametrize("kind", ["TLSVnc", "TLSNone"])
def test_anonymous_tls_only_by_name(tmp_path, kind):
    async def main():
        async with xtigervnc(tmp_path, kind, None) as (remote, _):
            with pytest.raises(AuthenticationError, match=f"it offers {kind.lower()}; accepted"):
                await open_vnc(remote)
            link = await open_vnc(routed(remote, security=(kind.lower(),)))
            assert link.size == (320, 240)
            assert link._transport.get_extra_info("cipher")[0].startswith(("ADH", "AECDH"))
            await link.close()

    asyncio.run(main())


@pytest.mark.apt
def test_no_way_down_from_what_was_chosen(tmp_path):
    """TigerVNC's own default offers TLSVnc and VncAuth: what we prefer decides, once."""

    async def main():
        async with xtigervnc(tmp_path, "TLSVnc,VncAuth", None) as (remote, _):
            with pytest.raises(AuthenticationError, match="inside VeNCrypt"):
                await open_vnc(routed(remote, security=("x509vnc", "vncauth")))
            for wanted in (("vncauth",), ("vncauth", "x509vnc"), ("tlsvnc", "vncauth"), ()):
                link = await open_vnc(routed(remote, security=wanted))
                encrypted = link.connection.security is SecurityType.TLS_VNC
                assert encrypted == (wanted[:1] == ("tlsvnc",))
                await link.close()

    asyncio.run(main())


@pytest.mark.apt
def test_plain_against_tigervnc_says_who_and_is_judged(tmp_path, authority):
    """PAM knows nobody here, but its answer shows that both words arrived inside TLS."""
    shown = authority.sign()

    async def main():
        async with xtigervnc(tmp_path, "X509Plain", shown) as (remote, _):
            remote = routed(remote, pin=shown.pin)
            with pytest.raises(AuthenticationError, match="wants a user name"):
                await open_vnc(remote)
            nobody = replace(remote, username="nobody-7", vnc_password="guessed1")
            with pytest.raises(AuthenticationError, match="refuses us") as caught:
                await open_vnc(nobody)
            assert "nobody-7" not in str(caught.value)

    asyncio.run(main())


def test_our_own_host_with_a_certificate(authority, stranger):
    shown = authority.sign()
    certificate = Certificate.load(str(shown.cert), str(shown.key))

    async def main():
        async with meters(1, certificate=certificate) as hosts:
            remote = hosts[0].remote
            assert remote.route.pin == shown.pin
            for trusted in (remote, routed(remote, ca=str(authority.ca))):
                link = await open_vnc(trusted)
                assert link.connection.security is SecurityType.X509_VNC
                await link.close()
                rewarder = await open_rewarder(trusted)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(rewarder.run())
                    await rewarder.wait_described()
                    await rewarder.close()
            doubted = routed(remote, ca=str(stranger.ca))
            for opening in (open_vnc, open_rewarder):
                with pytest.raises(AuthenticationError, match="not to be trusted") as caught:
                    await opening(doubted)
                assert caught.value.remote
            with pytest.raises(AuthenticationError, match=r"types \[19\]; accepted are \[2, 1\]"):
                await open_vnc(routed(remote, security=("vncauth", "none")))
            assert not hosts[0]._viewers.watching()

    asyncio.run(main())


@asynccontextmanager
async def shredder(port, seed):
    """Carry connections to a port in pieces of a few bytes, each in a write of its own."""
    chance = random.Random(seed)

    async def pour(reader, writer):
        while data := await reader.read(4096):
            while data:
                size = chance.choice((1, 2, 5, 40, 1000))
                writer.write(data[:size])
                await writer.drain()
                await asyncio.sleep(0)
                data = data[size:]
        writer.close()

    async def carry(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            await asyncio.gather(pour(reader, far_writer), pour(far_reader, writer))
        for end in (writer, far_writer):
            end.close()

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("seed", range(4))
def test_tls_in_shreds_at_both_ends(authority, seed):
    shown = authority.sign()
    certificate = Certificate.load(str(shown.cert), str(shown.key))

    async def main():
        arrived = asyncio.Event()
        async with (
            meters(1, certificate=certificate) as hosts,
            shredder(hosts[0].remote.vnc_port, seed) as port,
        ):
            link = await open_vnc(replace(hosts[0].remote, vnc_port=port), wake=arrived.set)
            while not link.refreshed:
                arrived.clear()
                await arrived.wait()
            await link.close()

    asyncio.run(main())


def test_everything_inside_tls(authority):
    """vnc+tls: the banner itself is encrypted, and nothing is said to who is not trusted."""
    shown = authority.sign()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.cert, shown.key)
    heard = bytearray()

    async def serve(reader, writer):
        writer.write(OPENING)
        try:
            while data := await reader.read(4096):
                heard.extend(data)
        except OSError:
            return
        finally:
            writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            there = Remote("127.0.0.1", port, port)
            trusted = routed(there, scheme="vnc+tls", ca=str(authority.ca))
            link = await open_vnc(trusted)
            assert link.size == (4, 4)
            await link.close()
            heard.clear()
            for bad in ({}, {"pin": "sha256:" + "0" * 64}):
                for opening in (open_vnc, open_rewarder):
                    with pytest.raises(AuthenticationError, match=r"trusted|pinned"):
                        await opening(routed(there, scheme="vnc+tls", **bad))
            assert not heard, "a password or a header went to a stranger"

    asyncio.run(main())


def test_what_speaks_no_tls(authority):
    async def main():
        async with says(BANNER) as port:
            with pytest.raises(ProtocolError, match="does not speak TLS") as caught:
                await open_vnc(Remote("127.0.0.1", port, None, route=Route("vnc+tls")))
            assert str(port) in caught.value.remote

    asyncio.run(main())


BEGIN_TLS = BANNER + b"\x01\x13\x00\x02\x00\x01\x00\x00\x01\x05\x01"  # X509Vnc, and go


@pytest.mark.parametrize(
    ("said", "then", "error", "words"),
    [
        ((BEGIN_TLS + b"RFB 003.008\n",), "stall", ProtocolError, "nobody asked for"),
        ((BEGIN_TLS[:-1] + b"\x00",), "stall", AuthenticationError, "cannot begin TLS"),
        ((BEGIN_TLS,), "close", ConnectionLostError, "lost|hung up"),
    ],
)
def test_servers_that_cheat_where_tls_begins(said, then, error, words):
    async def main():
        async with says(*said, then=then) as port:
            with pytest.raises(error, match=words) as caught:
                await open_vnc(Remote("127.0.0.1", port, None), timeout=5)
            assert isinstance(caught.value, RemoteError)
            assert str(port) in caught.value.remote

    asyncio.run(main())


def test_files_that_are_none(tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")
    for name, words in (("missing.pem", "No such file"), ("empty.pem", "no certificate")):
        with pytest.raises(UsageError, match=words):
            client_context(Route(ca=str(tmp_path / name)))


def test_a_context_is_read_once_and_again_when_the_file_changes(tmp_path, authority, stranger):
    file = tmp_path / "ca.pem"
    file.write_bytes(authority.ca.read_bytes())
    route = Route(ca=str(file))
    first = client_context(route)
    assert client_context(route) is first
    file.write_bytes(stranger.ca.read_bytes() * 2)
    assert client_context(route) is not first


def test_other_failures_of_tls_are_typed_too():
    assert "no shared cipher" in str(tls_error(ssl.SSLError(1, "no shared cipher")))
