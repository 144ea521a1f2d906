"""A cluster from its machines' first boot to the last remote: real engines, real SSH, real scripts.

The machines are namespaces, AWS is moto's server; what they run when they boot is what the stack's
launch templates hold.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auniverse.address import Route, parse_remotes
from auniverse.cluster import Cloud, Plan, bring_up
from auniverse.links import run

from ..aws import KEY
from ..engine import VARIABLE
from ..swarm_nodes import Machines, machines
from .machines import boot, entrances, make_key, program, sshd

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]


@pytest.fixture
def pair(image: str) -> Iterator[Machines]:
    if os.geteuid() != 0:
        verdict = pytest.fail if os.environ.get("CI") else pytest.skip
        verdict("machines in namespaces take root: run `make test` as root")
    with machines(2) as made:
        yield made
    assert made.leftovers() == []


async def plays(line: str) -> None:
    """Play five steps at an address, as `start` printed it."""
    words = ("run", "gym-core.CartPole-v1", "--steps", "5", "--lockstep", "--json")
    code, out, err = await program(*words, "--remotes", line)
    assert code == 0, err
    assert json.loads(out)["steps"] == 5


@pytest.mark.usefixtures("aws")
def test_from_the_first_boot_to_the_last_remote(pair: Machines, tmp_path: Path) -> None:
    plan = Plan(KEY, workers=1)
    now = datetime.now(UTC)
    run(bring_up(Cloud(), "demo", plan, now, lambda name, state: None))
    manager, worker = pair
    waiting = boot(worker, "worker", tmp_path)  # before anybody has published how to join
    try:
        assert boot(manager, "manager", tmp_path).wait(60) == 0
        assert waiting.wait(60) == 0
    finally:
        waiting.kill()  # who waits for a manager waits for ever
    listed = manager.docker("node", "ls", "--format", "{{.Hostname}} {{.Availability}}")
    assert sorted(listed.split("\n")) == ["n1 Drain", "n2 Active"]
    key = make_key(tmp_path)
    here = {"DOCKER_HOST": os.environ[VARIABLE], "XDG_STATE_HOME": str(tmp_path)}

    async def awaited() -> None:
        """`up` with an identity waits until the swarm can be entered and is complete."""
        sock = socket.create_server(("127.0.0.1", 0))
        async with sshd(manager, tmp_path, sock) as fingerprint:
            port = sock.getsockname()[1]
            words = ("up", "-s", "again", "--key", KEY, "-i", str(key), "--workers", "1", "--json")
            there = ("--manager", f"me@127.0.0.1:{port}", "--hostkey", fingerprint)
            code, out, err = await program("cluster", *words, *there)
            assert code == 0, err
            assert "n2: joined (1 of 1)" in err
            assert [node["name"] for node in json.loads(out)["nodes"]] == ["n2"]

    run(awaited())

    async def main() -> None:
        async with entrances(pair, tmp_path) as fingerprints:
            way = ("--manager", f"me@{manager.address}", "--hostkey", fingerprints[0])
            way = (*way, "-i", str(key))
            start = ("cluster", "start", "-r", "gym-core", "-n", "1", "--screen", "96x64", *way)
            code, _, err = await program(*start, **here)
            assert code == 4, err
            assert f"the host key of {manager.address}:22 {worker.address}" in err
            kept = tmp_path / "auniverse" / "cluster" / "hostkeys.json"
            kept.parent.mkdir(parents=True)
            kept.write_text(json.dumps({f"{manager.address}:22 {worker.address}": fingerprints[1]}))

            code, out, err = await program(*start, **here)
            assert code == 0, err
            assert "n2: auniverse/gym-core:1: there" in err, "it was streamed"
            assert "gym-core-0: ready" in err
            head, line = out.splitlines()
            assert head == "Remotes:"
            (remote,) = parse_remotes(line)
            assert remote.host == worker.address
            assert remote.route.jump == f"{manager.address}:22"
            await plays(line)

            scale = ("cluster", "scale", "-r", "gym-core", "-n", "2", *way, "--json")
            code, out, err = await program(*scale, **here)
            assert code == 0, err
            assert json.loads(out)["remotes"][0] == line, "who runs is left alone"
            code, out, err = await program("cluster", "status", *way, "--json", **here)
            assert code == 0, err
            seen = json.loads(out)
            assert [node["name"] for node in seen["nodes"]] == ["n1", "n2"]
            assert [one["state"] for one in seen["remotes"]] == ["running", "running"]
            assert all(0 < seen["latency_s"][way] < 10 for way in ("tunnel", "direct"))

            code, out, err = await program(*start, "--direct", "--json", **here)
            assert code == 0, err
            assert "n2: has auniverse/gym-core:1" in err, "it is sent once"
            line = json.loads(out)["line"]
            (remote,) = parse_remotes(line)
            assert (remote.host, remote.route) == (worker.address, Route(pin=remote.route.pin))
            assert remote.route.pin
            await plays(line)
            code, out, err = await program("cluster", "stop", *way, "--json", **here)
            assert (code, json.loads(out)) == (0, {"ended": 1}), err

    pair.inside(main())
    for kind in ("service", "secret"):
        assert manager.docker(kind, "ls", "--quiet") == ""
    assert worker.docker("ps", "--all", "--quiet") == ""
