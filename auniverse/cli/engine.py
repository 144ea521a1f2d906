"""What a command asks of the container engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from auniverse.remotes import docker

T = TypeVar("T")


def ask_engine(question: Callable[[docker.Engine], Awaitable[T]]) -> T:
    """Connect to the engine, ask, and return the answer.

    Raises:
        ProvisionError: There is no engine, or it refuses.
    """
    from auniverse.links import run as run_loop
    from auniverse.remotes import docker

    async def ask() -> T:
        async with docker.open_engine() as engine:
            return await question(engine)

    return run_loop(ask())
