"""A cluster on AWS: brought up, made larger or smaller, taken down."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes import docker, swarm

from . import stack as stacks
from .cloud import Cloud
from .machines import end_workers, machines
from .nodes import drain, forget_lost, list_nodes
from .plan import Plan, check, expiry, parameters
from .stack import Progress, Stack
from .template import network_template, stack_template

#: Where the nodes of a stack find how to join; not a part of the stack.
_JOIN = "/auniverse/{}/join"


async def bring_up(
    cloud: Cloud, name: str, plan: Plan, now: datetime, progress: Progress, *, network: bool = False
) -> Stack:
    """Create the stack of a cluster and wait until it is there; its machines then boot.

    Args:
        cloud: Where.
        name: The stack's.
        plan: What it shall be.
        now: From when the plan's `ttl` counts.
        progress: Told what happens to which part.
        network: Create a network for it first.

    Raises:
        UsageError: There is such a stack, or the region has not what the plan names.
        ProvisionError: AWS refuses, or takes it back.
    """
    await stacks.check_new(cloud, name)
    await check(cloud, plan)
    if network:
        plan = await _with_network(cloud, name, plan, progress)
    wanted = await parameters(cloud, plan, now)
    tags = {**plan.tags, stacks.TAG: "cluster"}
    return await stacks.create(cloud, name, stack_template(), wanted, tags, progress)


async def _with_network(cloud: Cloud, name: str, plan: Plan, progress: Progress) -> Plan:
    """Create the network of a cluster, or take the one that is there."""
    there = await stacks.find(cloud, network_name(name))
    if there is None or there.status == "DELETE_COMPLETE":
        tags = {**plan.tags, stacks.TAG: "network"}
        there = await stacks.create(
            cloud, network_name(name), network_template(), {}, tags, progress
        )
    subnets = there.outputs["SubnetIds"].split(",")
    return replace(plan, vpc=there.outputs["VpcId"], subnets=subnets)


def network_name(name: str) -> str:
    """Return the name of the stack that is the network of a cluster."""
    return f"{name}-network"


async def set_workers(
    cloud: Cloud,
    stack: Stack,
    n: int,
    progress: Progress,
    manager: swarm.Swarm | None = None,
) -> Stack:
    """Let a cluster have so many workers.

    Args:
        cloud: Where.
        stack: Its stack.
        n: How many.
        progress: Told what happens to which part.
        manager: Of its swarm. With it, those end first that have the fewest remotes, and what runs
            there moves; without, AWS chooses.

    Raises:
        UsageError: There cannot be so many.
        ProvisionError: AWS refuses, or has no more of them.
    """
    if not 0 <= n <= 1000:
        raise UsageError(f"a cluster has 0 to 1000 workers, not {n}")
    found = [each for each in await machines(cloud, stack) if each.role == "worker"]
    live = {each.private: each.id for each in found if each.is_live}
    if manager is not None and n < len(live):
        ending = await _emptiest(manager, set(live), len(live) - n)
        for node in ending:
            progress(node.name, "draining")
            await drain(manager, node)
        await end_workers(cloud, [live[node.address] for node in ending])
        for node in ending:
            progress(node.name, "ending")
    if manager is not None:
        await forget_lost(manager)
    return await stacks.update(cloud, stack, {"Workers": str(n)}, progress)


async def _emptiest(manager: swarm.Swarm, addresses: set[str], n: int) -> list[swarm.Node]:
    """Return the `n` workers with the fewest tasks."""
    with docker.speaking("cannot list the swarm's tasks"):
        tasks = await manager.docker.tasks.list(filters={"desired-state": "running"})
    places = [task.get("NodeID", "") for task in tasks]
    nodes = [node for node in await list_nodes(manager) if node.address in addresses]
    return sorted(nodes, key=lambda node: (node.takes_tasks, places.count(node.id)))[:n]


async def set_expiry(
    cloud: Cloud, stack: Stack, ttl: float | None, now: datetime, progress: Progress
) -> Stack:
    """Let a cluster end by itself after so many hours from now; None: never.

    Raises:
        ProvisionError: AWS refuses.
        UsageError: That is too soon.
    """
    return await stacks.update(cloud, stack, {"Expires": expiry(ttl, now)}, progress)


async def take_down(cloud: Cloud, name: str, progress: Progress) -> list[str]:
    """Delete a cluster with all that belongs to it; return the names of the stacks there were.

    Raises:
        UsageError: There is none.
        ProvisionError: AWS refuses, or something cannot be deleted.
    """
    stack = await stacks.the_stack(cloud, name)
    if stack.tags.get(stacks.TAG) != "cluster":
        raise UsageError(f"the stack {name} is no cluster of auniverse's: it is left alone")
    await stacks.delete(cloud, stack, progress)
    await cloud.call("ssm", "delete_parameters", Names=[_JOIN.format(stack.name)])
    gone = [stack.name]
    network = await stacks.find(cloud, network_name(stack.name))
    if network is not None and network.tags.get(stacks.TAG) == "network":
        await stacks.delete(cloud, network, progress)
        gone.append(network.name)
    return gone


def check_usable(stack: Stack) -> None:
    """See whether a stack's machines can be asked for something.

    Raises:
        ProvisionError: It is being made or deleted, or it failed.
    """
    if not stack.is_usable:
        raise ProvisionError(
            f"the stack {stack.name} is {stack.status}: `auniverse cluster status -s {stack.name}` "
            "tells more"
        )
