from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from auniverse.address import Remote
from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes.docker import place as place_module
from auniverse.remotes.docker.container import Running
from auniverse.remotes.docker.place import Place


class Source:
    """Gives containers that are none."""

    def __init__(self) -> None:
        self.spares: list[Running] = []
        self.discarded: list[Any] = []
        self.said: list[tuple[str, str]] = []
        self.fails = False

    def progress(self, name: str, state: str) -> None:
        self.said.append((name, state))

    def spare(self) -> Running | None:
        return self.spares.pop() if self.spares else None

    def made(self, port: int) -> Running:
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        container: Any = SimpleNamespace(ended=ended, log_tail="last words")
        return Running(container, Remote("h", port, None, name="whatever"))

    async def boot(self, name: str, slot: str) -> Running:
        if self.fails:
            raise ProvisionError("no")
        assert (name, slot) == ("gym-core-3", "3")
        return self.made(1)

    async def discard(self, container: Any) -> None:
        self.discarded.append(container)

    def discard_later(self, container: Any) -> None:
        self.discarded.append(container)


def test_what_runs_in_a_place_has_its_name() -> None:
    async def main() -> None:
        source = Source()
        place = Place(source, "gym-core-3")
        assert (place.alive, place.log_tail, place.cause_of_death) == (False, "", "")
        assert (await place.fill()).name == "gym-core-3"
        assert (place.alive, place.log_tail, place.cause_of_death) == (True, "last words", "")
        assert place.running is not None
        place.running.container.ended.set_result("OOM killed at 512 MiB")
        assert (place.alive, place.cause_of_death) == (False, "OOM killed at 512 MiB")
        source.spares = [source.made(2)]
        first = place.running.container
        new = await place.replace()
        assert (new.name, new.vnc_port, source.discarded) == ("gym-core-3", 2, [first])
        assert (await place.fill()) == new
        assert source.said == [("gym-core-3", "taken again")]

    asyncio.run(main())


def test_a_replacement_that_fails_may_be_tried_again() -> None:
    async def main() -> None:
        source = Source()
        place = Place(source, "gym-core-3")
        await place.fill()
        source.fails = True
        with pytest.raises(ProvisionError):
            await place.replace()
        assert not place.alive
        source.fails = False
        assert (await place.replace()).vnc_port == 1
        await place.stop()
        assert len(source.discarded) == 2
        with pytest.raises(UsageError, match="ended on purpose"):
            await place.replace()

    asyncio.run(main())


def test_news_of_an_end_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        source = Source()
        place = Place(source, "gym-core-3")
        await place.refresh()  # nothing runs
        await place.fill()
        monkeypatch.setattr(place_module, "_OBITUARY", 0.0)
        await place.refresh()
        assert place.alive
        monkeypatch.setattr(place_module, "_OBITUARY", 3600.0)
        assert place.running is not None
        asyncio.get_running_loop().call_soon(place.running.container.ended.set_result, "it did")
        await place.refresh()
        assert (place.alive, place.cause_of_death) == (False, "it did")

    asyncio.run(main())
