"""Commands on a real SSH server, ours for the test."""

import asyncio

import pytest

from auniverse.errors import AuthenticationError, ConnectError
from auniverse.links import Commands
from tests.jumps import Server, jump, pour


async def ask(way, question):
    """Say something to a command and return all that it answers."""
    reader, writer = await asyncio.open_connection(**way)
    try:
        writer.write(question)
        return await reader.readexactly(len(question))
    finally:
        writer.close()
        await writer.wait_closed()


def test_commands_share_a_connection_of_their_own(tmp_path):
    asked = []

    async def echo(command, stdin, stdout):
        asked.append(command)
        await pour(stdin, stdout)

    async def main():
        async with jump(tmp_path, echo) as (route, fingerprint, _):
            way = route(hostkey=fingerprint)
            async with Commands(way) as commands:
                for question in (b"one", bytes(200_000)):
                    assert await ask(await commands.run("echo"), question) == question
                both = [await commands.run("echo") for _ in range(2)]
                answers = await asyncio.gather(*(ask(way, b"two") for way in both))
                assert answers == [b"two", b"two"]
                assert Server.clients == 1
                left = await commands.run("echo")
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await ask(left, b"three")  # it ended with the connection
            async with Commands(way):
                pass
        assert asked == ["echo"] * 5

    asyncio.run(main())


def test_who_is_not_let_in_is_told_why(tmp_path):
    async def main():
        async with jump(tmp_path) as (route, fingerprint, _):
            for options, error, said in (
                ({"known_hosts": str(tmp_path / "unknown")}, AuthenticationError, "not trusted"),
                ({"identity": str(tmp_path / "other")}, AuthenticationError, "refuses us"),
                ({}, ConnectError, "does not reach `echo`.*does it let us run commands"),
            ):
                trust = {} if "known_hosts" in options else {"hostkey": fingerprint}
                async with Commands(route(**trust, **options)) as commands:
                    with pytest.raises(error, match=said):
                        await commands.run("echo")

    asyncio.run(main())
