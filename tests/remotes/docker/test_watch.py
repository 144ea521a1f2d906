from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aiodocker
import pytest

from auniverse.remotes.access import Access
from auniverse.remotes.docker import watch as watch_module
from auniverse.remotes.docker.watch import watch


class Events:
    """An engine's events; it goes away when told so."""

    def __init__(self) -> None:
        self.heard: list[asyncio.Queue[Any]] = []

    def subscribe(self, filters: str) -> Events:
        assert "auniverse.owner=me" in filters
        self.heard.append(asyncio.Queue())
        return self

    async def get(self) -> Any:
        return await self.heard[-1].get()

    async def stop(self) -> None:
        raise aiodocker.DockerError(900, "gone")


class Watched:
    def __init__(self) -> None:
        self.told: list[str] = []

    def heed(self, event: Any) -> None:
        self.told.append(event["Action"])

    async def check(self) -> None:
        self.told.append("checked")


def test_events_come_to_whom_they_are_about(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch_module, "_PAUSES", (0.0,))

    async def main() -> None:
        events, one, other = Events(), Watched(), Watched()
        docker = SimpleNamespace(docker=SimpleNamespace(events=events), access=Access("unix:///x"))
        known: Any = {"1": one, "2": other}
        task = asyncio.create_task(watch(docker, "me", known))  # type: ignore[arg-type]
        async with asyncio.timeout(30):
            while not events.heard:  # noqa: ASYNC110 (a loop turns, nobody calls)
                await asyncio.sleep(0)
            for told in ("start", "oom", "die"):
                events.heard[0].put_nowait({"Action": told, "Actor": {"ID": "1"}})
            events.heard[0].put_nowait({"Action": "die", "Actor": {"ID": "strange"}})
            events.heard[0].put_nowait(None)  # the engine went away
            while not other.told:  # noqa: ASYNC110
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert one.told == ["start", "oom", "die", "checked"]
        assert other.told == ["checked"]
        assert len(events.heard) == 2

    asyncio.run(main())
    assert "tells nothing any more" in caplog.text
