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
Measure = Callable[[int], Awaitable[float]]


async def lacks() -> str:
    """Return why containers cannot be measured here, "" if they can."""
    try:
        async with docker.open_engine() as engine:
            await docker.find_image(engine, runtime("gym-core"))
    except AuniverseError as error:
        return str(error)
    return ""


async def started(n: int, backend: str, client_id: str | None = None) -> float:
    """Start `n` remotes and see the first frame of each."""
    now = asyncio.get_running_loop().time
    begun = now()
    async with (
        launch("gym-core", n, backend=backend, env_id=ENV_ID, client_id=client_id) as fleet,
        SessionPool(fleet, env_id=ENV_ID) as pool,
    ):
        await pool.reset()
        return now() - begun


async def processes(n: int) -> float:
    return await started(n, "process")


async def containers(n: int) -> float:
    return await started(n, "docker")


async def taken_again(n: int) -> float:
    """As `containers`, where an earlier launch has left them."""
    async with launch("gym-core", n, backend="docker", env_id=ENV_ID, client_id=CLIENT):
        pass
    try:
        return await started(n, "docker", CLIENT)
    finally:
        async with docker.open_engine() as engine:
            await docker.end_kept(engine, runtime=None, client_id=CLIENT, force=False)


async def spare(n: int) -> float:
    """Get `n` remotes more from a launch that keeps as many ready."""
    now = asyncio.get_running_loop().time
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
        begun = now()
        await fleet.grow(n)
        return now() - begun


async def by_hand(n: int) -> float:
    """`docker run`, then asyncvnc until it has a picture; `n` at once."""
    begun = asyncio.get_running_loop().time()
    names = [f"benchmark-{os.getpid()}-{number}" for number in range(n)]
    try:
        await asyncio.gather(*(_one_by_hand(name) for name in names))
        return asyncio.get_running_loop().time() - begun
    finally:
        await _client("rm", "-f", *names)


async def _one_by_hand(name: str) -> None:
    import asyncvnc

    run = ("run", "-d", "--rm", "--name", name, "-p", "127.0.0.1::5900")
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


MEASURES: dict[str, Measure] = {
    "docker run, asyncvnc": by_hand,
    "containers": containers,
    "containers, taken again": taken_again,
    "spare containers (acquired)": spare,
    "processes": processes,
}
