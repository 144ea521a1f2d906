"""A real engine as the tests see it: through its own client."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from auniverse.remotes import Fleet, launch
from tests.engine import docker

CARTPOLE = "gym-core.CartPole-v1"


def engine(*arguments: str) -> str:
    """Run the engine's own client; return what it prints."""
    done = docker(os.environ["DOCKER_HOST"], *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def own() -> list[str]:
    """The names of all containers with our label."""
    return engine("ps", "-a", "--filter", "label=auniverse.owner", "--format", "{{.Names}}").split()


async def until(condition: Callable[[], bool], timeout: float = 30.0) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 (an engine is asked, it does not call)
            await asyncio.sleep(0.02)


def containers(n: int = 1, **options: object) -> AbstractAsyncContextManager[Fleet]:
    options = {"backend": "docker", "screen": "160x120", **options}
    return launch("gym-core", n, **options)  # type: ignore[arg-type]
