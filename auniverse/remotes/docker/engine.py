"""The container engine: how it is spoken to, and its complaints in our words."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import aiodocker
import aiohttp

from auniverse.errors import MissingDependencyError, ProvisionError

from ..access import Access, find_engine

#: What aiodocker calls it when nobody answers.
UNREACHABLE = 900
#: Seconds until an engine must have taken a connection.
_CONNECT = 10.0
#: What an engine complains of, and what helps.
_REMEDIES = (
    ("permission denied", "its socket is for others: `sudo usermod -aG docker $USER`, log in anew"),
    ("no space left on device", "the disk is full: `docker system df` says by what"),
    ("cannot connect to docker engine", "is it running? DOCKER_HOST says where it is"),
)


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
        self.follows = not access.url.startswith("ssh:")


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
    try:
        connector = _connector(access)
        unix = access.url.startswith("unix://")  # beside a connector aiodocker wants no path there
        docker = aiodocker.Docker("unix://localhost" if unix else access.url, connector=connector)
    except aiodocker.DockerError as error:
        if "asyncssh" in error.message:
            raise MissingDependencyError(
                "DOCKER_HOST=ssh:// needs a package: pip install 'auniverse[ssh]'"
            ) from error
        raise ProvisionError(f"the engine at {access.url}: {error.message}") from error
    async with docker:
        try:
            with speaking(f"the engine at {access.url}"):
                await docker.version()
            yield Engine(access, docker)
        finally:
            if connector is not None:
                await connector.close()


def _connector(access: Access) -> aiohttp.BaseConnector | None:
    """Return a connector without a limit: the log of every container is one open request."""
    if access.url.startswith("unix://"):
        return aiohttp.UnixConnector(access.url.removeprefix("unix://"), limit=0)
    if access.url.startswith("ssh://"):
        return None
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
    line = " ".join(message.split())
    found = (remedy for sign, remedy in _REMEDIES if sign in line.lower())
    remedy = next(found, "")
    return f"{line} ({remedy})" if remedy else line
