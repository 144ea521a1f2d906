from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from auniverse.address import Remote
from auniverse.errors import AuthenticationError, RemoteNotReadyError
from auniverse.host import Host
from auniverse.remotes import ready
from auniverse.remotes.ready import wait_ready
from tests.meter import ENV_ID, Meter


def test_one_that_is_ready() -> None:
    async def main() -> None:
        async with Host(Meter(), env_id=ENV_ID, screen="native") as host:
            await wait_ready(host.remote, 30)

    asyncio.run(main())


def test_one_that_lets_others_in() -> None:
    async def main() -> None:
        async with Host(Meter(), env_id=ENV_ID, screen="native") as host:
            remote = host.remote
            with pytest.raises(AuthenticationError):
                await wait_ready(Remote(remote.host, remote.vnc_port, None, "wrong", "x"), 30)

    asyncio.run(main())


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


async def close_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def say_502(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(
    ("screen", "behaviour", "lacks"),
    [
        (True, close_early, "closed the connection"),
        (False, close_early, "cannot connect to the rewarder"),
        (False, say_502, "502"),
    ],
)
def test_what_belongs_to_booting(screen: bool, behaviour: Behaviour, lacks: str) -> None:
    """It is tried again and again, and what it still lacked is said in the end."""

    async def main() -> None:
        tries = 0

        async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal tries
            tries += 1
            await behaviour(reader, writer)

        async with await asyncio.start_server(counted, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            remote = Remote("127.0.0.1", *((port, None) if screen else (None, port)), name="it")
            with pytest.raises(
                RemoteNotReadyError, match=f"it was not ready after 0.5 s: .*{lacks}"
            ):
                await wait_ready(remote, 0.5)
        assert tries > 2

    asyncio.run(main())


def test_one_that_begins_to_listen_later() -> None:
    async def main() -> None:
        async with await asyncio.start_server(close_early, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
        waiting = asyncio.create_task(wait_ready(Remote("127.0.0.1", port, None), 30))
        async with Host(Meter(), env_id=ENV_ID, screen="native", vnc_port=port):
            await waiting

    asyncio.run(main())


def test_news_make_it_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "_PAUSES_BETWEEN_NEWS", (3600.0,))

    async def main() -> None:
        looked, news = asyncio.Event(), asyncio.Event()

        async def too_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()
            looked.set()

        async with await asyncio.start_server(too_early, "127.0.0.1", 0) as booting:
            port = booting.sockets[0].getsockname()[1]
            remote = Remote("127.0.0.1", port, None, "secret12", "secret12")
            waiting = asyncio.create_task(wait_ready(remote, 30, news))
            await looked.wait()
        async with Host(
            Meter(), env_id=ENV_ID, screen="native", password="secret12", vnc_port=port
        ):
            news.set()
            await waiting

    asyncio.run(main())
