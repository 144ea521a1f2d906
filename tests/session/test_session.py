"""One remote as an environment, on real hosts of a small program and on a real desktop."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from auniverse.address import Remote
from auniverse.errors import (
    ConnectionLostError,
    RemoteTimeoutError,
    RewarderReplyError,
    UsageError,
)
from auniverse.links import VNCLink
from auniverse.rewarder import Connection
from auniverse.session import Session, connect
from tests.meter import ENV_ID, HEIGHT, WIDTH, lift, meters, press
from tests.scripted import OPENING, says
from tests.tigervnc import tigervnc, xterm


def run(scenario, **options):
    async def main():
        async with (
            meters(1) as hosts,
            connect(hosts[0].remote, env_id=ENV_ID, **options) as session,
        ):
            await scenario(session)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_lockstep_step_by_step():
    async def scenario(session):
        observation, info = await session.reset(seed=9)
        assert observation.shape == (HEIGHT, WIDTH, 3)
        assert observation[0, 0].tolist() == [0, 9, 0]
        assert info["env_id"] == ENV_ID
        assert info["text"].startswith("episode")
        observation, reward, terminated, truncated, info = await session.step(press("a"))
        assert (observation[0, 0].tolist(), reward) == ([1, 9, 1], 1.0)
        assert not terminated
        assert not truncated
        observation, reward, *_ = await session.step(lift("a"))
        assert (observation[0, 0].tolist(), reward) == ([2, 9, 0], 0.0)
        *_, terminated, truncated, info = await session.step(press("q"))
        assert terminated
        assert not truncated
        ended = info["episode_id"]
        observation, reward, terminated, _, info = await session.step(press("a"))
        assert observation[0, 0].tolist() == [0, 9, 0], "the next episode, its key dropped"
        assert reward == 0.0
        assert not terminated
        assert info["episode_id"] != ended

    run(scenario, lockstep=True)


def test_observations_are_the_callers_own():
    async def scenario(session):
        first, _ = await session.reset(seed=1)
        first[...] = 77
        second, *_ = await session.step()
        assert second[0, 0, 1] == 1

    run(scenario, lockstep=True)


def test_real_time_runs_on():
    async def scenario(session):
        await session.reset(seed=0)
        total = 0.0
        await session.step(press("a"))
        while total < 10:
            observation, reward, _, _, info = await session.step()
            total += reward
        assert observation[0, 0, 0] >= 10
        assert 0 < info["lag_action_s"] < 10
        assert info["frame_age_s"] < 10

    run(scenario, fps=60)


def test_closing_lets_go_of_keys():
    async def main():
        async with meters(1) as hosts:
            async with connect(hosts[0].remote, fps=60) as session:
                await session.reset()
                observation, *_ = await session.step(press("a"))
                while not observation[0, 0, 2]:
                    observation, *_ = await session.step()
            async with connect(hosts[0].remote, fps=60, observer=True) as session:
                observation, _ = await session.reset()
                while observation[0, 0, 2]:
                    observation, *_ = await session.step()

    asyncio.run(main())


def test_the_end_of_an_episode_lets_go_of_keys():
    async def scenario(session):
        await session.reset()
        over = False
        events = [*press("a"), *press("q")]
        while not over:
            _, _, over, *_ = await session.step(events)
            events = []
        assert session.hands.held == set()
        assert session.hands.sent == 4  # what went down has gone up

    run(scenario, fps=60)


def test_an_unknown_env_is_refused_by_name():
    async def scenario(session):
        with pytest.raises(RewarderReplyError, match=r"Llama.*") as caught:
            await session.reset(env_id="meter.Llama-v0")
        assert caught.value.remote == str(session.remote)
        await session.reset(env_id=ENV_ID)

    run(scenario)


def test_pixels_only():
    async def main():
        async with meters(1) as hosts:
            remote = replace(hosts[0].remote, rewarder_port=None)
            async with connect(remote, fps=100) as session:
                observation, info = await session.reset()
                assert observation.shape == (HEIGHT, WIDTH, 3)
                assert info["episode_id"] is None
                _, reward, terminated, truncated, _ = await session.step(press("a"))
                assert (reward, terminated, truncated) == (0.0, False, False)

    asyncio.run(main())


def test_rewards_only():
    async def main():
        async with meters(1) as hosts:
            remote = replace(hosts[0].remote, vnc_port=None)
            async with connect(remote, lockstep=True) as session:
                observation, _ = await session.reset()
                assert observation.shape == (0, 0, 3)
                _, reward, *_ = await session.step(press("a"))
                assert reward == 1.0

    asyncio.run(main())


def test_lockstep_needs_a_host_that_has_it():
    async def main():
        async with meters(1) as hosts:
            remote = replace(hosts[0].remote, rewarder_port=None)
            with pytest.raises(UsageError, match="lock-step"):
                await connect(remote, lockstep=True).__aenter__()

    asyncio.run(main())


def test_a_lost_remote_is_said_by_the_next_call():
    async def main():
        async with meters(1) as hosts:
            session = await connect(hosts[0].remote, fps=60).__aenter__()
            await session.reset()
        fault = await session.lost()
        assert isinstance(fault, ConnectionLostError)
        with pytest.raises(ConnectionLostError, match=str(session.remote.vnc_port)):
            await session.step()
        await session.__aexit__(None, None, None)

    asyncio.run(main())


def test_a_screen_that_never_comes_is_a_time_out():
    async def main():
        async with says(OPENING) as port:
            remote = Remote("127.0.0.1", port, None)
            async with connect(remote, reset_timeout=0.2) as session:
                with pytest.raises(RemoteTimeoutError, match="first frame") as caught:
                    await session.reset()
                assert str(port) in str(caught.value)
                assert caught.value.remedy

    asyncio.run(main())


def test_the_body_of_async_with_keeps_its_own_exception():
    async def scenario(session):
        await session.reset()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(scenario)


def test_bad_arguments():
    with pytest.raises(UsageError, match="local, lan, wan"):
        Session(Remote("h", 1, 2), link="moon")


def test_a_session_is_used_while_it_is_open():
    async def main():
        session = connect("vnc://localhost:1+2")
        with pytest.raises(UsageError, match="async with"):
            await session.reset()

    asyncio.run(main())


@pytest.mark.apt
def test_a_real_desktop_without_rewarder_is_an_environment(tmp_path):
    async def main():
        async with (
            tigervnc(tmp_path) as (remote, display),
            xterm(display),
            connect(remote, fps=30) as session,
        ):
            observation, info = await session.reset()
            while observation[..., 0].mean() < 50:  # until the white terminal is up
                observation, *_ = await session.step([("PointerEvent", 100, 100, 0)])
            shown = observation
            for letter in "ls":
                events = [("KeyEvent", letter, True), ("KeyEvent", letter, False)]
                observation, *_, info = await session.step(events)
            while not (observation != shown).any():
                observation, *_, info = await session.step()
            assert np.isfinite(info["frame_age_s"])
            assert 0 < info["lag_action_s"] < 60, "TigerVNC confirms with a fence what it has read"

    asyncio.run(main())


@pytest.fixture
def universe_only(monkeypatch):
    """Make clients that know no more than Universe's: no protocol 1, no numbered frames."""
    headers = Connection.upgrade_headers

    def without_ours(self):
        return {k: v for k, v in headers(self).items() if not k.startswith("auniverse")}

    monkeypatch.setattr(Connection, "upgrade_headers", without_ours)
    monkeypatch.setattr(VNCLink, "frame", None)


@pytest.mark.usefixtures("universe_only")
def test_protocol_v0_and_a_plain_vnc_server_are_enough():
    async def scenario(session):
        observation, info = await session.reset(seed=7)
        assert session.v1 is None
        assert observation[0, 0, 1] == 7, "an observation of the new episode, not of the old one"
        total, ended = 0.0, False
        await session.step(press("a"))
        while total < 5:
            _, reward, *_ = await session.step()
            total += reward
        events = [*lift("a"), *press("q")]
        while not ended:
            *_, ended, _, info = await session.step(events)
            events = []
        episode = info["env_status.complete.episode_id"]
        observation, reward, terminated, _, info = await session.step(press("a"))
        assert (reward, terminated) == (0.0, False)
        assert info["episode_id"] != episode
        assert observation[0, 0, 2] == 0, "the key of the dropped action is not down"
        assert 0 < info["lag_action_s"] < 10, "a fence tells when the input was read"

    run(scenario, fps=60)


@pytest.mark.usefixtures("universe_only")
def test_protocol_v0_has_no_lockstep():
    async def scenario(session):
        raise AssertionError("it opened")

    with pytest.raises(UsageError, match="lock-step"):
        run(scenario, lockstep=True)
