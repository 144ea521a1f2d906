from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from auniverse.address import Route
from auniverse.errors import (
    AuthenticationError,
    RemoteError,
    RewarderReplyError,
    UnknownEnvError,
)
from auniverse.host import live_host
from auniverse.host.certificate import Certificate
from auniverse.host.live_host import LiveHost
from auniverse.host.program import Metadata, Outcome, ProgramCrashed, Report
from auniverse.host.stage import ProgramFailed
from auniverse.links import open_rewarder, open_vnc
from auniverse.session import Session
from tests.certificates import Authority

pytestmark = pytest.mark.apt

ENV_ID = "live.Toy-v0"


class Toy:
    """A program of which the test decides what it reports; its desktop stays empty."""

    def __init__(self) -> None:
        self.report: Report
        self.loads: list[str] = []
        self.seeds: list[int | None] = []
        self.fail = 0
        self.closed = False

    async def load(self, env_id, desktop, report) -> Metadata:
        if env_id == "live.Broken-v0":
            raise ProgramCrashed("it does not come up")
        if not env_id.startswith("live."):
            raise UnknownEnvError(f"no {env_id!r} here")
        self.loads.append(env_id)
        self.report = report
        width, height = desktop.size
        return Metadata(env_id, 50.0, width, height, (), "hold", (), True, True)

    async def reset(self, seed: int | None) -> str | None:
        if self.fail:
            self.fail -= 1
            raise ProgramCrashed("it does not begin")
        self.seeds.append(seed)
        return f"episode {len(self.seeds)}"

    async def close(self) -> None:
        self.closed = True

    def earn(self, reward: float, **outcome) -> None:
        self.report(
            Outcome(
                reward,
                outcome.get("terminated", False),
                outcome.get("truncated", False),
                outcome.get("text"),
                outcome.get("info", {}),
            )
        )


@asynccontextmanager
async def playing(**options) -> AsyncIterator[tuple[Toy, LiveHost, asyncio.Task[None]]]:
    toy = Toy()
    host = LiveHost(toy, env_id=ENV_ID, screen="64x64", password="secret12", **options)
    async with host:
        running = asyncio.create_task(host.run())
        try:
            yield toy, host, running
        finally:
            running.cancel()
            await asyncio.wait((running,))
    assert toy.closed


async def until_over(session: Session) -> list[tuple]:
    steps = []
    async with asyncio.timeout(10):
        while not steps or not (steps[-1][2] or steps[-1][3]):
            steps.append(await session.step())
    return steps


def test_episodes_rewards_and_words() -> None:
    async def main() -> None:
        async with playing() as (toy, host, _), Session(host.remote, env_id=ENV_ID) as session:
            observation, info = await session.reset(seed=7)
            assert observation.shape == (64, 64, 3)
            assert toy.seeds[-1] == 7
            assert info["text"] == f"episode {len(toy.seeds)}"

            toy.earn(1.5)
            toy.earn(0.0, text="go on")
            toy.earn(2.0, terminated=True, info={"raw_reward": 3})
            steps = await until_over(session)
            assert sum(step[1] for step in steps) == 3.5
            assert steps[-1][2:4] == (True, False)
            assert steps[-1][4]["raw_reward"] == 3

            await session.step()  # the next episode begins by itself
            assert toy.seeds[-1] is None
            toy.earn(-1.0, truncated=True)
            steps = await until_over(session)
            assert sum(step[1] for step in steps) == -1.0
            assert steps[-1][2:4] == (False, True)

    asyncio.run(main())


def test_a_crash_ends_the_episode_with_its_reason_and_the_program_starts_anew() -> None:
    async def main() -> None:
        async with playing() as (toy, host, _), Session(host.remote, env_id=ENV_ID) as session:
            await session.reset()
            toy.report(ProgramCrashed("the page crashed"))
            toy.earn(100.0)  # too late: nothing runs
            steps = await until_over(session)
            assert sum(step[1] for step in steps) == 0.0
            assert steps[-1][4]["reason"] == "the page crashed"
            await session.step()
            assert toy.loads == [ENV_ID, ENV_ID]

    asyncio.run(main())


def test_another_environment_and_refusals() -> None:
    async def main() -> None:
        async with playing() as (toy, host, _), Session(host.remote, env_id=ENV_ID) as session:
            await session.reset()
            await session.reset(env_id="live.Other-v0")
            assert toy.loads == [ENV_ID, "live.Other-v0"]
            for env_id, reason in (("quake", "no 'quake'"), ("live.Broken-v0", "not come up")):
                with pytest.raises(RewarderReplyError, match=reason):
                    await session.reset(env_id=env_id)
            with pytest.raises(RewarderReplyError, match="0 or more"):
                await session.reset(seed=-1)
        async with playing() as (_, host, _):
            with pytest.raises(RewarderReplyError, match="no lock-step"):
                async with Session(host.remote, env_id=ENV_ID, lockstep=True) as session:
                    await session.reset()

    asyncio.run(main())


def test_a_program_that_keeps_failing_ends_the_host() -> None:
    async def main() -> None:
        async with playing() as (toy, host, running):
            toy.fail = 2
            async with Session(host.remote, env_id=ENV_ID) as session:
                await session.reset()  # the third attempt is good
                toy.fail = 100
                session.begin_reset()
                with pytest.raises(ProgramFailed, match="it does not begin"):
                    async with asyncio.timeout(10):
                        await running

    asyncio.run(main())


def test_a_reset_that_hangs_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_host, "RESET_TIMEOUT", 0.01)

    class Sleepy(Toy):
        async def reset(self, seed: int | None) -> str | None:
            await asyncio.Event().wait()
            return None

    async def main() -> None:
        with pytest.raises(ProgramFailed, match="no first picture"):
            async with LiveHost(Sleepy(), env_id=ENV_ID, screen="64x64"):
                pass

    asyncio.run(main())


def test_who_asks_or_reports_too_much_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with playing() as (toy, host, _), Session(host.remote, env_id=ENV_ID) as session:
            await session.reset()
            monkeypatch.setattr(live_host, "MAX_WAITING", 2)
            for _ in range(10):
                toy.earn(1.0)  # no one takes them before we wait
            toy.earn(100.0, terminated=True)
            assert host._happenings.qsize() == 2
            monkeypatch.undo()
            toy.earn(0.0, terminated=True)
            assert sum(step[1] for step in await until_over(session)) == 2.0

            monkeypatch.setattr(live_host, "MAX_WAITING", 0)
            with pytest.raises(RewarderReplyError, match="too many requests"):
                await session.reset()

    asyncio.run(main())


def test_the_lease() -> None:
    async def main() -> None:
        async with playing(lease=0.01) as (_, _, running):
            async with asyncio.timeout(10):
                await running

    asyncio.run(main())


def test_the_end_of_the_x_server_ends_the_host() -> None:
    async def main() -> None:
        async with playing() as (_, host, running):
            host._desktop._server.kill()
            with pytest.raises(ProgramFailed, match="the X server ended"):
                async with asyncio.timeout(10):
                    await running

    asyncio.run(main())


def test_with_a_certificate_nothing_passes_outside_tls(tmp_path) -> None:
    shown = Authority(tmp_path).sign()
    certificate = Certificate.load(str(shown.cert), str(shown.key))

    async def main() -> None:
        async with playing(certificate=certificate) as (_, host, _):
            remote = host.remote
            assert remote.route == Route(pin=shown.pin)
            async with Session(remote, env_id=ENV_ID) as session:
                observation, _ = await session.reset()
                assert observation.shape == (64, 64, 3)
            plain = replace(remote, route=Route(security=("vncauth", "none")))
            with pytest.raises(AuthenticationError, match=r"types \[19\]; accepted are"):
                await open_vnc(plain)
            with pytest.raises(RemoteError):
                await open_rewarder(plain)

    asyncio.run(main())
