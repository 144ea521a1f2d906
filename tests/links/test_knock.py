"""A knock is heard where a screen is, and nowhere else."""

import asyncio
from dataclasses import replace

import pytest

from auniverse.address import Remote, Route
from auniverse.errors import ConnectError, RemoteTimeoutError
from auniverse.links import knock
from tests.jumps import jump
from tests.meter import meters
from tests.tigervnc import free_port


def test_a_screen_is_heard_directly_and_through_ssh(tmp_path):
    async def main():
        async with jump(tmp_path) as (route, fingerprint, _), meters(1) as hosts:
            there = hosts[0].remote
            assert 0 < await knock(there) < 10
            assert 0 < await knock(replace(there, route=route(hostkey=fingerprint))) < 10

    asyncio.run(main())


def test_what_is_no_screen_is_told(tmp_path):
    async def main():
        async def http(reader, writer):
            writer.write(b"HTTP/1.1 400")
            await writer.drain()
            writer.close()

        async def mute(reader, writer):
            await reader.read()
            writer.close()

        for answer, error in ((http, ConnectError), (mute, RemoteTimeoutError)):
            async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                with pytest.raises(error, match=f"vnc://127.0.0.1:{port}"):
                    await knock(Remote("127.0.0.1", port, None), timeout=0.2)
        with pytest.raises(ConnectError, match="no greeting"):
            await knock(Remote("127.0.0.1", free_port(), None))
        for deaf in (Remote("a", None, 1), Remote("a", 1, 2, route=Route("vnc+tls"))):
            with pytest.raises(ConnectError, match="no greeting to be heard"):
                await knock(deaf)

    asyncio.run(main())
