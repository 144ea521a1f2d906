"""The container engine: how it is spoken to, and its complaints in our words."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import aiodocker
import aiohttp
from aiohttp.client_proto import ResponseHandler

from auniverse.errors import ProvisionError, RemoteError
from auniverse.links import Commands

from ..access import Access, find_engine

#: What aiodocker calls it when nobody answers.
UNREACHABLE = 900
#: Seconds for a connection through SSH.
_CONNECT = 10.0
#: What is run there for a connection, and how many at once: OpenSSH's servers allow 10.
_DIAL, _COMMANDS = "docker system dial-stdio", 8
#: What an engine complains of, and what helps.
_REMEDIES = (
    ("no basic auth", "`docker login` there first, where the image is pushed from"),
    ("unauthorized", "`docker login` there first, where the image is pushed from"),
    ("http response to https", "it speaks no TLS: `insecure-registries` of its engine allows that"),
    ("ssh server", ""),  # which says itself what helps
    ("permission denied", "its socket is for others: `sudo usermod -aG docker $USER`, log in anew"),
    ("no space left on device", "the disk is full: `docker system df` says by what"),
    ("server disconnected", "does `docker version` work there?"),
    ("cannot connect to docker engine", "is it running? DOCKER_HOST says where it is"),
)
#: How aiodocker wraps up why nobody answers.
_WRAPPED = re.compile(r"Cannot connect to Docker Engine via \S+ \[(.*)\]", re.DOTALL)


class Engine:
    """A connection to an engine.

    Attributes:
        access: How it is reached.
        docker: Its API.
        follows: Whether many requests may stay open at once (an SSH server allows only a few).
    """

    def __init__(self, access: Access, docker: aiodocker.Docker) -> None:
        self.access = access
        self.docker = docker
        self.follows = access.ssh is None


@asynccontextmanager
async def open_engine(environ: Mapping[str, str] | None = None) -> AsyncIterator[Engine]:
    """Connect to the engine.

    Raises:
        MissingDependencyError: It is behind ssh, and the extra `ssh` is not installed.
        ProvisionError: There is none, or it cannot be spoken to; the message says what to do.
        UsageError: DOCKER_HOST is no address of an engine.
    """
    access = find_engine(os.environ if environ is None else environ)
    if access is None:
        raise ProvisionError(
            "no container engine here: install Docker and start it, or say where one is with "
            "DOCKER_HOST"
        )
    plain = access.url.startswith(("http://", "https://", "tcp://"))
    url = access.url if plain else "unix://localhost"  # the connector knows where that is
    async with (
        _connecting(access) as connector,
        aiodocker.Docker(url, connector=connector) as docker,
    ):
        with speaking(f"the engine at {access.url}"):
            await docker.version()
        yield Engine(access, docker)


@asynccontextmanager
async def _connecting(access: Access) -> AsyncIterator[aiohttp.BaseConnector]:
    """Give a connector; without a limit, since the log of every container is one open request."""
    if access.ssh is not None:
        async with Commands(access.ssh) as commands, ByCommand(commands) as connector:
            yield connector
        return
    async with _connector(access) as connector:
        yield connector


def _connector(access: Access) -> aiohttp.BaseConnector:
    if access.url.startswith("unix://"):
        return aiohttp.UnixConnector(access.url.removeprefix("unix://"), limit=0)
    if access.tls is None:
        return aiohttp.TCPConnector(limit=0)
    try:
        trusted = ssl.create_default_context(cafile=access.tls / "ca.pem")
        trusted.load_cert_chain(access.tls / "cert.pem", access.tls / "key.pem")
    except OSError as error:  # of which SSLError is one
        raise ProvisionError(
            f"DOCKER_TLS_VERIFY: ca.pem, cert.pem and key.pem of {access.tls} (DOCKER_CERT_PATH) "
            f"cannot be used: {error}"
        ) from error
    return aiohttp.TCPConnector(ssl=trusted, limit=0)


class ByCommand(aiohttp.BaseConnector):
    """Reaches an engine as Docker's own client does through SSH: every connection is a command."""

    allowed_protocol_schema_set = frozenset({"", "http", "unix"})

    def __init__(self, commands: Commands) -> None:
        super().__init__(limit=_COMMANDS)
        self._commands = commands

    async def _create_connection(self, *_: object) -> ResponseHandler:
        try:
            async with asyncio.timeout(_CONNECT):
                way = await self._commands.run(_DIAL)
        except TimeoutError as error:
            late = f"the SSH server did not let us in within {_CONNECT:g} s"
            raise aiohttp.ClientConnectionError(late) from error
        except RemoteError as error:
            raise aiohttp.ClientConnectionError(str(error)) from error
        return (await self._loop.create_connection(self._factory, **way))[1]


@contextmanager
def speaking(what: str) -> Iterator[None]:
    """Turn what an engine complains of into a ProvisionError about `what`, with a remedy."""
    try:
        yield
    except aiodocker.DockerError as error:
        raise ProvisionError(f"{what}: {complaint(error.message)}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise ProvisionError(f"{what}: {complaint(f'cannot be spoken to: {error}')}") from error


def complaint(message: str) -> str:
    """Return an engine's message as one line, with what helps."""
    remedy = next((remedy for sign, remedy in _REMEDIES if sign in message.lower()), "")
    if wrapped := _WRAPPED.fullmatch(message):
        message = wrapped[1]
    line = " ".join(message.split())
    return f"{line} ({remedy})" if remedy else line
