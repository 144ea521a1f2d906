"""RFB over WebSocket, against a bridge as websockify is one, in front of real servers."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from auniverse.address import Remote, Route
from auniverse.errors import AuthenticationError, ConnectError, ConnectionLostError
from auniverse.links import open_vnc
from auniverse.rfb import SecurityType
from tests.certificates import Authority
from tests.meter import HEIGHT, WIDTH, meters
from tests.scripted import OPENING
from tests.tigervnc import tigervnc


@asynccontextmanager
async def bridge(port, tls=None, piece=7):
    """Carry websockets at /websockify to a port, in pieces of any size; yields its own port."""

    async def carry(websocket):
        if websocket.request.path != "/websockify":
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def down():
            while data := await reader.read(piece * 1000):
                await websocket.send(data[:piece])
                await websocket.send(b"")
                if data[piece:]:
                    await websocket.send(data[piece:])
            await websocket.close()

        task = asyncio.create_task(down())
        try:
            async for message in websocket:
                assert isinstance(message, bytes)
                writer.write(message)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            writer.close()

    async with serve(carry, "127.0.0.1", 0, ssl=tls, subprotocols=["binary"]) as listening:
        yield listening.sockets[0].getsockname()[1]


def at(remote, port, **route):
    route = {"scheme": "vnc+ws", "path": "/websockify", **route}
    return replace(remote, vnc_port=port, rewarder_port=None, route=Route(**route))


@pytest.mark.apt
def test_tigervnc_behind_a_bridge(tmp_path):
    async def main():
        async with tigervnc(tmp_path, "320x240") as (remote, _), bridge(remote.vnc_port) as port:
            arrived = asyncio.Event()
            link = await open_vnc(at(remote, port), wake=arrived.set)
            assert link.size == (320, 240)
            while not link.refreshed:
                arrived.clear()
                await arrived.wait()
            await link.close()
            with pytest.raises(AuthenticationError, match=r"refuses us"):
                await open_vnc(replace(at(remote, port), vnc_password="guessed1"))

    asyncio.run(main())


@pytest.mark.apt
def test_tls_inside_a_websocket(tmp_path):
    """VeNCrypt does not care what carries it."""
    shown = Authority(tmp_path).sign()
    files = ("-X509Cert", str(shown.cert), "-X509Key", str(shown.key))

    async def main():
        server = tigervnc(tmp_path, "320x240", security=("-SecurityTypes", "X509Vnc", *files))
        async with server as (remote, _), bridge(remote.vnc_port) as port:
            link = await open_vnc(at(remote, port, pin=shown.pin))
            assert link.connection.security is SecurityType.X509_VNC
            await link.close()

    asyncio.run(main())


def test_a_websocket_inside_tls(tmp_path):
    authority = Authority(tmp_path)
    shown = authority.sign()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(shown.cert, shown.key)

    async def main():
        async with meters(1) as hosts, bridge(hosts[0].remote.vnc_port, tls) as port:
            there = at(hosts[0].remote, port, scheme="vnc+wss", ca=str(authority.ca))
            link = await open_vnc(there)
            assert link.size == (WIDTH, HEIGHT)
            await link.close()
            doubted = at(hosts[0].remote, port, scheme="vnc+wss")
            with pytest.raises(AuthenticationError, match=r"not to be trusted") as caught:
                await open_vnc(doubted)
            assert caught.value.remote == str(doubted)

    asyncio.run(main())


def test_no_websocket_there():
    async def main():
        async with meters(1) as hosts:
            port = hosts[0].remote.rewarder_port
            async with bridge(port) as bridged:
                with pytest.raises(ConnectError, match=r"cannot connect|no websocket"):
                    await open_vnc(at(hosts[0].remote, hosts[0].remote.vnc_port), timeout=5)
                with pytest.raises(ConnectionLostError, match=r"handshake") as caught:
                    await open_vnc(at(hosts[0].remote, bridged, path="/elsewhere"), timeout=5)
                assert str(bridged) in caught.value.remote

    asyncio.run(main())


@pytest.mark.parametrize("said", ["text", "nothing"])
def test_a_websocket_that_talks_nonsense_or_hangs_up(said):
    async def talk(websocket):
        try:
            await websocket.send(OPENING)
            if said == "text":
                await websocket.send("what is this")
                await websocket.wait_closed()
        except ConnectionClosed:
            return

    async def main():
        arrived = asyncio.Event()
        async with serve(talk, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            link = await open_vnc(at(Remote("127.0.0.1", port, None), port), wake=arrived.set)
            while not link.fault:
                arrived.clear()
                await arrived.wait()
            assert isinstance(link.fault, ConnectionLostError)
            await link.close()

    asyncio.run(main())
