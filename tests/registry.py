"""A registry of images on this machine, for the tests: on loopback, where it needs no TLS."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from .jumps import splice
from .swarm_nodes import Machine, within
from .tigervnc import free_port

USER, PASSWORD = "me", "secret"
#: This machine's network, for those who have entered another.
_HERE = Path(f"/proc/{os.getpid()}/ns/net")
#: The password, by bcrypt.
_HASH = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"


@contextmanager
def serving(folder: Path, *, private: bool = False) -> Iterator[str]:
    """Serve one, and give its address.

    Args:
        folder: Where it keeps what it gets.
        private: Whether it is for `USER` only, who has logged in where `logged_in` says.
    """
    if shutil.which("docker-registry") is None:
        verdict = pytest.fail if os.environ.get("CI") else pytest.skip
        verdict("needs a registry: apt-get install docker-registry")
    address = f"127.0.0.1:{free_port()}"
    config: dict[str, object] = {"version": 0.1, "http": {"addr": address}}
    config["storage"] = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    if private:
        (folder / "htpasswd").write_text(f"{USER}:{_HASH}\n")
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    (folder / "registry.yml").write_text(json.dumps(config))
    process = subprocess.Popen(
        ["docker-registry", "serve", folder / "registry.yml"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(address):
            assert process.poll() is None, "the registry has ended"
            time.sleep(0.02)
        yield address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return False
    return True


def logged_in(folder: Path, address: str) -> str:
    """Note in a folder what `docker login` would; return it, for DOCKER_CONFIG."""
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))
    return str(folder)


@asynccontextmanager
async def reached_from(machine: Machine, address: str) -> AsyncIterator[None]:
    """Have an address of this machine's loopback answer on that of another machine, too."""
    host, _, port = address.rpartition(":")
    sock = within(machine.space, lambda: socket.create_server((host, int(port))))

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = await asyncio.to_thread(within, _HERE, lambda: socket.create_connection((host, port)))
        await splice((reader, writer), await asyncio.open_connection(sock=way))

    async with await asyncio.start_server(through, sock=sock):
        yield
