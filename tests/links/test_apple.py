"""Apple's authentication against a server end written for this, with a key of its own."""

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auniverse.address import Remote, Route
from auniverse.errors import (
    AuthenticationError,
    ConnectionLostError,
    MissingDependencyError,
    RemoteError,
    RFBError,
)
from auniverse.links import open_vnc
from auniverse.rfb import SecurityType
from tests.scripted import BANNER, SERVER_INIT

pytestmark = pytest.mark.filterwarnings("ignore:TripleDES")  # asyncvnc asks for its old place

REQUEST = b"\x00\x00\x00\x0a\x01\x00RSA1\x00\x00\x00\x00"
UPDATE = b"\x00\x00\x00\x01" + b"\x00\x00\x00\x00\x00\x04\x00\x04" + bytes(4)
WHITE = b"\xff" * 64


class Mac:
    """A macOS host's opening: RSA key out, AES key and both words in, then a screen of 4x4."""

    def __init__(self, offered=b"\x21", username="me", password="secret of any length", **wrong):
        self.key = rsa.generate_private_key(65537, 2048)
        self.offered = offered
        self.words = username, password
        self.wrong = wrong
        self.said = b""

    async def serve(self, reader, writer):
        try:
            await self.talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client had enough
        finally:
            writer.close()

    async def talk(self, reader, writer):
        writer.write(BANNER.replace(b"008", b"889") + bytes([len(self.offered)]) + self.offered)
        assert await reader.readexactly(12) == BANNER
        chosen = await reader.readexactly(1)
        assert chosen == b"\x21"
        assert await reader.readexactly(14) == REQUEST
        key = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        key = self.wrong.get("key", key)
        length = self.wrong.get("length", len(key))
        answer = b"\x01\x00" + length.to_bytes(4, "big") + key + b"\x00"
        for byte in len(answer).to_bytes(4, "big") + answer:  # in shreds
            writer.write(bytes([byte]))
            await writer.drain()
        size = int.from_bytes(await reader.readexactly(4), "big")
        packet = await reader.readexactly(size)
        assert packet[:8] == b"\x01\x00RSA1\x00\x01"
        assert packet[136:138] == b"\x00\x01"
        aes = self.key.decrypt(packet[138:], padding.PKCS1v15())
        decryptor = Cipher(algorithms.AES(aes), modes.ECB()).decryptor()
        plain = decryptor.update(packet[8:136])
        words = tuple(part.split(b"\0")[0].decode() for part in (plain[:64], plain[64:]))
        if words != self.words:
            writer.write(bytes(4) + b"\x00\x00\x00\x01")
            return
        writer.write(bytes(4) + self.wrong.get("result", bytes(4)))
        assert await reader.readexactly(1) == b"\x01"
        writer.write(SERVER_INIT)
        while not self.said.endswith(b"\x03\x00\x00\x00\x00\x00\x00\x04\x00\x04"):
            self.said += await reader.readexactly(1)
        writer.write(UPDATE + WHITE)
        await reader.read()


@asynccontextmanager
async def mac(**options):
    host = Mac(**options)
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield host, Remote("127.0.0.1", port, None, "secret of any length", username="me")


@pytest.mark.parametrize("offered", [b"\x21", b"\x1e\x21\x24", b"\x02\x21"])
def test_opens_and_goes_on_by_itself(offered):
    async def main():
        arrived = asyncio.Event()
        async with mac(offered=offered) as (host, remote):
            link = await open_vnc(remote, wake=arrived.set)
            assert link.size == (4, 4)
            assert link.connection.name == "x"
            assert link.connection.security is SecurityType.APPLE
            while not link.refreshed:
                arrived.clear()
                await arrived.wait()
            assert (link.pixels == 255).all()
            assert b"\x02\x00" in host.said, "our encodings, after asyncvnc's"
            await link.close()

    asyncio.run(main())


def test_not_without_a_user_name_and_not_if_it_is_not_accepted():
    async def main():
        async with mac() as (_, remote):
            with pytest.raises(AuthenticationError, match="user name"):
                await open_vnc(replace(remote, username=None))
            with pytest.raises(AuthenticationError, match="apple"):
                await open_vnc(replace(remote, route=Route(security=("x509vnc", "vncauth"))))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"password": "another"}, AuthenticationError, "refuses us.*username="),
        ({"length": 1 << 31}, RFBError, "the limit is 4096"),
        ({"key": b"no key at all"}, RFBError, "Apple's authentication fails"),
        ({"length": 4000}, ConnectionLostError, "hung up|handshake"),
        ({"result": b"\x00\x00\x00\x02"}, AuthenticationError, "too many attempts"),
    ],
)
def test_refusals_and_nonsense_are_typed(wrong, error, words):
    async def main():
        async with mac(**wrong) as (host, remote):
            if wrong.get("length") == 4000:
                host.talk = hang_up
            with pytest.raises(error, match=words) as caught:
                await open_vnc(remote, timeout=5)
            assert isinstance(caught.value, RemoteError)
            assert caught.value.remote == str(remote)
            assert "secret" not in str(caught.value)

    asyncio.run(main())


async def hang_up(reader, writer):
    writer.write(BANNER + b"\x01\x21")
    await reader.readexactly(12 + 1 + 14)


def test_asyncvnc_is_loaded_for_such_a_server_only(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncvnc", None)

    async def main():
        async with mac() as (_, remote):
            with pytest.raises(MissingDependencyError, match="asyncvnc"):
                await open_vnc(remote)

    asyncio.run(main())
