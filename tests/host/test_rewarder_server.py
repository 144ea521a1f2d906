"""Peers on real websockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from auniverse import rewarder
from auniverse.host import rewarder_server
from auniverse.host.rewarder_server import RewarderServer
from tests.host.clients import Agent, until


@asynccontextmanager
async def served(password=None):
    """A listening server; it replies to resets, `server.changes` counts comings and goings."""

    def asked(request):
        requests.append(request)
        core.set_state("running", 0.0)
        core.reply_reset(request, 0.0)

    core = rewarder.Server(password=password, env_id="a.B-v0", fps=60.0)
    server = RewarderServer(
        core, now=lambda: 12.5, asked=asked, changed=lambda: changes.append(None)
    )
    changes = server.changes = []
    requests = server.requests = []
    server.core = core
    await server.listen("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.close()
        assert core.peers == ()


@asynccontextmanager
async def come(server, **options):
    connection = rewarder.Connection(**options)
    headers = connection.upgrade_headers()
    async with connect(f"ws://127.0.0.1:{server.port}", additional_headers=headers) as socket:
        yield Agent(socket, connection)


def test_a_peer_is_told_the_state_and_gets_its_reply():
    async def main():
        async with served() as server:
            async with come(server) as peer:
                described = await peer.hear(rewarder.Described)
                assert (described.describe.env_id, described.sent_at) == ("a.B-v0", 12.5)
                peer.connection.send_reset(env_id="a.B-v0", seed=3, fps=60.0, now=0.0)
                await peer.hear(rewarder.ResetReplied)
                assert [request.seed for request in server.requests] == [3]
                peer.connection.send_ping(0.0)
                await peer.hear(rewarder.Pong)
            await until(lambda: len(server.changes) == 2)

    asyncio.run(main())


def test_headers_reach_the_core():
    async def main():
        async with (
            served(password="secret") as server,
            come(server, password="secret", observer=True) as peer,
        ):
            await peer.hear(rewarder.Described)
            (known,) = server.core.peers
            assert known.observer
            assert known.protocol == 1

    asyncio.run(main())


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_password_is_explained_and_closed(password):
    async def main():
        async with served(password="secret") as server, come(server, password=password) as peer:
            told = await peer.hear(rewarder.ClosedByServer)
            with pytest.raises(ConnectionClosed) as closed:
                await peer.socket.recv()
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, told.message)
            assert server.core.peers == ()

    asyncio.run(main())


def test_broadcasts_reach_everybody():
    async def main():
        async with served() as server, come(server) as one, come(server, observer=True) as other:
            for peer in (one, other):
                await peer.hear(rewarder.Described)
            server.core.set_state("running", 0.0)
            server.core.reward(2.5, False, {}, 0.0)
            server.flush()
            for peer in (one, other):
                assert (await peer.hear(rewarder.Rewarded)).reward == 2.5

    asyncio.run(main())


def test_binary_messages_close():
    async def main():
        async with served() as server, come(server) as peer:
            await peer.socket.send(b"{}")
            with pytest.raises(ConnectionClosedError) as closed:
                await peer.hear(rewarder.Pong)
            assert closed.value.rcvd.code == 1003

    asyncio.run(main())


@pytest.mark.parametrize(("text", "code"), [("nonsense", 1000), ("x" * (1 << 20) + "x", 1009)])
def test_bad_peers_do_not_disturb_others(text, code):
    async def main():
        async with served() as server, come(server) as good:
            await good.hear(rewarder.Described)
            async with come(server) as bad:
                await bad.socket.send(text)
                with pytest.raises(ConnectionClosed) as closed:
                    await bad.hear(())
                assert closed.value.rcvd.code == code
            good.connection.send_ping(0.0)
            await good.hear(rewarder.Pong)

    asyncio.run(main())


def test_a_peer_that_does_not_read_is_dropped(caplog):
    caplog.set_level("INFO")

    async def main():
        async with (
            served() as server,
            come(server, observer=True) as deaf,
            come(server) as good,
        ):
            await deaf.hear(rewarder.Described)
            deaf.socket.transport.pause_reading()
            server.core.set_state("running", 0.0)
            said = 0
            while len(server.core.peers) == 2:
                server.core.text("x" * 10_000, 0.0)
                server.flush()
                await good.hear(rewarder.TextReceived)
                said += 1
                assert said < 10_000
            good.connection.send_ping(0.0)
            await good.hear(rewarder.Pong)
            deaf.socket.transport.abort()

    asyncio.run(main())
    assert "does not read" in caplog.text


def test_peers_are_counted(monkeypatch):
    monkeypatch.setattr(rewarder_server, "MAX_PEERS", 1)

    async def main():
        async with served() as server, come(server) as first:
            await first.hear(rewarder.Described)
            async with come(server) as second:
                with pytest.raises(ConnectionClosedError) as closed:
                    await second.hear(rewarder.Described)
                assert closed.value.rcvd.code == 1013

    asyncio.run(main())


def test_a_port_that_is_tried_and_left_is_no_matter(caplog):
    async def main():
        async with served() as server:
            for said in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\0\1\2\r\n\r\n"):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(said)
                writer.write_eof()
                await reader.read()
                writer.close()
            async with come(server) as peer:
                await peer.hear(rewarder.Described)

    asyncio.run(main())
    assert caplog.text == ""
