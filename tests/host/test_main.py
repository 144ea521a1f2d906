"""Hosts as processes: the process protocol, and every way to end one."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from auniverse.address import Remote, parse_remotes
from auniverse.errors import AuthenticationError
from auniverse.links import open_vnc
from auniverse.remotes.swarm.certificate import certificate_of
from auniverse.rfb import SecurityType
from tests.host.clients import agent, watching

PASSWORDS = b'{"vnc_password": "12345678", "rewarder_password": "another"}\n'
ENV_ID = "gym-core.FrozenLake-v1"
PORTS = ("--vnc-port", "0", "--rewarder-port", "0")


@asynccontextmanager
async def process(*options):
    command = (sys.executable, "-W", "error", "-m", "auniverse.host", *options)
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


@asynccontextmanager
async def leashed(*options, passwords=PASSWORDS):
    """A leashed host of a frozen lake; yields it and its address."""
    async with process("gym-core", "--env-id", ENV_ID, *PORTS, "--leashed", *options) as child:
        child.stdin.write(passwords)
        ports = json.loads(await child.stdout.readline())
        assert list(ports) == ["vnc_port", "rewarder_port"]
        told = json.loads(passwords)
        yield (
            child,
            Remote("127.0.0.1", *ports.values(), told["vnc_password"], told["rewarder_password"]),
        )


class At:
    """What the clients of the other tests want a host to be."""

    def __init__(self, remote):
        self.remote = remote


def test_a_leashed_host_plays_and_ends_with_its_stdin():
    async def main():
        async with leashed("--screen", "320x200") as (child, remote):
            async with watching(At(remote)) as watcher, agent(At(remote)) as player:
                described = await player.reset(ENV_ID, seed=1)
                assert (await watcher.frame(described.v1.frame)).shape == (200, 320, 3)
                child.stdin.close()
                await watcher.ended()
            output, log = await child.communicate()
            assert (child.returncode, output) == (0, b"")
            assert b"12345678" not in log
            assert b"another" not in log

    asyncio.run(main())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_order(number):
    async def main():
        async with leashed() as (child, remote):
            async with watching(At(remote)) as watcher:
                await watcher.frame(1)
                child.send_signal(number)
                await watcher.ended()
            assert await child.wait() == 0

    asyncio.run(main())


def test_null_passwords_let_everybody_in():
    async def main():
        nobody = b'{"vnc_password": null, "rewarder_password": null}\n'
        async with leashed(passwords=nobody) as (_, remote), watching(At(remote)) as watcher:
            await watcher.frame(1)

    asyncio.run(main())


def test_the_lease_ends_it():
    async def main():
        async with leashed("--lease", "0.01") as (child, _):
            assert await child.wait() == 0

    asyncio.run(main())


def test_without_a_leash_it_says_where_on_stderr():
    async def main():
        async with process("gym-core", *PORTS) as child:
            said = (await child.stderr.readline()).decode()
            assert "vnc://127.0.0.1:" in said
            assert "openai" not in said
            child.send_signal(signal.SIGTERM)
            assert await child.wait() == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        (("gym-core", "--env-id", "gym-core.Pang-v5"), "UnknownEnvError", "gym-core.Pong-v5"),
        (("quake",), "UnknownRuntimeError", "quake"),
        (("gym-core", "--screen", "big"), "UsageError", "big"),
    ],
)
def test_what_cannot_be_served_is_said_in_the_line(options, error, reason):
    async def main():
        async with process(*options, *PORTS, "--leashed") as child:
            output, log = await child.communicate(PASSWORDS)
            assert child.returncode == 1
            told = json.loads(output)
            assert list(told) == ["error", "reason"]
            assert told["error"] == error
            assert reason in told["reason"]
            assert told["reason"].encode() in log
            assert b"Traceback" not in log

    asyncio.run(main())


@pytest.mark.parametrize(
    "stdin",
    [b"", b"[1]\n", b"nonsense\n", b'{"vnc_password": 5, "rewarder_password": "x"}\n'],
    ids=["nothing", "no object", "no JSON", "no password"],
)
def test_it_does_not_serve_without_its_passwords(stdin):
    async def main():
        async with process("gym-core", *PORTS, "--leashed") as child:
            output, log = await child.communicate(stdin)
            assert (child.returncode, output) == (1, b"")
            assert b"stdin" in log
            assert b"Traceback" not in log

    asyncio.run(main())


def test_passwords_from_a_file(tmp_path):
    async def main():
        secret = tmp_path / "secret"
        secret.write_bytes(PASSWORDS)
        told = json.loads(PASSWORDS)
        told_by = ("--passwords-from-file", str(secret))
        async with process("gym-core", "--env-id", ENV_ID, *PORTS, *told_by) as child:
            said = (await child.stderr.readline()).decode()
            (remote,) = parse_remotes(said.split()[-1])
            remote = replace(remote, vnc_password=told["vnc_password"])
            async with watching(At(remote)) as watcher:
                await watcher.frame(1)
            with pytest.raises(AuthenticationError):
                async with watching(At(replace(remote, vnc_password="openai"))) as watcher:
                    await watcher.frame(1)

    asyncio.run(main())


def test_a_file_with_passwords_and_a_certificate(tmp_path):
    made = certificate_of("auniverse-gym-core-0-12345678", bytes(32))  # as a service of a swarm has

    async def main():
        secret = tmp_path / "secret"
        secret.write_bytes(PASSWORDS.strip() + b"\n" + made.pem.encode())
        told = json.loads(PASSWORDS)
        options = ("--passwords-from-file", str(secret), "--certificate", str(secret))
        async with process("gym-core", "--env-id", ENV_ID, *PORTS, *options) as child:
            said = (await child.stderr.readline()).decode()
            (remote,) = parse_remotes(said.split()[-1])
            assert remote.route.pin == made.pin
            remote = replace(remote, vnc_password=told["vnc_password"])
            link = await open_vnc(remote)
            assert link.connection.security is SecurityType.X509_VNC
            await link.close()

    asyncio.run(main())


@pytest.mark.parametrize(("content", "complaint"), [(None, "No such file"), (b"[1]", "expected {")])
def test_a_file_without_passwords(tmp_path, content, complaint):
    async def main():
        secret = tmp_path / "secret"
        if content is not None:
            secret.write_bytes(content)
        async with process("gym-core", *PORTS, "--passwords-from-file", str(secret)) as child:
            _, log = await child.communicate()
            assert child.returncode == 1
            assert complaint in log.decode()
            assert str(secret) in log.decode()
            assert b"Traceback" not in log

    asyncio.run(main())
