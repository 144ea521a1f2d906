from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace

import pytest

import auniverse
from auniverse.address import Remote
from auniverse.remotes.docker.recipe import Recipe
from auniverse.remotes.ready import wait_ready
from auniverse.runtimes import runtime
from tests.engine import docker

CARTPOLE = "gym-core.CartPole-v1"
RECIPE = Recipe(
    runtime=runtime("gym-core"),
    image="auniverse/gym-core:1",
    env_id="gym-core.Pong-v5",
    screen="native",
    lease=7.5,
    client_id="me",
    owner="0123",
    network="net",
    bind="10.0.0.7",
)


def test_the_line_by_hand() -> None:
    assert RECIPE.by_hand() == (
        "docker run --rm --init --cap-drop ALL --security-opt no-new-privileges --read-only "
        "--tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m,mode=1777 --memory 512m --memory-swap 512m "
        "--cpus 1 --pids-limit 64 -p 127.0.0.1:5900:5900 -p 127.0.0.1:15900:15900 "
        "auniverse/gym-core:1 --screen native --env-id gym-core.Pong-v5"
    )


def test_what_a_runtime_allows() -> None:
    loose = replace(RECIPE, runtime=replace(RECIPE.runtime, read_only=False, egress=True))
    host = loose.config("3")["HostConfig"]
    assert (host["ReadonlyRootfs"], host["Tmpfs"], host["Dns"]) == (False, {}, [])
    assert "--read-only" not in loose.by_hand()
    strict = RECIPE.config("3")["HostConfig"]
    assert (strict["ReadonlyRootfs"], strict["Dns"]) == (True, ["127.0.0.1"])


def test_ports_are_the_engines_choice_at_the_given_address() -> None:
    config = RECIPE.config("0")
    assert config["HostConfig"]["PortBindings"] == {
        "5900/tcp": [{"HostIp": "10.0.0.7", "HostPort": ""}],
        "15900/tcp": [{"HostIp": "10.0.0.7", "HostPort": ""}],
    }
    assert config["HostConfig"]["NetworkMode"] == "net"


def test_labels_and_the_command() -> None:
    labels = RECIPE.config("2")["Labels"]
    assert RECIPE.kind.items() <= labels.items()
    assert (labels["auniverse.slot"], labels["auniverse.lease"]) == ("2", "7.5")
    assert labels["auniverse.client-id"] == "me"
    assert RECIPE.command()[-3:] == ["--lease", "7.5", "--passwords-from-stdin"]
    assert RECIPE.command(passwords_file="/x")[-2:] == ["--passwords-from-file", "/x"]
    assert replace(RECIPE, lease=None, env_id=None).command() == [
        "--screen",
        "native",
        "--passwords-from-stdin",
    ]


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
@pytest.mark.usefixtures("image")
def test_the_line_by_hand_works() -> None:
    """Pasted as it is logged, it gives a remote with Universe's ports and password."""
    line = replace(RECIPE, env_id=CARTPOLE).by_hand()
    line = line.replace("127.0.0.1:15900:", "127.0.0.1:25927:")
    line = line.replace("127.0.0.1:5900:", "127.0.0.1:25917:")
    pasted = line.replace("docker run", "docker run --detach --name auniverse-test-by-hand")
    subprocess.run(pasted, shell=True, check=True, capture_output=True)

    async def main() -> None:
        remote = Remote("localhost", 25917, 25927)
        await wait_ready(remote, 60)
        async with auniverse.connect(remote, env_id=CARTPOLE) as session:
            observation, _ = await session.reset(seed=0)
            assert observation.any()

    try:
        asyncio.run(main())
    finally:
        docker(os.environ["DOCKER_HOST"], "rm", "-f", "auniverse-test-by-hand")
