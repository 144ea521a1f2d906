"""A cluster from its machines' first boot to its end, by the commands of its page, for real.

The machines are namespaces with real engines, reached by real SSH, AWS is moto's server; what they
run when they boot is what the stack's launch templates hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auniverse.address import Remote, Route, parse_remotes
from auniverse.cluster import Trust, gate_to
from auniverse.cluster.reach import open_node
from auniverse.errors import AuthenticationError, ConnectError
from auniverse.links import knock

from ..aws import KEY
from ..engine import VARIABLE, docker
from ..pages import command
from ..registry import logged_in, reached_from, serving
from ..remotes.swarm.conftest import until
from ..swarm_nodes import Machine, Machines, machines
from .machines import boot_all, entrance, make_key, program, sshd

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]

PAGE = "cluster.md"


@pytest.fixture
def pair(image: str) -> Iterator[Machines]:
    if os.geteuid() != 0:
        verdict = pytest.fail if os.environ.get("CI") else pytest.skip
        verdict("machines in namespaces take root: run `make test` as root")
    with machines(2) as made:
        yield made
    assert made.leftovers() == []


def nothing_runs(manager: Machine) -> bool:
    left = [manager.docker(kind, "ls", "--quiet") for kind in ("service", "secret")]
    return left == ["", ""]


@pytest.mark.usefixtures("aws")
def test_from_the_first_boot_to_the_last_remote(
    pair: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, worker = pair
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    make_key(home, f"{KEY}.pem")
    kept = tmp_path / "auniverse" / "cluster" / "hostkeys.json"
    more: tuple[str, ...] = ("--json",)

    async def said(*words: str, **options: str) -> dict[str, Any]:
        """Run the line of the page that has some words, and read its answer."""
        line = command(PAGE, *words)
        for name, value in options.items():
            line = line.replace(name, value)
        code, out, err = await program(*shlex.split(line)[1:], *more)
        assert code == 0, err
        return {**json.loads(out.splitlines()[-1]), "progress": err}

    async def refused(*words: str) -> str:
        code, _, err = await program(*shlex.split(command(PAGE, *words))[1:], *more)
        assert code == 4, err
        return err

    async def plays(line: str) -> None:
        words = ("run", "gym-core.Pong-v5", "--steps", "5", "--lockstep", "--json")
        code, out, err = await program(*words, "--remotes", line)
        assert (code, json.loads(out)["steps"]) == (0, 5), err

    async def main() -> None:
        """In this machine's network, which reaches AWS, and the nodes by SSH only."""
        nonlocal more
        sock = socket.create_server(("127.0.0.1", 0))
        where = f"127.0.0.1:{sock.getsockname()[1]}"
        async with sshd(manager, home, sock) as key, entrance(worker, home) as other:
            more = ("--manager", f"me@{where}", "--hostkey", key, "--json")
            small, more = more, (*more, "--workers", "1")
            async with asyncio.TaskGroup() as group:
                up = group.create_task(said("up", "--ttl"))
                await boot_all(manager, [worker], home)
            made = up.result()
            assert "n2: joined (1 of 1)" in made["progress"]
            assert [node["name"] for node in made["nodes"]] == ["n2"]
            listed = manager.docker("node", "ls", "--format", "{{.Hostname}} {{.Availability}}")
            assert sorted(listed.split("\n")) == ["n1 Drain", "n2 Active"]

            gate = gate_to(f"me@{where}", identity=f"{KEY}.pem", hostkey=key, trust=Trust())
            with pytest.raises(AuthenticationError, match=rf"the host key of {where} 10\S* "):
                async with open_node(gate, worker.address):
                    pass
            kept.parent.mkdir(parents=True)
            kept.write_text(json.dumps({f"{where} {worker.address}": other}))
            more = (*small, "-n", "1", "--screen", "96x64")
            assert "nobody answers without the manager" in await refused("--direct", "-n")
            assert nothing_runs(manager), "and what was started has ended"

            started = await said("start", "-n")
            assert "n2: has auniverse/gym-core:1" in started["progress"], "it is there by now"
            assert "gym-core-0: ready" in started["progress"]
            (remote,) = parse_remotes(started["line"])
            assert (remote.host, remote.route.jump) == (worker.address, where)
            await plays(started["line"])

            more = small
            seen = await said("status")
            assert [node["name"] for node in seen["nodes"]] == ["n1", "n2"]
            assert [one["state"] for one in seen["remotes"]] == ["running"]
            assert len(seen["machines"]) == 2
            assert 0 < seen["latency_s"]["tunnel"] < 10
            assert seen["latency_s"]["direct"] is None
            assert (await said("scale", "-i", "--workers"))["workers"] == 2

    async def beside() -> None:
        """In the nodes' network, as from a machine that the security group lets in."""
        nonlocal more
        sock = socket.create_server((f"{manager.gateway}", 0))
        where = f"{manager.gateway}:{sock.getsockname()[1]}"
        async with sshd(manager, home, sock) as key, entrance(worker, home) as other:
            kept.write_text(json.dumps({f"{where} {worker.address}": other}))
            more = ("--manager", f"me@{where}", "--hostkey", key, "--json", "--screen", "96x64")
            started = await said("--direct", "-n", **{"-s OpenAI-Universe": ""})
            remotes = parse_remotes(started["line"])
            for remote in remotes:
                assert remote.host == worker.address
                assert remote.route == Route(pin=remote.route.pin)
            assert len({remote.route.pin for remote in remotes} - {""}) == 2
            assert all(0 <= seconds < 10 for seconds in started["latency_s"].values())  # in ms
            await plays(started["line"])
            more = more[:-2]
            assert (await said("stop", **{"-s OpenAI-Universe": ""}))["ended"] == 2

    asyncio.run(main())
    pair.inside(beside())
    assert nothing_runs(manager)
    asyncio.run(until(lambda: not worker.docker("ps", "--all", "--quiet")))


@pytest.mark.usefixtures("state")
def test_nodes_pull_from_a_private_registry(
    pair: Machines, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, worker = pair
    pair.form_swarm()
    manager.docker("node", "update", "--availability", "drain", manager.name)
    make_key(tmp_path, f"{KEY}.pem")
    monkeypatch.chdir(tmp_path)

    async def main(registry: str) -> None:
        there = f"{registry}/team/{image}"
        sock = socket.create_server((manager.gateway, 0))
        where = f"{manager.gateway}:{sock.getsockname()[1]}"

        async def said(*words: str, more: tuple[str, ...] = ()) -> tuple[int, str, str]:
            """Run the line of the page that has some words, with our registry and our swarm."""
            line = command(PAGE, *words).replace("-s OpenAI-Universe", "--manager me@manager")
            line = line.replace("registry.example.com:5000/team", f"{registry}/team")
            more += () if "-i" in shlex.split(line) else ("-i", f"{KEY}.pem")
            line = line.replace("me@manager", f"me@{where}")
            return await program(*shlex.split(line)[1:], *more, "--hostkey", key, "--json")

        async with sshd(manager, tmp_path, sock) as key, entrance(worker, tmp_path) as other:
            kept = tmp_path / "auniverse" / "cluster" / "hostkeys.json"
            kept.parent.mkdir(parents=True)
            kept.write_text(json.dumps({f"{where} {worker.address}": other}))

            code, _, err = await said("--registry")
            assert code == 3
            assert f"cannot push {there}: no basic auth credentials (`docker login` there" in err
            monkeypatch.setenv("DOCKER_CONFIG", logged_in(tmp_path / "docker", registry))
            code, _, err = await said("--registry")
            assert code == 3
            assert f"n2: cannot pull {there}: " in err
            assert "connection refused; the nodes must reach the registry" in err
            assert manager.docker("service", "ls", "--quiet") == ""

            async with reached_from(worker, registry):
                code, out, err = await said("--registry")
                assert code == 0, err
                assert f"n2: pulling {there}" in err
                assert f"n2: {there}: there" in err
            line = json.loads(out.splitlines()[-1])["line"]
            assert [remote.host for remote in parse_remotes(line)] == [worker.address] * 2
            words = ("run", "gym-core.Pong-v5", "--steps", "5", "--lockstep", "--json")
            code, out, err = await program(*words, "--remotes", line)
            assert (code, json.loads(out)["steps"]) == (0, 5), err

            again = await said("start", "--manager", more=("--docker-image", there))
            assert f"n2: has {there}" in again[2]
            assert json.loads(again[1].splitlines()[-1])["line"] != line, "new ones, new passwords"
            code, out, err = await said("scale", "--manager")
            assert f"n2: has {there}" in err, "what runs there is what more is made of"
            assert len(json.loads(out.splitlines()[-1])["remotes"]) == 3
            code, out, err = await said("status", "--manager")
            seen = json.loads(out.splitlines()[-1])
            assert [one["state"] for one in seen["remotes"]] == ["running"] * 3, err
            code, out, err = await said("stop", "--manager")
            assert json.loads(out.splitlines()[-1]) == {"ended": 3}, err

    with serving(tmp_path, private=True) as registry:
        try:
            pair.inside(main(registry))
        finally:
            docker(os.environ[VARIABLE], "rmi", f"{registry}/team/{image}")
    assert nothing_runs(manager)
    asyncio.run(until(lambda: not worker.docker("ps", "--all", "--quiet")))


@pytest.mark.usefixtures("image")
def test_a_container_by_hand() -> None:
    def elsewhere(*words: str) -> list[str]:
        line = command(PAGE, *words)
        for ours, free in ((":15900:", ":25918:"), (":5900:", ":25908:"), ("+15900", "+25918")):
            line = line.replace(ours, free)
        return shlex.split(line.replace("localhost:5900", "localhost:25908"))

    async def main() -> None:
        async with asyncio.timeout(60):
            while True:
                try:
                    await knock(Remote("localhost", 25908, None))
                    break
                except ConnectError:  # it boots
                    await asyncio.sleep(0.1)
        words = elsewhere("auniverse", "run", "vnc://localhost:5900+15900")[1:]
        code, out, err = await program(*words, "--steps", "5", "--lockstep", "--json")
        assert (code, json.loads(out)["steps"]) == (0, 5), err

    container = subprocess.Popen(elsewhere("docker", "run"))
    try:
        asyncio.run(main())
    finally:
        container.terminate()  # it is passed on
        container.wait(30)
