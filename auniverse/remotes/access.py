"""Where a container engine is, and how its containers are reached; nothing is asked of it here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from auniverse.address import Route
from auniverse.errors import UsageError


@dataclass(frozen=True)
class Access:
    """How an engine, and what its containers publish, are reached.

    Attributes:
        url: The engine: unix://, tcp://, https:// or ssh://.
        host: The host on which published ports are found.
        bind: The address that they are bound to there.
        ssh: The way to its machine; None: it is spoken to directly.
        route: How a remote there is reached.
        tls: The folder with ca.pem, cert.pem and key.pem; None: no TLS.
    """

    url: str
    host: str = "127.0.0.1"
    bind: str = "127.0.0.1"
    ssh: Route | None = None
    route: Route = field(default_factory=Route)
    tls: Path | None = None

    @property
    def is_missing(self) -> bool:
        """Whether it cannot be there: its socket is not."""
        scheme, _, path = self.url.partition("://")
        return scheme == "unix" and not Path(path).exists()


def find_engine(environ: Mapping[str, str]) -> Access | None:
    """Return how the engine is reached; None: there is no sign of one.

    DOCKER_HOST says where it is (unix, tcp, ssh), DOCKER_TLS_VERIFY and DOCKER_CERT_PATH how it
    is trusted, DOCKER_NET_HOST under which name its published ports are reached. Ports of an engine
    behind ssh stay on its loopback, and are reached through ssh as well.

    Raises:
        UsageError: DOCKER_HOST is no address of an engine.
    """
    said = environ.get("DOCKER_HOST") or _local_socket(environ)
    if not said:
        return None
    net_host = environ.get("DOCKER_NET_HOST", "")
    parts = urlsplit(said)
    if parts.scheme == "unix":
        return Access(said, net_host or "127.0.0.1", _bound(net_host))
    if not parts.hostname or parts.scheme not in ("tcp", "http", "https", "ssh"):
        raise UsageError(
            f"DOCKER_HOST={said!r} is no engine's address; unix:///path, tcp://host:2376 and "
            "ssh://user@host are"
        )
    if parts.scheme == "ssh":
        if parts.password is not None:
            raise UsageError("DOCKER_HOST holds a password: SSH takes keys here, and no passwords")
        way = Route("vnc+ssh", jump=f"{parts.hostname}:{parts.port or 22}", user=parts.username)
        if net_host:
            return Access(said, net_host, _bound(net_host), ssh=way)
        return Access(said, ssh=way, route=way)
    tls = None
    if parts.scheme == "https" or environ.get("DOCKER_TLS_VERIFY"):
        tls = Path(environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
        said = re.sub("^tcp|^http(?!s)", "https", said)
    host = net_host or parts.hostname
    return Access(said, host, _bound(host), tls=tls)


def _local_socket(environ: Mapping[str, str]) -> str:
    places = [Path("/var/run/docker.sock"), Path.home() / ".docker/run/docker.sock"]
    if runtime := environ.get("XDG_RUNTIME_DIR"):  # where a rootless engine listens
        places.append(Path(runtime) / "docker.sock")
    return next((f"unix://{place}" for place in places if place.exists()), "")


def _bound(host: str) -> str:
    """Return what to bind published ports to, so that `host` reaches them."""
    if host in ("", "localhost"):
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:  # a name: whatever address it stands for over there
        return "0.0.0.0"
