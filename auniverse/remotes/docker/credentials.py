"""What `docker login` noted: who we are for the registries that images go to and come from."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from aiodocker.utils import compose_auth_header

#: The registry of names that begin with none, and what `docker login` calls it.
_HUB, _HUB_KEY = "docker.io", "https://index.docker.io/v1/"


def registry_of(image: str) -> str:
    """Return the registry that the name of an image begins with; "": it begins with none."""
    first, slash, _ = image.partition("/")
    is_host = "." in first or ":" in first or first == "localhost"
    return first if slash and is_host else ""


def login(registry: str, environ: Mapping[str, str] = os.environ) -> dict[str, str] | None:
    """Return what a registry is to be told; None: nobody has logged in there.

    Args:
        registry: Its host, with the port if it has one.
        environ: Says where `docker login` keeps it (DOCKER_CONFIG). Credential helpers are not
            asked.
    """
    folder = environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    key = _HUB_KEY if registry == _HUB else registry
    try:
        noted = json.loads((Path(folder) / "config.json").read_text())["auths"][key]
        if token := noted.get("identitytoken"):
            return {"identitytoken": token, "serveraddress": key}
        user, _, password = base64.b64decode(noted["auth"]).decode().partition(":")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return {"username": user, "password": password, "serveraddress": key}


def login_header(image: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the header with which an engine, and each node of a swarm, may pull an image.

    It is empty where the name begins with no registry, or nobody has logged in there: what has
    nothing to do with an image never learns of it.
    """
    registry = registry_of(image)
    found = login(registry, environ) if registry else None
    return {"X-Registry-Auth": compose_auth_header(found)} if found else {}
