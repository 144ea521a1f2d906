"""Images go to the nodes that lack them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from auniverse.cluster import shipping
from auniverse.errors import ProvisionError

NAME = "auniverse/gym-core:1"
THERE = f"registry.example:5000/team/{NAME}"


class Engines:
    """Engines by address, and which of them have the image."""

    def __init__(self, *having: str) -> None:
        self.having = {"here", *having}
        self.exported = 0
        self.pulled: list[str] = []
        self.open = self.most = 0

    @asynccontextmanager
    async def at(self, address: str = "here") -> AsyncIterator[str]:
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(0)
        yield address
        self.open -= 1

    async def has_image(self, engine: str, name: str) -> bool:
        return engine in self.having

    async def export_image(self, engine: str, name: str, file: Path) -> None:
        if engine not in self.having:
            raise ProvisionError("the engine has no image")
        self.exported += 1
        await asyncio.to_thread(file.write_bytes, b"image")

    async def load_image(self, engine: str, file: Path, progress: Any) -> None:
        assert await asyncio.to_thread(file.read_bytes) == b"image"
        progress(1.0)
        if not engine.startswith("10.0.0.9"):
            self.having.add(engine)

    async def pull_image(self, engine: str, name: str, progress: Any) -> None:
        self.pulled.append(engine)
        if engine.startswith("10.0.0.9"):
            raise ProvisionError(f"cannot pull {name}: connection refused")
        self.having.add(engine)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Engines:
    found = Engines("10.0.0.1")
    monkeypatch.setattr(shipping.docker, "open_engine", found.at)
    for verb in ("has_image", "export_image", "load_image", "pull_image"):
        monkeypatch.setattr(shipping.docker, verb, getattr(found, verb))
    return found


def send(engines: Engines, nodes: dict[str, str]) -> tuple[list[str], list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []

    def tell(name: str, state: str) -> None:
        said.append((name, state))

    sent = asyncio.run(shipping.stream_image(NAME, nodes, engines.at, tell))  # type: ignore[arg-type]
    return sent, said


def test_only_those_without_it_are_sent_it_and_it_is_exported_once(engines: Engines) -> None:
    nodes = {f"n{i}": f"10.0.0.{i}" for i in range(1, 9)}
    sent, said = send(engines, nodes)
    assert sent == [f"n{i}" for i in range(2, 9)]
    assert engines.exported == 1
    assert engines.most <= 5, "this machine's, and four at once"
    assert ("n1", f"has {NAME}") in said
    assert ("n8", f"{NAME}: there") in said
    assert send(engines, nodes)[0] == []
    assert engines.exported == 1


def test_what_is_nowhere_or_does_not_stay_is_an_error(engines: Engines) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        send(engines, {"n9": "10.0.0.9"})
    assert "n9 took an image and does not have" in str(caught.value.exceptions[0])
    engines.having.remove("here")
    with pytest.raises(ProvisionError, match="has no image"):
        send(engines, {"n2": "10.0.0.2"})


def pull(engines: Engines, nodes: dict[str, str], *, anew: bool) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []

    def tell(name: str, state: str) -> None:
        said.append((name, state))

    asyncio.run(shipping.have_pulled(THERE, nodes, engines.at, tell, anew=anew))  # type: ignore[arg-type]
    return said


def test_nodes_pull_by_themselves_what_a_registry_has(engines: Engines) -> None:
    nodes = {"n1": "10.0.0.1", "n2": "10.0.0.2"}
    said = pull(engines, nodes, anew=False)
    assert engines.pulled == ["10.0.0.2"]
    assert ("n1", f"has {THERE}") in said
    assert said[-2:] == [("n2", f"pulling {THERE}"), ("n2", f"{THERE}: there")]
    pull(engines, nodes, anew=True)
    assert sorted(engines.pulled) == ["10.0.0.1", "10.0.0.2", "10.0.0.2"], "it may be another now"
    assert engines.exported == 0


def test_nodes_that_cannot_pull_are_named_with_what_helps(engines: Engines) -> None:
    nodes = {"n1": "10.0.0.1", "n9": "10.0.0.90", "n8": "10.0.0.91"}
    with pytest.raises(ProvisionError) as caught:
        pull(engines, nodes, anew=True)
    assert str(caught.value) == (
        f"n8: cannot pull {THERE}: connection refused, and neither can n9; the nodes must reach "
        "the registry registry.example:5000 under this name, and trust it (`docker pull "
        f"{THERE}` there shows whether they do); without a registry the image is streamed to them "
        "over SSH"
    )
    assert "10.0.0.1" in engines.pulled, "the others have it then"
