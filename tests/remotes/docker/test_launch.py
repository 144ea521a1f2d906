"""Containers of a real engine, from their start to their end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

import auniverse
from auniverse.cli.report import INTERRUPTED
from auniverse.errors import ProvisionError, RemoteNotReadyError
from auniverse.remotes.docker import container as container_module
from auniverse.remotes.docker.recipe import Recipe
from tests.cli.command import COMMAND
from tests.engine import BASE
from tests.engine import docker as command

from .real import CARTPOLE, containers, engine, own, until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker"),
    pytest.mark.usefixtures("nothing_is_left"),
]


def test_four_play_and_nothing_is_left() -> None:
    async def main() -> None:
        async with containers(4, env_id=CARTPOLE) as fleet:
            assert [remote.name for remote in fleet] == [f"gym-core-{i}" for i in range(4)]
            assert len({remote.vnc_password for remote in fleet}) == 4
            async with auniverse.SessionPool(fleet, env_id=CARTPOLE, fps=30) as pool:
                observations, infos = await pool.reset(seed=0)
                assert observations.shape == (4, 120, 160, 3)
                assert observations.any(axis=(1, 2, 3)).all()
                *_, infos = await pool.step([[("KeyEvent", "ArrowLeft", True)]] * 4)
                assert infos["valid"].all()
            assert "serving" in fleet.log_tail(fleet[0])

    asyncio.run(main())


def test_what_a_container_may_and_what_is_known_of_it() -> None:
    async def main() -> None:
        async with containers() as fleet:
            (name,) = own()
            (seen,) = json.loads(engine("inspect", name))
            host = seen["HostConfig"]
            assert host["CapDrop"] == ["ALL"]
            assert host["SecurityOpt"] == ["no-new-privileges"]
            assert (host["ReadonlyRootfs"], host["Init"], host["AutoRemove"]) == (True, True, True)
            assert (host["Memory"], host["MemorySwap"]) == (512 * 2**20, 512 * 2**20)
            assert (host["PidsLimit"], host["NanoCpus"]) == (64, 10**9)
            ports = seen["NetworkSettings"]["Ports"]
            assert {binding["HostIp"] for (binding,) in ports.values()} == {"127.0.0.1"}
            labels = seen["Config"]["Labels"]
            assert labels["auniverse.runtime"] == "gym-core"
            assert (labels["auniverse.slot"], labels["auniverse.lease"]) == ("0", "60")
            assert fleet[0].vnc_password not in json.dumps(seen)
            assert fleet[0].rewarder_password not in json.dumps(seen)
            assert engine("exec", name, "id", "-u") == "65534"
            assert command(os.environ["DOCKER_HOST"], "exec", name, "touch", "/x").returncode
            assert engine("exec", name, "touch", "/tmp/x") == ""

    asyncio.run(main())


def test_nothing_outside_answers_a_container() -> None:
    code = (
        "import socket,sys; s=socket.socket(); s.settimeout(1); "
        "sys.exit(s.connect_ex((sys.argv[1], 443)) == 0)"
    )

    async def main() -> None:
        async with containers():
            (name,) = own()
            try:
                ((*_, (address, _)),) = [
                    info
                    for info in await asyncio.get_running_loop().getaddrinfo("pypi.org", 443)
                    if len(info[-1]) == 2
                ][:1]
            except OSError:
                pytest.skip("this machine knows nobody outside")
            asks = ["exec", name, "python3", "-c", code, address]
            assert command(os.environ["DOCKER_HOST"], *asks).returncode == 0
            asks = [
                "exec",
                name,
                "python3",
                "-c",
                "import socket; socket.gethostbyname('pypi.org')",
            ]
            assert command(os.environ["DOCKER_HOST"], *asks).returncode == 1

    asyncio.run(main())


def test_pause_and_resume() -> None:
    async def main() -> None:
        async with containers() as fleet:
            for state, change in (("paused", fleet.pause), ("running", fleet.resume)):
                await change(fleet[0])
                await change(fleet[0])  # it stays as it is
                assert engine("inspect", "-f", "{{.State.Status}}", *own()) == state
            assert fleet.alive(fleet[0])

    asyncio.run(main())


def test_spares_take_a_place_at_once() -> None:
    async def main() -> None:
        async with containers(warm=2) as fleet:
            await until(lambda: len(own()) == 3)
            yard = fleet._start.__self__
            await until(lambda: len(yard._spares) == 2)
            ready = [running.remote.vnc_port for running in yard._spares]
            new = await fleet.replace(fleet[0])
            (grown,) = await fleet.grow(1)
            assert [remote.name for remote in fleet] == ["gym-core-0", "gym-core-1"]
            assert fleet == [new, grown]
            assert [new.vnc_port, grown.vnc_port] == ready
            await until(lambda: len(yard._spares) == 2)

    asyncio.run(main())


# -- bad luck --------------------------------------------------------------------------------------


def test_a_name_that_somebody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    engine("create", "--name", "auniverse-gym-core-0-taken", BASE)
    names = iter(["taken", "free"])
    monkeypatch.setattr(container_module.secrets, "token_hex", lambda _: next(names))

    async def main() -> None:
        async with containers(client_id="x"):
            assert own() == ["auniverse-gym-core-0-free"]
        engine("rm", "-f", "auniverse-gym-core-0-free")

    try:
        asyncio.run(main())
    finally:
        engine("rm", "-f", "auniverse-gym-core-0-taken")


def test_a_port_that_somebody_took_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Recipe.config

    async def main() -> None:
        async with containers() as first:
            taken = str(first[0].vnc_port)
            tries = iter([taken, ""])

            def clashing(self: Recipe, slot: str) -> dict[str, object]:
                made = config(self, slot)
                made["HostConfig"]["PortBindings"]["5900/tcp"][0]["HostPort"] = next(tries)
                return made

            monkeypatch.setattr(Recipe, "config", clashing)
            async with containers() as second:
                assert second[0].vnc_port != first[0].vnc_port
                assert len(own()) == 2  # nothing is left of the first try

    asyncio.run(main())


def test_a_network_that_somebody_removed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    start, networks = container_module.Container.start, []

    async def overtaken(self: container_module.Container, passwords: dict[str, str]) -> None:
        if not networks:
            networks[:] = engine("network", "ls", "-q", "--filter", "name=auniverse-").split()
            engine("network", "rm", *networks)
        await start(self, passwords)

    async def main() -> None:
        monkeypatch.setattr(container_module.Container, "start", overtaken)
        async with containers() as fleet:
            assert fleet.alive(fleet[0])
            assert len(own()) == 1
        assert engine("network", "ls", "-q", "--filter", "name=auniverse-") == ""

    asyncio.run(main())
    assert networks


def test_one_that_is_busy_is_removed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = container_module.DockerContainer
    delete, busy = handle.delete, ["device or resource busy"] * 2

    async def reluctant(self: object, **options: object) -> None:
        if busy:
            raise container_module.aiodocker.DockerError(500, busy.pop())
        await delete(self, **options)  # type: ignore[arg-type]

    async def main() -> None:
        async with containers():
            monkeypatch.setattr(handle, "delete", reluctant)

    asyncio.run(main())
    assert busy == []


def test_one_that_does_not_get_ready_says_why() -> None:
    async def main(**options: object) -> None:
        async with containers(**options):
            pass

    with pytest.raises(RemoteNotReadyError, match=r"gym-core-0 was not ready after 0\.01 s"):
        asyncio.run(main(timeout=0.01))
    with pytest.raises(ProvisionError, match="exposes no port 5900"):
        asyncio.run(main(docker_image=BASE))
    with pytest.raises(
        ProvisionError, match=r"no image nobody/has:it: `docker pull nobody/has:it`"
    ):
        asyncio.run(main(docker_image="nobody/has:it"))


# -- nothing leaks ---------------------------------------------------------------------------------

CLIENT = """
import asyncio, sys
from auniverse.remotes import launch

async def main():
    async with launch("gym-core", 4, backend="docker", lease=10.0, screen="160x120"):
        print("up", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_the_leases_of_a_killed_client_end_its_containers() -> None:
    engine("create", "--name", "auniverse-test-foreign", "--label", "auniverse.owner=other", BASE)
    foreign = ["auniverse-test-foreign"]
    try:
        with subprocess.Popen([sys.executable, "-c", CLIENT], stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            said, before = client.stdout.readline(), own()
            client.kill()
        assert (said, len(before)) == (b"up\n", 5)
        asyncio.run(until(lambda: own() == foreign, 60))
    finally:
        engine("rm", "-f", *foreign)


def test_an_interrupted_client_takes_its_containers_along() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"up\n"
        client.send_signal(signal.SIGINT)
        try:
            client.wait(30)
        finally:
            client.kill()
        assert own() == []


def test_a_terminated_command_takes_its_containers_along() -> None:
    with subprocess.Popen(
        [*COMMAND, "run", CARTPOLE, "--remotes", "docker:2", "--seconds", "60"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as client:
        asyncio.run(until(lambda: len(own()) == 2))
        client.terminate()
        try:
            assert client.wait(30) == INTERRUPTED
        finally:
            client.kill()
        assert own() == []


FORGETFUL = """
import gymnasium
import auniverse

env = gymnasium.make("gym-core.CartPole-v1", remotes="docker:1", screen="160x120")
env.reset()
raise SystemExit("env.close() was not called")
"""


def test_a_client_that_ends_takes_its_containers_along() -> None:
    done = subprocess.run([sys.executable, "-c", FORGETFUL], capture_output=True, check=False)
    assert done.stderr.endswith(b"env.close() was not called\n")
    assert own() == []


def test_what_was_created_by_a_client_that_is_gone_is_swept() -> None:
    async def main() -> None:
        async with containers(client_id="x", lease=5.0):
            (name,) = own()
            (seen,) = json.loads(engine("inspect", name))
        labels = (f"--label={key}={value}" for key, value in seen["Config"]["Labels"].items())
        engine("create", "--name", "auniverse-gym-core-9-litter", *labels, BASE)
        engine("pause", name)
        async with containers():
            assert "auniverse-gym-core-9-litter" not in own()
            assert engine("inspect", "-f", "{{.State.Status}}", name) == "running"
        engine("rm", "-f", name)

    asyncio.run(main())
