from __future__ import annotations

from typing import Any

import pytest

from auniverse.remotes.swarm.verdict import judge
from auniverse.runtimes import Reserve

from .said import node, sight, task

NODES = [node("n1", role="manager"), node("n2"), node("n3")]
NEED = Reserve(memory=5 * 1024, cpus=0.1)
UNSUITABLE = "no suitable node (insufficient resources on 3 nodes)"
IMAGE = "auniverse/gym-core:1"
TWELVE = [task(f"s{i}", "running", f"n{i % 3 + 1}") for i in range(12)]


def said(
    tasks: list[dict[str, Any]],
    nodes: list[dict[str, Any]] = NODES,
    need: Reserve = NEED,
    stack: str = "",
    image: str = IMAGE,
) -> str:
    services = dict.fromkeys(one["ServiceID"] for one in tasks)
    return judge(sight(nodes, tasks), services, need, image, stack=stack)


def pending(i: int, err: str = UNSUITABLE) -> dict[str, Any]:
    return task(f"s{i}", "pending", err=err)


def test_two_that_find_no_memory() -> None:
    tasks = [*TWELVE, pending(12), pending(13)]
    assert said(tasks, stack="mine") == (
        "12 of 14 placed; 2 pending: insufficient memory on 3 nodes; "
        "add workers with `auniverse cluster scale -s mine --workers 3`"
    )
    assert said(tasks).endswith(
        "`auniverse cluster scale ... --workers 3`, or let 1 more like these join "
        "(`docker swarm join-token worker`)"
    )


def test_as_many_workers_as_it_takes() -> None:
    tasks = [*TWELVE, *(pending(12 + i) for i in range(9))]
    assert "--workers 5`" in said(tasks)  # four fit on a node, and two workers are there


@pytest.mark.parametrize(
    ("cpus", "memory", "lacks"),
    [(1.0, 1, "processors"), (0.1, 5, "memory"), (1.9, 5, "memory and processors")],
)
def test_what_it_is_that_is_short(cpus: float, memory: int, lacks: str) -> None:
    tasks = [task(f"s{i}", "running", f"n{i % 3 + 1}", cpus=0.4) for i in range(12)]
    need = Reserve(memory=memory * 1024, cpus=cpus)
    assert f"1 pending: insufficient {lacks} on 3 nodes" in said([*tasks, pending(12)], need=need)


def test_more_than_any_node_has() -> None:
    need = Reserve(memory=32 * 1024, cpus=0.1)
    assert said([pending(0)], need=need) == (
        "0 of 1 placed; 1 pending: insufficient memory on 3 nodes; no node is large enough: each "
        "remote reserves 32768 MiB and 0.1 processors (`reserve` of runtimes.yml)"
    )


def test_nodes_that_take_nothing_are_named() -> None:
    nodes = [node("n1"), node("n2", availability="drain"), node("n3", state="down")]
    err = "no suitable node (2 nodes not available for new tasks; insufficient resources on 1 node)"
    tasks = [*(task(f"s{i}", "running", "n1") for i in range(4)), pending(4, err)]
    text = said(tasks, nodes)
    assert "2 nodes not available for new tasks; insufficient memory on 1 node" in text
    assert "`docker node update --availability active n2` brings back n2; n3 is down" in text


def test_constraints_that_no_node_fulfils() -> None:
    err = "no suitable node (scheduling constraints not satisfied on 3 nodes)"
    assert "1 pending: scheduling constraints not satisfied on 3 nodes" in said([pending(0, err)])


def test_nodes_without_the_image() -> None:
    err = "No such image: auniverse/gym-core:1"
    tasks = [
        task("s0", "running", "n1"),
        task("s1", "rejected", "n2", err=err, desired="shutdown"),
        task("s1", "new", desired="ready"),
        task("s2", "rejected", "n3", err=err, desired="shutdown"),
        task("s2", "rejected", "n2", err=err, desired="shutdown"),
    ]
    assert said(tasks) == (
        "1 of 3 placed; 2 rejected: n2, n3 have no image auniverse/gym-core:1; load it on each "
        "(`docker save auniverse/gym-core:1 | ssh NODE docker load`), or name a registry"
    )


def test_one_node_without_the_image() -> None:
    text = said([task("s1", "rejected", "n2", err="No such image: x", desired="shutdown")])
    assert "1 rejected: n2 has no image auniverse/gym-core:1; load it there (" in text


def test_nodes_that_do_not_reach_the_registry() -> None:
    image = "10.0.0.1:5000/auniverse/gym-core:1"
    tasks = [task("s1", "rejected", "n2", err=f"No such image: {image}", desired="shutdown")]
    assert said(tasks, image=image) == (
        f"0 of 1 placed; 1 rejected: n2 has no image {image}; the nodes must reach the registry "
        f"10.0.0.1:5000, and trust it: `docker pull {image}` there says why not"
    )


def test_what_is_on_its_way_and_what_fails() -> None:
    tasks = [
        task("s0", "preparing", "n2"),
        task("s1", "failed", "n3", err="task: non-zero exit (1)", desired="shutdown"),
    ]
    assert said(tasks) == (
        "0 of 2 placed; 1 waiting: preparing on n2; 1 failed: task: non-zero exit (1) on n3"
    )
