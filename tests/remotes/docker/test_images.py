from __future__ import annotations

import asyncio
import io
import re
import tarfile
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes.docker import build, find_image, list_built, open_engine, pull
from auniverse.remotes.docker.images import (
    BEGUN,
    authorities,
    build_time,
    context,
    listen,
    name_of,
    parent_of,
)
from auniverse.runtimes import runtime

ROOT = Path(__file__).parents[3]
GYM_CORE = runtime("gym-core")
ON_AN_ENGINE = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker"),
    pytest.mark.usefixtures("image"),
]


def on_an_engine(test: Any) -> Any:
    for mark in ON_AN_ENGINE:
        test = mark(test)
    return test


def test_what_an_image_is_built_from() -> None:
    packed = context("gym-core", b"trust")
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        names = set(tar.getnames())
        assert tar.extractfile("ca.crt").read() == b"trust"  # type: ignore[union-attr]
        assert {entry.mtime for entry in tar} == {0}
    assert {"gym-core/Dockerfile", "auniverse/host/__main__.py"} <= names
    assert "auniverse/runtimes/runtimes.yml" in names
    assert not [name for name in names if name.endswith((".so", ".pyc"))]
    assert packed == context("gym-core", b"trust") != context("gym-core", b"other")


def test_a_parent_holds_nothing_of_ours_and_is_named_by_its_child() -> None:
    with tarfile.open(fileobj=io.BytesIO(context("vnc"))) as tar:
        assert set(tar.getnames()) == {"ca.crt", "vnc/Dockerfile"}
    with tarfile.open(fileobj=io.BytesIO(context("world-of-bits"))) as tar:
        assert "auniverse/host/miniwob.js" in tar.getnames()
    assert parent_of("world-of-bits") == ("auniverse/browser:1", "browser")
    assert parent_of("browser") == ("auniverse/vnc:1", "vnc")
    assert parent_of("gym-core") is None


@pytest.mark.parametrize(
    ("created", "labels", "seconds"),
    [
        ("2026-11-22T22:30:10.5Z", {BEGUN: "2026-11-22T22:29:00.123456789Z"}, 70.376544),
        ("2026-11-22T22:30:10Z", {}, None),
        ("", {BEGUN: "2026-11-22T22:29:00Z"}, None),
    ],
)
def test_what_a_build_took(created: str, labels: dict[str, str], seconds: float | None) -> None:
    assert build_time({"Created": created}, labels) == seconds


def test_what_is_trusted_here_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("mine")
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca"))
    assert authorities() == b"mine"


@pytest.mark.parametrize(
    ("extra", "where"),
    [("gym-core", "gym-core"), ("world-of-bits", "browser"), ("flashgames", "browser")],
)
def test_the_image_needs_what_the_extra_says(extra: str, where: str) -> None:
    """The list beside a Dockerfile, its own or its parent's, says the same as pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    said = {*project["dependencies"], *project["optional-dependencies"][extra]}
    images = ROOT / "auniverse/images"
    listed = (images / where / "requirements.txt").read_text().splitlines()
    listed = [line for line in listed if not line.startswith("#")]
    alone = re.findall(r"--no-deps '(.+)'", (images / extra / "Dockerfile").read_text())
    assert set(project["optional-dependencies"][extra]) <= {*listed, *alone}
    assert {line for line in listed if not line.startswith("gymnasium")} <= said


def test_dockerfiles_begin_with_a_public_image() -> None:
    for path in (ROOT / "auniverse/images").glob("*/Dockerfile"):
        begins = set(re.findall(r"^FROM (\S+)", path.read_text(), re.MULTILINE))
        assert parent_of(path.parent.name) or begins == {"debian:bookworm-slim"}
        assert begins <= {
            "debian:bookworm-slim",
            "auniverse/browser:1",
            "auniverse/vnc:1",
            "auniverse/world-of-bits:1",
        }


@pytest.mark.parametrize(
    ("docker_image", "name"),
    [
        (None, "auniverse/gym-core:1"),
        ("mine", "mine:latest"),
        ("host:5000/mine", "host:5000/mine:latest"),
        ("host:5000/mine:2", "host:5000/mine:2"),
    ],
)
def test_names(docker_image: str | None, name: str) -> None:
    assert name_of(GYM_CORE, docker_image) == name


def test_a_runtime_without_an_image() -> None:
    with pytest.raises(UsageError, match="docker_image= names one"):
        name_of(replace(GYM_CORE, image=""))


async def steps(*said: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    for step in said:
        yield step


def test_what_a_build_says_is_passed_on_and_its_failure_raised() -> None:
    shown: list[str] = []

    async def main() -> None:
        said = [{"stream": "Step 1\n"}, {"status": "Pulling", "id": "a1", "progress": "[=>]"}]
        await listen("cannot", steps(*said), shown.append)
        assert shown == ["Step 1", "a1 Pulling [=>]"]
        failing = steps({"stream": "E: unable\n"}, {"error": "returned 100"})
        with pytest.raises(ProvisionError, match=r"cannot: returned 100; .*with:\nE: unable"):
            await listen("cannot", failing, shown.append)
        full = steps({"error": "no space left on device"})
        with pytest.raises(ProvisionError, match="the disk is full"):
            await listen("cannot", full, shown.append)

    asyncio.run(main())


@on_an_engine
def test_what_has_not_changed_is_not_built_again() -> None:
    async def main() -> None:
        said: list[str] = []
        async with open_engine() as engine:
            image = await build(engine, GYM_CORE, said.append, anew=False)
            found = await find_image(engine, GYM_CORE)
            (listed,) = [built for built in await list_built(engine) if built.name == image.name]
        assert (image.name, image.fresh) == ("auniverse/gym-core:1", False)
        assert said == ["auniverse/gym-core:1 is up to date"]
        assert image == found
        assert (listed.size, listed.current) == (image.size, True)
        assert listed.seconds is None or listed.seconds > 0
        assert image.size < 400e6

    asyncio.run(main())


@on_an_engine
def test_images_that_are_not_there() -> None:
    async def main() -> None:
        other = replace(GYM_CORE, image="localhost:1/auniverse/none", tag="0")
        ways = "`auniverse build gym-core` builds it, `auniverse pull gym-core` pulls it"
        async with open_engine() as engine:
            with pytest.raises(ProvisionError, match=f"no image localhost:1/.*none:0: {ways}"):
                await find_image(engine, other)
            with pytest.raises(ProvisionError, match=r"cannot pull localhost:1/.*build gym-core"):
                await pull(engine, other, lambda line: None)
            with pytest.raises(UsageError, match=r"no Dockerfile for none; there are: .*gym-core"):
                await build(engine, replace(GYM_CORE, name="none"), print, anew=False)

    asyncio.run(main())
