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


class Engines:
    """Engines by address, and which of them have the image."""

    def __init__(self, *having: str) -> None:
        self.having = {"here", *having}
        self.exported = 0
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


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Engines:
    found = Engines("10.0.0.1")
    monkeypatch.setattr(shipping.docker, "open_engine", found.at)
    for verb in ("has_image", "export_image", "load_image"):
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
