"""What is heard of containers that end, by themselves or with their engine, and what follows."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiodocker
import pytest

from auniverse import SessionPool
from auniverse.remotes import Fleet
from auniverse.remotes.access import Access
from auniverse.remotes.docker import watch as watch_module
from auniverse.remotes.docker.watch import watch
from tests.engine import VARIABLE, own_folder, start, stop
from tests.engine import docker as command

from .real import CARTPOLE, containers, engine, own, until


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


# -- on a real engine ------------------------------------------------------------------------------


def on_an_engine(test: Any) -> Any:
    for mark in (
        pytest.mark.docker,
        pytest.mark.xdist_group("docker"),
        pytest.mark.usefixtures("nothing_is_left"),
    ):
        test = mark(test)
    return test


#: Takes all the memory there is, and sees to it that the host goes first.
EAT = r"""
import pathlib
for process in pathlib.Path("/proc").glob("[0-9]*"):
    if b"-m\0auniverse.host" in (process / "cmdline").read_bytes():
        (process / "oom_score_adj").write_text("1000")
eaten = []
while True:
    eaten.append(bytearray(2**24))
"""


def kill(name: str) -> None:
    engine("kill", name)


def end(name: str) -> None:
    engine("kill", "--signal", "TERM", name)


def pause(name: str) -> None:
    engine("pause", name)


def starve(name: str) -> None:
    command(os.environ["DOCKER_HOST"], "exec", name, "python3", "-c", EAT)


def hang(name: str) -> None:
    init = int(engine("inspect", "--format", "{{.State.Pid}}", name))
    (host,) = Path(f"/proc/{init}/task/{init}/children").read_text().split()
    os.kill(int(host), signal.SIGSTOP)


@on_an_engine
@pytest.mark.parametrize(
    ("how", "cause"),
    [
        (kill, "killed by signal 9"),
        (end, "ended with exit code 0"),
        (pause, "paused by somebody else"),
        (starve, "OOM killed at 512 MiB"),
    ],
)
def test_how_one_died_is_said_and_another_takes_its_place(
    how: Callable[[str], None], cause: str
) -> None:
    async def main() -> None:
        async with containers() as fleet:
            before = fleet[0]
            await asyncio.to_thread(how, *own())
            await until(lambda: fleet.alive(before) is False)
            assert fleet.cause_of_death(before) == cause
            after = await fleet.replace(before)
            assert fleet == [after]
            assert (after.name, fleet.alive(after)) == (before.name, True)
            assert after.vnc_password != before.vnc_password
            assert fleet.cause_of_death(after) == ""

    asyncio.run(main())


async def healed(pool: SessionPool, wounded: set[int]) -> tuple[dict[int, list[str]], int]:
    """Play until the wounded had their faults and play again.

    Returns:
        The faults of each slot, and how many steps the others made.
    """
    faults: dict[int, list[str]] = defaultdict(list)
    well: set[int] = set()
    steps, ids = 0, list(range(pool.num_envs))
    async with asyncio.timeout(60):
        while well != wounded:
            pool.send([[] for _ in ids], ids)
            batch = await pool.recv(min_envs=1, timeout=5)
            ids = batch.env_ids.tolist()
            for number, valid, fault in zip(
                ids, batch.infos["valid"], batch.infos.get("fault", ids), strict=True
            ):
                steps += number not in wounded
                if not valid:
                    faults[number].append(str(fault))
                    well.discard(number)
                elif number in faults:
                    well.add(number)
    return faults, steps


@on_an_engine
def test_a_pool_heals_and_the_others_play_on() -> None:
    wounds = [
        (kill, "killed by signal 9"),
        (pause, "paused by somebody else"),
        (hang, "answered nothing for 2 s"),
    ]

    def wound() -> None:
        names = own()
        for number, (how, _) in enumerate(wounds):
            how(next(name for name in names if f"-{number}-" in name))

    async def main() -> None:
        async with (
            containers(4, env_id=CARTPOLE) as fleet,
            SessionPool(fleet, env_id=CARTPOLE, fps=30, silence=2.0) as pool,
        ):
            await pool.reset(seed=0)
            healing = asyncio.create_task(healed(pool, {0, 1, 2}))
            await asyncio.to_thread(wound)
            faults, steps = await healing
            assert faults.keys() == {0, 1, 2}
            for number, (_, said) in enumerate(wounds):
                assert any(said in fault for fault in faults[number]), faults[number]
            assert steps > 10

    asyncio.run(main())


@on_an_engine
@pytest.mark.skipif(
    own_folder(os.environ.get(VARIABLE, "")) is None,
    reason="stops an engine of the tests' own only: `make test` starts one where none runs",
)
def test_an_engine_that_is_restarted() -> None:
    folder = own_folder(os.environ[VARIABLE])
    assert folder is not None

    def restart() -> None:
        stop(folder, signal.SIGTERM)
        assert start(folder)

    async def play(fleet: Fleet) -> None:
        async with SessionPool(fleet, env_id=CARTPOLE, fps=30) as pool:
            await pool.reset(seed=0)
            faults, _ = (await asyncio.gather(healed(pool, {0, 1}), asyncio.to_thread(restart)))[0]
            assert faults.keys() == {0, 1}

    async def main() -> None:
        async with containers(2, env_id=CARTPOLE) as fleet:
            await play(fleet)
            for remote in list(fleet):  # the new engine is listened to
                engine("kill", engine("ps", "-q", "--filter", f"publish={remote.vnc_port}"))
            await until(lambda: not any(fleet.alive(remote) for remote in fleet))

    asyncio.run(main())
