"""What a container's end is called; its life is tested on an engine, in `test_launch`."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aiodocker
import pytest

from auniverse.errors import ProvisionError
from auniverse.remotes.docker.container import Container, _create


class Handle:
    """An engine's handle on a container; requests answer as told."""

    def __init__(self, **answers: Any) -> None:
        self.id = "0"
        self.answers = answers
        self.deleted = 0

    async def show(self) -> Any:
        return self._answer("show")

    async def delete(self, force: bool) -> None:
        self.deleted += 1
        self._answer("delete")

    async def pause(self) -> None:
        self._answer("pause")

    def _answer(self, what: str) -> Any:
        if isinstance(self.answers.get(what), Exception):
            raise self.answers[what]
        return self.answers.get(what)


def container(**answers: Any) -> Container:
    engine: Any = SimpleNamespace(follows=False)
    handle: Any = Handle(**answers)
    return Container(engine, handle, "it", None)


def died(code: int) -> dict[str, Any]:
    return {"Action": "die", "Actor": {"Attributes": {"exitCode": str(code)}}}


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ([died(137)], "killed by signal 9"),
        ([died(0)], "ended with exit code 0"),
        ([died(3), died(137)], "ended with exit code 3"),
        ([{"Action": "oom"}, died(137)], "OOM killed at 0 MiB"),
        ([{"Action": "oom"}, died(1)], "ended with exit code 1"),
        ([{"Action": "exec_create: sh"}, {"Action": "unpause"}], None),
        ([{"Action": "pause"}, died(137)], "paused by somebody else"),
    ],
)
def test_how_it_ended_by_events(events: list[dict[str, Any]], cause: str | None) -> None:
    async def main() -> None:
        it = container()
        for event in events:
            it.heed(event)
        assert (it.ended.result() if it.ended.done() else None) == cause

    asyncio.run(main())


@pytest.mark.parametrize(
    ("show", "cause"),
    [
        ({"State": {"Running": True, "ExitCode": 0}}, None),
        ({"State": {"Running": False, "ExitCode": 137}}, "killed by signal 9"),
        (
            {"State": {"Running": False, "ExitCode": 137, "OOMKilled": True}},
            "OOM killed at 0 MiB",
        ),
        (aiodocker.DockerError(404, "none"), "gone: the engine has no such container any more"),
        (aiodocker.DockerError(900, "no engine"), None),
        (OSError("no engine"), None),
    ],
)
def test_how_it_ended_by_looking(show: Any, cause: str | None) -> None:
    async def main() -> None:
        it = container(show=show)
        await it.check()
        assert (it.ended.result() if it.ended.done() else None) == cause

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "tries", "said"),
    [
        (None, 1, ""),
        (aiodocker.DockerError(404, "none"), 1, ""),
        (aiodocker.DockerError(409, "already in progress"), 1, ""),
        (aiodocker.DockerError(500, "device or resource busy"), 4, "its lease ends it"),
        (aiodocker.DockerError(900, "no engine"), 1, "its lease ends it"),
        (OSError("gone"), 1, "its lease ends it"),
    ],
)
def test_removing(
    answer: Exception | None,
    tries: int,
    said: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("auniverse.remotes.docker.container._PAUSE", 0.0)

    async def main() -> None:
        it = container(delete=answer)
        await it.remove()
        assert await it.remove() is (not said)
        assert it._handle.deleted == 2 * tries  # type: ignore[attr-defined]
        assert it.ended.result() == "removed"

    asyncio.run(main())
    assert said in caplog.text
    assert bool(caplog.text) == bool(said)


def test_pausing_what_is_paused_or_gone_changes_nothing() -> None:
    async def main() -> None:
        for message in ("Container x is already paused", "No such container: x"):
            await container(pause=aiodocker.DockerError(409, message)).pause()
        with pytest.raises(ProvisionError, match="cannot pause or resume it: no freezer"):
            await container(pause=aiodocker.DockerError(500, "no freezer")).pause()

    asyncio.run(main())


def test_a_pause_of_ours_is_no_end() -> None:
    async def main() -> None:
        it = container()
        for _ in range(2):
            await it.pause()
            it.heed({"Action": "pause"})
        it._handle.answers["pause"] = aiodocker.DockerError(409, "it is already paused")  # type: ignore[attr-defined]
        await it.pause()  # of which there is no event
        assert not it.ended.done()
        it.heed({"Action": "pause"})
        assert it.ended.result() == "paused by somebody else"
        await it._ending  # type: ignore[misc]
        assert it._handle.deleted == 1  # type: ignore[attr-defined]

    asyncio.run(main())


def test_what_is_created_for_nobody_any_more_is_removed() -> None:
    async def main() -> None:
        asked, made, handle = asyncio.Event(), asyncio.Event(), Handle()

        async def create(config: dict[str, Any], name: str) -> Handle:
            asked.set()
            await made.wait()
            return handle

        engine: Any = SimpleNamespace(docker=SimpleNamespace(containers=SimpleNamespace()))
        engine.docker.containers.create = create
        creating = asyncio.create_task(_create(engine, {}, "it"))
        await asked.wait()
        creating.cancel()
        asyncio.get_running_loop().call_soon(made.set)
        with pytest.raises(asyncio.CancelledError):
            await creating
        assert handle.deleted == 1

    asyncio.run(main())
