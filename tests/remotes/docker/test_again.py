"""Containers that one process leaves and another one takes again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from auniverse.remotes import launch
from tests.engine import docker as command

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker"),
    pytest.mark.usefixtures("image", "state"),
]

CLASSIC = """
from auniverse import classic

env = classic.make("gym-core.CartPole-v1")
env.configure(remotes="docker:2", client_id="me")
env.reset()
for _ in range(200):
    observations, *_ = env.step([[], []])
    if all(observation is not None for observation in observations):
        break
else:
    raise SystemExit("no pixels")
env.close()
"""


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def own() -> set[str]:
    listed = command(os.environ["DOCKER_HOST"], "ps", "-aq", "--filter", "label=auniverse.owner")
    return set(listed.stdout.split())


@pytest.fixture(autouse=True)
def end_all(alone: None) -> object:
    yield
    for name in own():
        command(os.environ["DOCKER_HOST"], "rm", "-f", name)


def test_the_same_client_gets_its_remotes_again_from_a_new_process() -> None:
    seen = []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", CLASSIC], check=True, timeout=60)
        seen.append(own())
    assert seen[0] == seen[1]
    assert len(seen[0]) == 2


OTHER = """
games:
  title: The same image under another name
  kind: embedded
  image: auniverse/gym-core
  tag: "1"
  ports: {vnc: 5900, rewarder: 15900}
  limits: {memory: 512, cpus: 1, pids: 64}
  lease: 60
  boot: 60
  families:
    some:
      press: hold
      fps: 30
      envs:
      - games: One-v0
        keys: none
"""

BY_TURNS = """
import asyncio
from auniverse.remotes import launch

async def main():
    for runtime in ("gym-core", "games") * 2:
        async with launch(runtime, backend="docker", client_id="me", screen="160x120") as fleet:
            print(fleet[0].vnc_port)

asyncio.run(main())
"""


def test_another_runtime_gets_a_container_of_its_own_and_both_are_kept(tmp_path: Path) -> None:
    catalogue = tmp_path / "runtimes.yml"
    catalogue.write_text(files("auniverse.runtimes").joinpath("runtimes.yml").read_text() + OTHER)
    done = subprocess.run(
        [sys.executable, "-c", BY_TURNS],
        env={**os.environ, "AUNIVERSE_RUNTIMES": str(catalogue)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    games, others, *again = done.stdout.split()
    assert games != others
    assert again == [games, others]
    assert len(own()) == 2


def test_two_clients_never_get_the_same_remote() -> None:
    async def main() -> None:
        options = {"backend": "docker", "client_id": "me", "screen": "160x120"}
        async with launch("gym-core", **options) as first:
            async with launch("gym-core", **options) as second:
                assert first[0].vnc_port != second[0].vnc_port
            async with launch("gym-core", **options) as third:
                assert third[0].vnc_port == second[0].vnc_port  # that one is free now
        before = own()
        async with launch("gym-core", **{**options, "screen": "native"}):
            assert len(own()) == len(before) + 1  # they are not what was asked for
        async with launch("gym-core", **{**options, "client_id": "you"}) as fourth:
            assert fourth[0].vnc_port not in (first[0].vnc_port, second[0].vnc_port)

    asyncio.run(main())


def test_one_that_is_not_well_is_not_taken_again() -> None:
    async def main() -> None:
        options = {"backend": "docker", "client_id": "me", "screen": "160x120"}
        async with launch("gym-core", **options):
            before = own()
        (name,) = before
        (seen,) = json.loads(command(os.environ["DOCKER_HOST"], "inspect", name).stdout)
        init = seen["State"]["Pid"]
        host = children(init)[0]
        os.kill(host, signal.SIGSTOP)  # it hangs
        async with launch("gym-core", **options):
            assert len(own()) == 1
            assert own() != before

    asyncio.run(main())
