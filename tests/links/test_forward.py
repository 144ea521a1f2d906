"""Ports and sockets behind a real SSH server, carried here over one connection."""

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from auniverse.errors import AuthenticationError, ConnectError
from auniverse.links import fetch_host_key, forward_path, forward_port, ssh
from tests.jumps import Server, jump
from tests.tigervnc import free_port


class Open(Server):
    def unix_connection_requested(self, dest_path):
        return True


@asynccontextmanager
async def opened(folder, monkeypatch):
    monkeypatch.setattr("tests.jumps.Server", Open)
    Open.clients = 0
    async with jump(folder) as (route, fingerprint, port):
        yield route(hostkey=fingerprint), fingerprint, port


class Echo:
    """Says what it hears; `gone` is set while nobody is there."""

    def __init__(self):
        self.gone = asyncio.Event()
        self._there = 0

    async def __call__(self, reader, writer):
        self._there += 1
        self.gone.clear()
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        self._there -= 1
        if not self._there:
            self.gone.set()


async def said(reader, writer, data):
    writer.write(data)
    await writer.drain()
    answer = await reader.readexactly(len(data))
    writer.close()
    await writer.wait_closed()
    return answer


def test_many_come_through_one_connection(tmp_path, monkeypatch):
    async def main():
        path, echo = str(tmp_path / "engine.sock"), Echo()
        async with (
            opened(tmp_path, monkeypatch) as (route, _, _),
            await asyncio.start_server(echo, "127.0.0.1", 0) as server,
            await asyncio.start_unix_server(echo, path),
        ):
            there = server.sockets[0].getsockname()[1]
            async with (
                forward_port(route, "127.0.0.1", there) as port,
                forward_path(route, path) as socket,
            ):
                assert os.stat(os.path.dirname(socket)).st_mode & 0o777 == 0o700
                long = bytes(range(256)) * 4096
                ways = [asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
                ways += [asyncio.open_unix_connection(socket) for _ in range(3)]
                ends = await asyncio.gather(*ways)
                answers = await asyncio.gather(*(said(*end, long) for end in ends))
                assert answers == [long] * 6
                assert Open.clients == 1
                stays, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"!")
                assert await stays.read(1) == b"!"
            assert await stays.read() == b"", "it ends with the forward"
            writer.close()
            await asyncio.wait_for(echo.gone.wait(), 10)
            assert not tmp_path.joinpath(socket).exists()
            assert not any(ssh._jumps.values())

    asyncio.run(main())


def test_what_is_not_reached_is_told_before_anybody_comes(tmp_path, monkeypatch):
    async def main():
        async with opened(tmp_path, monkeypatch) as (route, fingerprint, port):
            assert await fetch_host_key("127.0.0.1", port) == fingerprint
            with pytest.raises(ConnectError, match=r"does not reach 127.0.0.1:"):
                async with forward_port(route, "127.0.0.1", free_port()):
                    pass
            with pytest.raises(ConnectError, match="does not reach /no/engine"):
                async with forward_path(route, "/no/engine"):
                    pass
            stranger = replace(route, hostkey="SHA256:" + "0" * 43)
            with pytest.raises(AuthenticationError, match="not trusted"):
                async with forward_path(stranger, "/no/engine"):
                    pass
        with pytest.raises(ConnectError, match=r"127.0.0.1:\d+ does not answer"):
            async with forward_path(route, "/no/engine"):
                pass
        with pytest.raises(ConnectError, match="does not answer"):
            await fetch_host_key("127.0.0.1", free_port())

    asyncio.run(main())
