from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auniverse.address import Route
from auniverse.errors import UsageError
from auniverse.remotes.access import Access, find_engine


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"DOCKER_HOST": "unix:///x.sock"}, {"url": "unix:///x.sock", "bind": "127.0.0.1"}),
        (
            {"DOCKER_HOST": "unix:///x.sock", "DOCKER_NET_HOST": "10.0.0.7"},
            {"host": "10.0.0.7", "bind": "10.0.0.7"},
        ),
        (
            {"DOCKER_HOST": "tcp://box:2375"},
            {"url": "tcp://box:2375", "host": "box", "bind": "0.0.0.0", "tls": None},
        ),
        ({"DOCKER_HOST": "tcp://127.0.0.1:2375"}, {"host": "127.0.0.1", "bind": "127.0.0.1"}),
        (
            {
                "DOCKER_HOST": "tcp://box:2376",
                "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": "/certs",
                "DOCKER_NET_HOST": "localhost",
            },
            {
                "url": "https://box:2376",
                "host": "localhost",
                "bind": "127.0.0.1",
                "tls": Path("/certs"),
            },
        ),
        (
            {"DOCKER_HOST": "ssh://me@box:2222"},
            {"url": "ssh://me@box:2222", "host": "127.0.0.1", "bind": "127.0.0.1", "tls": None},
        ),
    ],
)
def test_where_an_engine_is(environ: dict[str, str], expected: dict[str, Any]) -> None:
    found = find_engine(environ)
    assert found is not None
    assert {key: getattr(found, key) for key in expected} == expected


def test_ports_behind_ssh_are_reached_through_it() -> None:
    found = find_engine({"DOCKER_HOST": "ssh://me@box"})
    assert found is not None
    assert (found.route.scheme, found.route.jump, found.route.user) == ("vnc+ssh", "box:22", "me")
    assert found.ssh == found.route
    found = find_engine({"DOCKER_HOST": "ssh://me@box", "DOCKER_NET_HOST": "10.0.0.7"})
    assert found is not None
    assert (found.ssh is None, found.route, found.bind) == (False, Route(), "10.0.0.7")
    with pytest.raises(UsageError, match="SSH takes keys") as caught:
        find_engine({"DOCKER_HOST": "ssh://me:hunter2@box"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("said", ["box:2375", "ftp://box", "tcp://", "/var/run/docker.sock"])
def test_what_is_no_engines_address(said: str) -> None:
    with pytest.raises(UsageError, match=r"no engine's address; unix:///path, tcp://host"):
        find_engine({"DOCKER_HOST": said})


def test_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    if not Path("/var/run/docker.sock").exists():
        assert find_engine({}) is None
    socket = tmp_path / "docker.sock"
    assert Access(f"unix://{socket}").is_missing
    socket.touch()
    if not Path("/var/run/docker.sock").exists():
        assert find_engine({"XDG_RUNTIME_DIR": str(tmp_path)}) == Access(f"unix://{socket}")
    assert not Access(f"unix://{socket}").is_missing
    assert not Access("tcp://box:2375").is_missing
