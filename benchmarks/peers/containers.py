"""Seconds from nothing to the first frames of containers: ours, and by hand with asyncvnc."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

from auniverse.errors import AuniverseError
from auniverse.remotes import docker, launch
from auniverse.runtimes import runtime
from auniverse.vector import SessionPool

ENV_ID = "gym-core.CartPole-v1"
IMAGE = "auniverse/gym-core:1"
CLIENT = "benchmark"
PEER, OURS = "docker run, asyncvnc", "containers"
#: Starts so many remotes; returns the seconds by what took them.
Measure = Callable[[int], Awaitable[dict[str, float]]]


async def lacks() -> str:
    """Return why containers cannot be measured here, "" if they can."""
    try:
        async with docker.open_engine() as engine:
            await docker.find_image(engine, runtime("gym-core"))
    except AuniverseError as error:
        return str(error)
    return ""


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _started(
    what: str, n: int, backend: str, client_id: str | None = None
) -> dict[str, float]:
    """Start `n` remotes until each has shown a frame, then until each shows a first observation."""
    begun = _now()
    async with launch("gym-core", n, backend=backend, env_id=ENV_ID, client_id=client_id) as fleet:
        ready = _now() - begun
        async with SessionPool(fleet, env_id=ENV_ID) as pool:
            await pool.reset()
            return {what: ready, f"{what}, an episode's": _now() - begun}


async def processes(n: int) -> dict[str, float]:
    return await _started("processes", n, "process")


async def containers(n: int) -> dict[str, float]:
    return await _started(OURS, n, "docker")


async def taken_again(n: int) -> dict[str, float]:
    """As `containers`, where an earlier launch has left them."""
    async with launch("gym-core", n, backend="docker", env_id=ENV_ID, client_id=CLIENT):
        pass
    try:
        return await _started("containers, taken again", n, "docker", CLIENT)
    finally:
        async with docker.open_engine() as engine:
            await docker.end_kept(engine, runtime=None, client_id=CLIENT, force=False)


async def spares(n: int) -> dict[str, float]:
    """Get `n` remotes more from a launch that keeps as many ready, and see their first frames."""
    states: list[str] = []
    async with launch(
        "gym-core",
        1,
        backend="docker",
        env_id=ENV_ID,
        warm=n,
        progress=lambda name, state: states.append(f"{name} {state}"),
    ) as fleet:
        async with asyncio.timeout(60):
            while states.count("spare ready") < n:  # noqa: ASYNC110 (progress is told, not awaited)
                await asyncio.sleep(0.01)
        begun = _now()
        remotes = await fleet.grow(n)
        acquired = _now() - begun
        async with SessionPool(remotes, env_id=ENV_ID) as pool:
            await pool.reset()
            return {"spare containers": _now() - begun, "the same, acquired": acquired}


async def healed(n: int) -> dict[str, float]:
    """Kill `n` containers of a pool that plays, and see each play again."""
    async with (
        launch("gym-core", n, backend="docker", env_id=ENV_ID) as fleet,
        SessionPool(fleet, env_id=ENV_ID, fps=30) as pool,
    ):
        await pool.reset()
        ports = [remote.vnc_port for remote in fleet]
        named = await asyncio.gather(*(_client("ps", "-q", "-f", f"publish={p}") for p in ports))
        begun = _now()
        await _client("kill", *named)
        hurt, playing = set[int](), set[int]()
        ids = list(range(n))
        async with asyncio.timeout(60):
            while len(playing) < n:
                pool.send([[] for _ in ids], ids)
                batch = await pool.recv(min_envs=1, timeout=5)
                ids = batch.env_ids.tolist()
                for slot, valid in zip(ids, batch.infos["valid"], strict=True):
                    if not valid:
                        hurt.add(slot)
                    elif slot in hurt:
                        playing.add(slot)
        return {"killed containers, playing again": _now() - begun}


async def by_hand(n: int) -> dict[str, float]:
    """`docker run`, then asyncvnc until it has a picture; `n` at once."""
    begun = _now()
    names = [f"benchmark-{os.getpid()}-{number}" for number in range(n)]
    try:
        await asyncio.gather(*(_one_by_hand(name) for name in names))
        return {PEER: _now() - begun}
    finally:
        await _client("rm", "-f", *names)


async def _one_by_hand(name: str) -> None:
    import asyncvnc

    # Both channels: a remote whose rewards nobody can hear is none.
    ports = ("-p", "127.0.0.1::5900", "-p", "127.0.0.1::15900")
    run = ("run", "-d", "--rm", "--name", name, *ports)
    await _client(*run, IMAGE, "--env-id", ENV_ID)
    port = int((await _client("port", name, "5900")).rpartition(":")[2])
    while True:
        try:
            async with asyncvnc.connect("127.0.0.1", port, password="openai") as client:
                await client.screenshot()
                return
        # Until it listens the engine's proxy takes connections and closes them, which asyncvnc
        # calls a ValueError.
        except (OSError, EOFError, ValueError):
            await asyncio.sleep(0.02)


async def _client(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "docker", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    return output.decode().strip()


MEASURES: tuple[Measure, ...] = (by_hand, containers, spares, taken_again, healed, processes)
