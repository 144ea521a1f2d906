"""Three machines that form a swarm, for all tests here, and what must not be left on them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from auniverse.runtimes import Reserve, Runtime, runtime
from tests.engine import VARIABLE
from tests.swarm_nodes import Machines, machines

PATIENCE = 30.0


@pytest.fixture(scope="package")
def three(image: str) -> Iterator[Machines]:
    if os.geteuid() != 0:
        verdict = pytest.fail if os.environ.get("CI") else pytest.skip
        verdict("machines in namespaces take root: run `make test` as root")
    with machines(3, (os.environ[VARIABLE], image)) as made:
        made.form_swarm()
        yield made
    assert made.leftovers() == []


@pytest.fixture
def swarm(three: Machines, state: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """The swarm of all three, which the first manages."""
    monkeypatch.setenv("DOCKER_HOST", three[0].engine)
    yield three
    left = [three[0].docker(kind, "ls", "--quiet").split() for kind in ("service", "secret")]
    for service in left[0]:
        three[0].docker("service", "rm", service)
    for secret in left[1]:
        three[0].docker("secret", "rm", secret)
    assert left == [[], []]
    asyncio.run(until(lambda: not any(one.docker("ps", "--all", "--quiet") for one in three)))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (an engine is asked, it does not call)
            await asyncio.sleep(0.05)


def hungry(three: Machines, per_machine: int) -> Runtime:
    """Gym-core, of which a machine of the swarm takes so many and no more."""
    found = runtime("gym-core")
    memory = int(three[0].docker("info", "--format", "{{.MemTotal}}")) / 2**20
    reserve = Reserve(memory=int(memory / (per_machine + 0.5)), cpus=0.05)
    limits = replace(found.limits, memory=max(found.limits.memory, reserve.memory))
    return replace(found, reserve=reserve, limits=limits)
