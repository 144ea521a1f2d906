"""Whole hosts over loopback, with the real client cores and with asyncvnc."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from auniverse import rewarder
from auniverse.errors import AuthenticationError, UnknownEnvError
from auniverse.host import Host, ProgramFailed
from auniverse.host.gym_core import GymProgram
from auniverse.keysyms import keysym
from tests.host.clients import agent, playing, until, watching
from tests.meter import ENV_ID, HEIGHT, WIDTH, Meter

A, Q, T, X = (keysym(key) for key in "aqtx")
NATIVE = {"env_id": ENV_ID, "screen": "native"}


def key(code, down=True):
    return ("KeyEvent", code, down)


def test_reset_frames_and_rewards_in_real_time():
    async def main():
        async with (
            playing(Meter(), **NATIVE) as host,
            watching(host) as watcher,
            agent(host) as player,
        ):
            described = await player.reset(ENV_ID, seed=77)
            assert (described.env_id, described.fps) == (ENV_ID, 200.0)
            first = described.v1.frame
            picture = await watcher.frame(first)
            assert picture.shape == (HEIGHT, WIDTH, 3)
            assert picture[0, 0, 1] == 77
            watcher.connection.send_key(A, True)
            picture = await watcher.frame(first + 10)
            assert picture[0, 0, 0] >= 10
            await watcher.until(lambda c: c.frame.inputs == 1)
            assert watcher.picture()[0, 0, 2] == 1, "frame and input are told together"
            assert abs(watcher.connection.frame.input_at - watcher.connection.frame.drawn_at) < 60
            rewarded = await player.hear(rewarder.Rewarded)
            assert (rewarded.reward, rewarded.done) == (1.0, False)
            assert rewarded.episode_id == described.episode_id

    asyncio.run(main())


def test_the_next_episode_begins_by_itself():
    async def main():
        async with (
            playing(Meter(), **NATIVE) as host,
            watching(host) as watcher,
            agent(host) as player,
        ):
            described = await player.reset(ENV_ID, seed=5)
            ended = int(described.episode_id)
            await watcher.frame(described.v1.frame)
            watcher.connection.send_key(Q, True)
            await watcher.until(lambda c: c.frame.inputs == 1)
            done = await player.hear(rewarder.Rewarded, lambda event: event.done)
            assert (int(done.episode_id), done.info) == (ended, {})
            states = [await player.hear(rewarder.Described) for _ in range(2)]
            assert [
                (said.describe.env_state, int(said.describe.episode_id)) for said in states
            ] == [("resetting", ended + 1), ("running", ended + 1)]
            assert player.heard.index(done) < player.heard.index(states[0])
            picture = await watcher.frame(states[1].describe.v1.frame + 3)
            assert picture[0, 0, 2] == 0, "keys are up in a new episode"
            watcher.connection.send_key(T, True)
            await watcher.until(lambda c: c.frame.inputs == 2)
            done = await player.hear(rewarder.Rewarded, lambda event: event.done)
            assert done.info == {"truncated": True}

    asyncio.run(main())


def test_lockstep_steps_frame_by_frame():
    async def main():
        async with (
            playing(Meter(), **NATIVE) as host,
            watching(host) as watcher,
            agent(host) as player,
        ):
            described = await player.reset(ENV_ID, seed=9, lockstep=True)
            assert described.v1.lockstep
            first = described.v1.frame
            assert (await watcher.frame(first))[0, 0].tolist() == [0, 9, 0]
            reply, rewards = await player.step([key(A)])
            assert reply[1:] == (first + 1, described.episode_id)
            assert [event.reward for event in rewards] == [1.0]
            assert (await watcher.frame(first + 1))[0, 0].tolist() == [1, 9, 1]
            reply, rewards = await player.step(frames=5)
            assert reply.frame == first + 6
            assert sum(event.reward for event in rewards) == 5.0
            assert (await watcher.frame(first + 6))[0, 0].tolist() == [6, 9, 1]
            # Another hand on the keys means nothing.
            watcher.connection.send_key(T, True)
            watcher.writer.write(watcher.connection.data_to_send())
            (link,) = host._viewers.watching()
            await until(lambda: link._inputs)
            reply, rewards = await player.step()
            assert (await watcher.frame(reply.frame))[0, 0].tolist() == [7, 9, 1]
            assert watcher.connection.frame.inputs == 1
            reply, rewards = await player.step([key(Q)], frames=50)
            assert reply.frame == first + 8, "the end of the episode ends the step"
            assert rewards[-1].done
            player.connection.send_step([], now=0.0)
            refused = await player.hear(rewarder.ErrorReplied)
            assert "over" in refused.message
            assert (await player.reset(ENV_ID, seed=8, lockstep=True)).v1.frame == first + 9

    asyncio.run(main())


def test_two_lockstep_runs_with_one_seed_are_identical():
    async def play(host, seed):
        seen = []
        async with watching(host) as watcher, agent(host) as player:
            described = await player.reset("gym-core.Pong-v5", seed=seed, lockstep=True)
            seen.append(await watcher.frame(described.v1.frame))
            for number in range(90):
                events = [key(keysym("ArrowUp" if number % 3 else "space"), number % 2 == 0)]
                reply, rewards = await player.step(events, frames=2)
                seen.append(await watcher.frame(reply.frame))
                seen.append([(event.reward, event.done) for event in rewards])
        return seen

    async def main():
        async with playing(GymProgram(), env_id="gym-core.Pong-v5", screen="native") as host:
            one, two = await play(host, 3), await play(host, 3)
        assert len(one) == 181
        for a, b in zip(one, two, strict=True):
            assert np.array_equal(a, b)

    asyncio.run(main())


def test_lockstep_ends_with_a_reset_or_with_its_agent():
    async def main():
        async with playing(Meter(), **NATIVE) as host, watching(host) as watcher:
            async with agent(host) as player:
                await player.reset(ENV_ID, lockstep=True)
                assert host._tick_timer is None
                described = await player.reset(ENV_ID)
                assert not described.v1.lockstep
                await watcher.frame(described.v1.frame + 3)
                player.connection.send_step([], now=0.0)
                assert "not in lock-step" in (await player.hear(rewarder.ErrorReplied)).message
                described = await player.reset(ENV_ID, lockstep=True)
            await watcher.frame(described.v1.frame + 3)
            async with agent(host) as other:
                described = (await other.hear(rewarder.Described)).describe
                assert not described.v1.lockstep

    asyncio.run(main())


def test_refused_resets_change_nothing():
    async def main():
        async with playing(Meter(), **NATIVE) as host, agent(host) as player:
            described = await player.reset(ENV_ID, seed=1)
            for env_id, seed, reason in (("x.Y-v0", 1, "no 'x.Y-v0'"), (ENV_ID, -1, "seed of -1")):
                player.connection.send_reset(env_id=env_id, seed=seed, fps=60.0, now=0.0)
                assert reason in (await player.hear(rewarder.ErrorReplied)).message
            assert player.connection.described == described

    asyncio.run(main())


def test_another_environment_resizes_a_native_screen():
    lake, cliff = "gym-core.FrozenLake-v1", "gym-core.CliffWalking-v1"

    async def main():
        async with (
            playing(GymProgram(), env_id=lake, screen="native") as host,
            watching(host) as watcher,
            agent(host) as player,
        ):
            before = await watcher.frame(1)
            described = await player.reset(cliff, seed=0, lockstep=True)
            assert (described.env_id, described.v1.press) == (cliff, "tap")
            await watcher.until(lambda c: c.framebuffer.width == described.v1.width)
            after = await watcher.frame(described.v1.frame)
            assert (before.shape, after.shape) == ((256, 256, 3), (256, 768, 3))
            program = GymProgram()
            program.load(cliff)
            assert np.array_equal(after, program.reset(0)[0])
            program.close()

    asyncio.run(main())


def test_a_host_without_an_environment_waits_for_one():
    async def main():
        async with playing(Meter()) as host, agent(host) as player, watching(host) as watcher:
            nothing = (await player.hear(rewarder.Described)).describe
            assert (nothing.env_id, nothing.env_state) == (None, None)
            await watcher.until(lambda c: c.updates)
            assert not watcher.picture().any()
            described = await player.reset(ENV_ID, lockstep=True)
            assert described.v1.lockstep
            assert (await watcher.frame(described.v1.frame)).shape == (768, 1024, 3)

    asyncio.run(main())


def test_an_unknown_first_environment_is_refused():
    async def main():
        async with Host(Meter(), env_id="x.Y-v0"):
            pass

    with pytest.raises(UnknownEnvError):
        asyncio.run(main())


@pytest.mark.filterwarnings("ignore:.*TripleDES")
def test_asyncvnc_sees_what_we_see():
    import asyncvnc

    async def main():
        async with (
            playing(GymProgram(), env_id="gym-core.Breakout-v5", password="secret12") as host,
            watching(host) as watcher,
            agent(host) as player,
        ):
            described = await player.reset("gym-core.Breakout-v5", seed=0, lockstep=True)
            last = described.v1.frame
            async with asyncvnc.connect(
                host.remote.host, host.remote.vnc_port, password="secret12"
            ) as other:
                for _ in range(3):
                    ours = await watcher.frame(last)
                    theirs = await other.screenshot()
                    assert ours.any()
                    assert np.array_equal(theirs[:, :, :3], ours)
                    reply, _ = await player.step([key(keysym("space"))], frames=20)
                    last = reply.frame

    asyncio.run(main())


def test_wrong_passwords():
    async def main():
        async with playing(Meter(), password="secret12", rewarder_password="other") as host:
            assert (host.remote.vnc_password, host.remote.rewarder_password) == (
                "secret12",
                "other",
            )
            async with watching(host, password="other") as watcher:
                with pytest.raises(AuthenticationError):
                    await watcher.frame(1)
            async with agent(host, password="secret12") as player:
                await player.hear(rewarder.ClosedByServer)
                with pytest.raises(ConnectionClosed):
                    await player.hear(rewarder.Described)
            async with agent(host) as player:
                await player.hear(rewarder.Described)

    asyncio.run(main())


def test_time_passes_only_while_somebody_is_there():
    async def main():
        async with playing(Meter(), **NATIVE) as host:
            assert host._tick_timer is None
            async with watching(host) as watcher:
                await watcher.frame(4)
            await until(lambda: host._tick_timer is None)
            async with agent(host, observer=True) as observer:
                await observer.hear(rewarder.Described)
                frame = host._stage.frame
                await until(lambda: host._stage.frame > frame)
            await until(lambda: host._tick_timer is None)

    asyncio.run(main())


def test_the_lease_of_a_host_that_nobody_visits():
    async def main():
        async with Host(Meter(), **NATIVE, lease=0.01) as host:
            await host.run()

    asyncio.run(main())


def test_the_lease_begins_again_when_the_last_client_leaves():
    async def main():
        async with playing(Meter(), **NATIVE, lease=0.5) as host:
            async with watching(host) as watcher, agent(host):
                await watcher.frame(200 * 0.6)
            # Whoever does not finish a handshake is no client.
            _, writer = await asyncio.open_connection(host.remote.host, host.remote.vnc_port)
            await host.run()
            writer.close()

    asyncio.run(main())


def test_a_crash_ends_the_episode_and_the_next_begins():
    async def main():
        async with (
            playing(Meter(), **NATIVE) as host,
            watching(host) as watcher,
            agent(host) as player,
        ):
            described = await player.reset(ENV_ID)
            await watcher.frame(described.v1.frame)
            watcher.connection.send_key(X, True)
            await watcher.until(lambda c: c.frame.inputs == 1)
            done = await player.hear(rewarder.Rewarded, lambda event: event.done)
            assert "crashed as asked" in done.info["reason"]
            running = await player.hear(
                rewarder.Described, lambda event: event.describe.env_state == "running"
            )
            await watcher.frame(running.describe.v1.frame + 2)

    asyncio.run(main())


def test_a_program_that_always_fails_ends_the_host():
    class Broken(Meter):
        def advance(self):
            raise OSError("out of order")

    async def main():
        async with Host(Broken(), **NATIVE) as host, agent(host):
            await host.run()

    with pytest.raises(ProgramFailed, match="out of order"):
        asyncio.run(main())


def test_ports_are_taken_and_given_back():
    async def main():
        async with Host(Meter(), **NATIVE) as host:
            ports = host.remote.vnc_port, host.remote.rewarder_port
            with pytest.raises(OSError, match="address already in use"):
                async with Host(Meter(), **NATIVE, vnc_port=ports[0]):
                    pass
        async with Host(Meter(), **NATIVE, vnc_port=ports[0], rewarder_port=ports[1]) as host:
            assert (host.remote.vnc_port, host.remote.rewarder_port) == ports

    asyncio.run(main())
