from __future__ import annotations

from typing import Any

import pytest

from auniverse.remotes.swarm.sight import read_nodes, read_tasks

from .said import GIB, node, sight, task

NODES = [node("n1", role="manager"), node("n2"), node("n3")]


def test_a_node_is_read() -> None:
    (read,) = read_nodes([node("n2", availability="drain", cpus=1.5, memory=3)])
    assert (read.name, read.address, read.role) == ("n2", "10.0.0.2", "worker")
    assert (read.cpus, read.memory) == (1.5, 3 * 1024)
    assert (read.takes_tasks, read.absence) == (False, "drained")
    assert read_nodes([node("n1", state="down")])[0].absence == "down"
    assert read_nodes([node("n1")])[0].takes_tasks


@pytest.mark.parametrize(
    ("own", "leads", "found"),
    [
        ("0.0.0.0", "10.0.0.9:2377", "10.0.0.9"),
        ("127.0.0.1", "[fd00::9]:2377", "fd00::9"),
        ("10.0.0.1", "10.0.0.9:2377", "10.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_a_manager_that_does_not_know_its_own_address(own: str, leads: str, found: str) -> None:
    said = {**node("n1"), "Status": {"State": "ready", "Addr": own}}
    said["ManagerStatus"] = {"Addr": leads}
    assert read_nodes([said])[0].address == found


def test_what_an_engine_leaves_out_is_no_error() -> None:
    (empty,) = read_nodes([{"ID": "a" * 25}])
    assert (empty.name, empty.state, empty.address) == ("a" * 12, "unknown", "")
    (bare,) = read_tasks([{"ID": "t"}])
    assert (bare.state, bare.node, bare.ports, bare.exit_code) == ("new", "", {}, None)


def test_a_task_is_read() -> None:
    (read,) = read_tasks([task("s", "running", "n2", memory=5, cpus=0.5)])
    assert sorted(read.ports) == [5900, 15900]
    assert (read.memory, read.cpus, read.runs, read.exit_code) == (5 * 1024, 0.5, True, None)
    (failed,) = read_tasks([task("s", "failed", "n2", err="a\nb" * 999, code=3)])
    assert failed.exit_code == 3
    assert "\n" not in failed.error
    assert len(failed.error) == 300


def test_the_task_that_counts_is_the_one_that_the_swarm_wants() -> None:
    first = task("s", "running", "n1")
    second = task("s", "rejected", "n2", desired="shutdown")
    assert sight(NODES, [second, first]).current("s") == read_tasks([first])[0]
    first["DesiredState"] = "shutdown"
    assert sight(NODES, [second, first]).current("s") == read_tasks([second])[0]
    third = task("s", "ready", "n3", desired="ready")
    assert sight(NODES, [third, second, first]).current("s") == read_tasks([third])[0]
    assert sight(NODES, []).current("s") is None


def test_what_is_free_is_what_nobody_holds() -> None:
    seen = sight(
        NODES,
        [
            task("a", "running", "n2", memory=5, cpus=0.5),
            task("b", "preparing", "n2", memory=5, cpus=0.5),
            task("c", "failed", "n2", desired="shutdown"),
            task("d", "pending"),
            task("e", "running", "n3"),
        ],
    )
    assert seen.free(seen.nodes["id-n2"]) == (1.0, 14 * 1024)
    assert seen.free(seen.nodes["id-n1"]) == (2.0, 24 * GIB / 2**20)


DEATHS: tuple[tuple[dict[str, Any], str], ...] = (
    (task("s", "running", "n2"), ""),
    (task("s", "running", "n4"), "lost with its node n4, which is down"),
    (task("s", "running", "n9"), "lost with a node that is gone"),
    (task("s", "running", "n5", desired="shutdown"), "moved away: its node n5 is drained"),
    (task("s", "shutdown", "n5", desired="shutdown"), "moved away: its node n5 is drained"),
    (
        task("s", "failed", "n2", err="task: non-zero exit (137)", desired="shutdown"),
        "killed by signal 9 on n2",
    ),
    (task("s", "failed", "n2", code=1, desired="shutdown"), "ended with exit code 1 on n2"),
    (task("s", "complete", "n2", desired="shutdown"), "ended with exit code 0 on n2"),
    (
        task("s", "rejected", "n2", err="No such image: x:1", desired="shutdown"),
        "not started: n2 has not got its image",
    ),
    (
        task("s", "shutdown", "n2", desired="shutdown"),
        "replaced by the swarm: it was to run elsewhere",
    ),
    (task("s", "pending", err="no suitable node"), "pending: no suitable node"),
)


@pytest.mark.parametrize(("said", "death"), DEATHS)
def test_how_one_ended(said: dict[str, Any], death: str) -> None:
    nodes = [*NODES, node("n4", state="down"), node("n5", availability="drain")]
    seen = sight(nodes, [said])
    assert seen.death(seen.tasks[0]) == death
