from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from auniverse import remotes
from auniverse.address import Remote
from auniverse.errors import (
    AddressError,
    MissingDependencyError,
    ProvisionError,
    UnknownEnvError,
    UnknownRuntimeError,
    UsageError,
)
from auniverse.remotes import launch, provide


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"runtime": "mario"}, UnknownRuntimeError, "there are: gym-core"),
        ({"n": 0}, UsageError, "1 or more, not 0"),
        ({"n": True}, UsageError, "1 or more, not True"),
        ({"n": 1.0}, UsageError, "1 or more"),
        ({"backend": "cloud"}, UsageError, "no backend 'cloud'; there are: process, docker, swarm"),
        ({"client_id": "a b"}, UsageError, "client_id='a b': 1 to 64 letters"),
        ({"backend": "docker", "warm": -1}, UsageError, "warm=-1: the number of spare"),
        ({"warm": 1}, UsageError, "are for containers: backend='docker'"),
        ({"docker_image": "x"}, UsageError, "are for containers: backend='docker'"),
        ({"backend": "docker", "manager": "ssh://m"}, UsageError, "for services: backend='swarm'"),
        ({"constraints": ["a==b"]}, UsageError, "for services: backend='swarm'"),
        ({"env_id": "mario.World-v0"}, UnknownEnvError, "World"),
        ({"env_id": "wob.mini.ClickTest-v0"}, UsageError, "does not run on gym-core"),
        ({"screen": "1024"}, UsageError, "screen must be like"),
        ({"screen": "0x768"}, UsageError, "screen must be like"),
        ({"lease": 0}, UsageError, "lease must be more than 0"),
        ({"timeout": float("nan")}, UsageError, "timeout must be more than 0"),
    ],
)
def test_a_wrong_launch_is_refused_at_once(
    arguments: dict[str, Any], error: type[UsageError], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        launch(**{"runtime": "gym-core", **arguments})


@pytest.mark.parametrize(
    "spec",
    ["", "four", "4.0", "--1", "docker:", "h:5900+15900", "http://a", [], ["vnc://a:1"], None],
)
def test_a_wrong_spec_is_refused_with_the_forms(spec: Any) -> None:
    with pytest.raises(
        UsageError, match=r"'docker:4' or 'swarm:4'.*vnc://host:5900.*list of Remote"
    ):
        provide(spec, runtime="gym-core")


def test_a_spec_is_read_by_its_form() -> None:
    with pytest.raises(UsageError, match="no backend 'cloud'"):
        provide("cloud:4", runtime="gym-core")
    for spec in ("0", "docker:0", "-1", -1):
        with pytest.raises(UsageError, match=f"1 or more, not {str(spec)[-2:].lstrip(':')}"):
            provide(spec, runtime="gym-core")
    with pytest.raises(AddressError, match="port 0"):
        provide("vnc://h:0+1", runtime="gym-core")


def test_a_refused_spec_shows_no_password() -> None:
    for spec in ("http://h?password=hunter2", ["vnc://h:1?password=hunter2"]):
        with pytest.raises(UsageError) as caught:
            provide(spec, runtime="gym-core")  # type: ignore[arg-type]
        assert "hunter2" not in str(caught.value)


def test_addresses_are_passed_on() -> None:
    async def main() -> None:
        remotes = [Remote("a", 1, 2, "x", "x"), Remote("b", 3, 4, "x", "x")]
        async with provide("vnc://a:1+2,b:3+4?password=x", runtime="gym-core") as fleet:
            assert fleet == remotes
        async with provide(remotes, runtime="gym-core") as fleet:
            assert fleet == remotes

    asyncio.run(main())


@pytest.mark.parametrize("spec", [1, "1", "process:1"])
def test_a_number_starts_as_many(spec: int | str) -> None:
    async def main() -> None:
        async with provide(spec, runtime="gym-core", screen="native", lease=None) as fleet:
            assert [remote.name for remote in fleet] == ["gym-core-0"]
            assert fleet.alive(fleet[0])
        assert not fleet.alive(fleet[0])

    asyncio.run(main())


@pytest.mark.parametrize("spec", ["docker:1", "swarm:1"])
def test_containers_asked_for_by_name_are_never_replaced(spec: str) -> None:
    async def main() -> None:
        async with provide(spec, runtime="gym-core"):
            pass

    with pytest.raises(ProvisionError, match="is it running\\? DOCKER_HOST says where it is"):
        asyncio.run(main())


def test_processes_take_the_place_of_containers_and_one_line_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        for _ in range(2):
            async with provide(1, runtime="gym-core", screen="native", client_id="me") as fleet:
                assert fleet.alive(fleet[0])

    remotes._said.clear()
    caplog.set_level(logging.INFO, "auniverse.remotes")
    asyncio.run(main())
    assert [record.message for record in caplog.records] == [
        "processes instead of containers: there is no container engine here"
    ]


def test_what_either_needs_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with provide(1, runtime="desktop"):
            pass

    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingDependencyError) as refusal:
        asyncio.run(main())
    assert str(refusal.value) == (
        "desktops need TigerVNC's X server: apt-get install tigervnc-standalone-server. "
        "Or containers, but there is no container engine here"
    )


def test_what_no_process_can_host_is_sought_in_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with provide(1, runtime="gym-core"):
            pass

    monkeypatch.setattr(remotes, "HOSTS", frozenset())
    with pytest.raises(ProvisionError, match="is it running"):
        asyncio.run(main())


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_processes_take_the_place_of_an_image_that_is_not_there(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with provide(1, runtime="gym-core", screen="native") as fleet:
            assert fleet.alive(fleet[0])

    monkeypatch.setattr("auniverse.remotes.docker.images.name_of", lambda *_: "nobody/has:it")
    remotes._said.clear()
    asyncio.run(main())
    (said,) = caplog.records
    assert "no image nobody/has:it: `auniverse build gym-core` builds it" in said.message
