from __future__ import annotations

import asyncio
import ssl

import pytest

from auniverse.errors import UsageError
from auniverse.host import Certificate
from auniverse.host.rewarder_server import RewarderServer
from auniverse.host.rfb_server import RFBServer
from auniverse.rewarder import Server
from auniverse.rfb import Screen
from tests.certificates import Authority


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority")).sign()


@pytest.fixture(scope="module")
def certificate(shown):
    return Certificate.load(str(shown.cert), str(shown.key))


def test_a_certificate_knows_its_pin(shown, certificate):
    assert certificate.pin == shown.pin
    assert certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_files_that_are_no_certificate(shown, tmp_path):
    other = Authority(tmp_path).sign()
    empty = tmp_path / "empty"
    empty.write_text("")
    for cert, key in (
        (shown.cert, other.key),
        (shown.cert, tmp_path / "missing"),
        (tmp_path / "missing", shown.key),
        (empty, shown.key),
        (shown.key, shown.key),
    ):
        with pytest.raises(UsageError, match="certificate"):
            Certificate.load(str(cert), str(key))


def test_a_viewer_that_breaks_off_where_tls_begins_is_forgotten(certificate):
    async def main():
        changes = asyncio.Queue()
        server = RFBServer(
            Screen(4, 3),
            password=None,
            changed=lambda: changes.put_nowait(None),
            tls=certificate.context,
        )
        await server.listen("127.0.0.1", 0)
        for last in (b"", b"this is no TLS"):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x04")
            assert (await reader.readexactly(12 + 2 + 2 + 6 + 1))[-1:] == b"\x01"
            if last:
                writer.write(last)
                await reader.read()
            writer.close()
            await changes.get()
            assert server.links == []
        await server.close()

    asyncio.run(main())


def test_a_host_that_ends_while_tls_begins_waits_for_nobody(certificate):
    async def main():
        server = RFBServer(
            Screen(4, 3), password=None, changed=lambda: None, tls=certificate.context
        )
        await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x04")
        await reader.readexactly(12 + 2 + 2 + 6 + 1)
        async with asyncio.timeout(10):
            await server.close()
        assert server.links == []
        writer.close()

    asyncio.run(main())


def test_a_rewarder_with_a_certificate_speaks_nothing_else(certificate):
    async def main():
        core = Server(password=None, env_id=None, fps=60.0, v1=None)
        server = RewarderServer(
            core,
            now=lambda: 0.0,
            asked=lambda request: None,
            changed=lambda: None,
            tls=certificate.context,
        )
        await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert b"HTTP" not in await reader.read()
        writer.close()
        await server.close()

    asyncio.run(main())
