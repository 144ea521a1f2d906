"""The rewarder link against our own hosts and against scripted websocket servers."""

import asyncio
import http
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from websockets.asyncio.server import serve

from auniverse.address import Remote
from auniverse.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    RemoteTimeoutError,
    RewarderError,
)
from auniverse.links import open_rewarder
from auniverse.links import rewarder as rewarder_module
from auniverse.rewarder import Described, ResetReplied
from tests.meter import ENV_ID, meters
from tests.scripted import says

DESCRIBE = {
    "method": "v0.env.describe",
    "headers": {"message_id": 0, "sent_at": 1481000000.125, "episode_id": "1"},
    "body": {"env_id": "flashgames.DuskDrive-v0", "env_state": "running", "fps": 60},
}


@asynccontextmanager
async def server(*messages, close=False):
    """A websocket server that says `messages` to everybody and answers nothing; yields its port."""

    async def talk(websocket):
        for message in messages:
            await websocket.send(message)
        if not close:
            await websocket.wait_closed()

    async with serve(talk, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


def at(port):
    return Remote("127.0.0.1", None, port)


@asynccontextmanager
async def running(remote, **options):
    """Open a link and run it."""
    link = await open_rewarder(remote, **options)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(link.run())
        yield link
        await link.close()


def test_describes_calibrates_and_resets():
    async def main():
        events = []
        done = asyncio.Event()

        def receive(event):
            events.append(event)
            if isinstance(event, ResetReplied):
                done.set()

        async with meters(1) as hosts, running(hosts[0].remote, receive=receive) as link:
            await link.wait_described()
            assert link.connection.described.env_id == ENV_ID
            await link.calibrate()
            low, high = link.connection.skew
            assert low <= high
            assert abs(low + high) < 1, "the same machine's clock"
            request = link.connection.send_reset(env_id=ENV_ID, seed=1, fps=60, now=link.wall())
            link.flush()
            async with asyncio.timeout(10):
                await done.wait()
            states = [e.describe.env_state for e in events if isinstance(e, Described)]
            assert states == ["running", "resetting", "running"]
            assert [e.message_id for e in events if isinstance(e, ResetReplied)] == [request]
            assert link.fault is None

    asyncio.run(main())


def test_a_wrong_password_is_a_typed_fault():
    async def main():
        async with meters(1) as hosts:
            remote = replace(hosts[0].remote, rewarder_password="guessed1")
            async with running(remote) as link:
                await link.wait_described()
                assert isinstance(link.fault, AuthenticationError)
                assert str(remote.rewarder_port) in link.fault.remote
                assert "guessed1" not in str(link.fault)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"\x00\x01", "binary"),
        ("{", "JSON"),
        (json.dumps(DESCRIBE).replace("60", "NaN"), ""),
        ("[" * 100_000, ""),
    ],
)
def test_a_breach_ends_the_link(message, words):
    async def main():
        async with server(json.dumps(DESCRIBE), message) as port, running(at(port)) as link:
            while link.fault is None:
                link._arrived.clear()
                await link._arrived.wait()
            assert isinstance(link.fault, RewarderError)
            assert words in str(link.fault)
            assert str(port) in link.fault.remote

    asyncio.run(main())


def test_a_message_above_the_limit_ends_the_link():
    async def main():
        endless = "x" * (rewarder_module.MESSAGE_LIMIT + 1)
        async with server(endless) as port, running(at(port)) as link:
            await link.wait_described()
            assert isinstance(link.fault, ConnectionLostError)

    asyncio.run(main())


def test_a_server_that_hangs_up_is_a_fault_and_hanging_up_ourselves_is_none():
    async def main():
        async with server(json.dumps(DESCRIBE), close=True) as port, running(at(port)) as link:
            while link.fault is None:
                link._arrived.clear()
                await link._arrived.wait()
            assert isinstance(link.fault, ConnectionLostError)
        async with server(json.dumps(DESCRIBE)) as port:
            async with running(at(port)) as link:
                await link.wait_described()
            assert link.fault is None

    asyncio.run(main())


def test_a_server_without_pings_is_used_without_its_clock(monkeypatch):
    monkeypatch.setattr(rewarder_module, "PING_TIMEOUT", 0.05)

    async def main():
        async with server(json.dumps(DESCRIBE)) as port, running(at(port)) as link:
            await link.wait_described()
            await link.calibrate()
            assert link.connection.skew is None
            assert link.fault is None

    asyncio.run(main())


def test_a_gateway_that_still_boots_can_be_tried_again():
    async def refuse(connection, request):
        return connection.respond(http.HTTPStatus.BAD_GATEWAY, "booting")

    async def main():
        async with serve(lambda websocket: None, "127.0.0.1", 0, process_request=refuse) as booting:
            port = booting.sockets[0].getsockname()[1]
            with pytest.raises(ConnectError, match="502") as caught:
                await open_rewarder(at(port))
            assert caught.value.retryable

    asyncio.run(main())


def test_nobody_listens_and_nobody_answers():
    async def main():
        async with says() as port:
            with pytest.raises(RemoteTimeoutError, match=str(port)):
                await open_rewarder(at(port), timeout=0.2)
        with pytest.raises(ConnectError, match=str(port)):
            await open_rewarder(at(port))

    asyncio.run(main())


@pytest.mark.parametrize("ours", [True, False])
def test_whoever_is_asked_for_a_sign_of_life_gives_one(ours):
    """By our ping; or by the websocket's, where our pings are not answered."""

    async def main():
        async with AsyncExitStack() as stack:
            if ours:
                (host,) = await stack.enter_async_context(meters(1, lease=None))
                remote = host.remote
            else:
                remote = at(await stack.enter_async_context(server(json.dumps(DESCRIBE))))
            link = await stack.enter_async_context(running(remote))
            await link.wait_described()
            if ours:
                await link.calibrate()
            for _ in range(3):
                heard_at = link.heard_at
                link.probe()
                async with asyncio.timeout(10):
                    while link.heard_at == heard_at:  # noqa: ASYNC110
                        await asyncio.sleep(0.001)

    asyncio.run(main())
