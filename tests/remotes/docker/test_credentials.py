"""What `docker login` noted is found, and told to nobody else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from auniverse.remotes.docker.credentials import login, login_header, registry_of

AUTH = base64.b64encode(b"me:se:cret").decode()
NOTED = {
    "registry.example:5000": {"auth": AUTH},
    "helped.example": {},
    "token.example": {"auth": AUTH, "identitytoken": "t"},
    "https://index.docker.io/v1/": {"auth": AUTH},
    "broken.example": {"auth": "no base64"},
    "wrong.example": "a word",
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config.json").write_text(json.dumps({"auths": NOTED}))
    return {"DOCKER_CONFIG": str(tmp_path)}


def header(image: str, environ: dict[str, str]) -> dict[str, Any]:
    """Read the header as an engine does."""
    (coded,) = login_header(image, environ).values()
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(coded))
    return found


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("auniverse/gym-core:1", ""),
        ("gym-core:1", ""),
        ("localhost/gym-core:1", "localhost"),
        ("10.0.0.1:5000/team/gym-core", "10.0.0.1:5000"),
        ("registry.example/auniverse/gym-core:1", "registry.example"),
        ("docker.io/me/x:1", "docker.io"),
    ],
)
def test_a_name_begins_with_a_registry_or_not(image: str, registry: str) -> None:
    assert registry_of(image) == registry


def test_each_registry_is_told_its_own(environ: dict[str, str]) -> None:
    assert header("registry.example:5000/team/x:1", environ) == {
        "username": "me",
        "password": "se:cret",
        "serveraddress": "registry.example:5000",
    }
    assert header("docker.io/me/x:1", environ)["serveraddress"] == "https://index.docker.io/v1/"
    assert header("token.example/x", environ) == {
        "identitytoken": "t",
        "serveraddress": "token.example",
    }


def test_nobody_else_is_told_anything(environ: dict[str, str], tmp_path: Path) -> None:
    for image in ("auniverse/gym-core:1", "registry.example/x:1", "registry.example:5001/x:1"):
        assert login_header(image, environ) == {}
    for registry in ("helped.example", "broken.example", "wrong.example", "other.example"):
        assert login(registry, environ) is None
    assert login("registry.example:5000", {"DOCKER_CONFIG": str(tmp_path / "none")}) is None
    (tmp_path / "config.json").write_text("[]")
    assert login("registry.example:5000", environ) is None
