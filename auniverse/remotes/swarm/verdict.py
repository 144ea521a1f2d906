"""What has become of many services in one line, and what helps; no I/O."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable

from auniverse.runtimes import Reserve

from ..docker.credentials import registry_of
from .sight import Node, Sight, Task

#: Names of nodes that are listed.
_NAMES = 5
#: Of what the scheduler says: "no suitable node (insufficient resources on 3 nodes; ...)".
_UNSUITABLE = re.compile(r"no suitable node(?: \((?P<causes>.*)\))?")


def judge(
    sight: Sight,
    services: Iterable[str],
    need: Reserve,
    image: str,
    *,
    stack: str = "",
) -> str:
    """Say how many services of some run, what the others do, why, and what helps.

    Args:
        sight: What the swarm says.
        services: Their ids.
        need: What each reserves.
        image: What each is made of.
        stack: The cluster of ours that the swarm belongs to; "": of none.
    """
    tasks = {service: sight.current(service) for service in services}
    placed = sum(task is not None and task.runs for task in tasks.values())
    reasons: dict[tuple[str, str], int] = defaultdict(int)
    without_image: dict[str, None] = {}
    pending = rejected = 0
    for service, task in tasks.items():
        if task is not None and task.runs:
            continue
        lacking = [past for past in sight.history(service) if past.lacks_image]
        if lacking and not (task and task.holds):
            without_image |= dict.fromkeys(_name(sight, past.node) for past in lacking)
            rejected += 1
        elif task is None or not task.error:
            where = f" on {_name(sight, task.node)}" if task and task.node else ""
            reasons["waiting", f"{task.state if task else 'new'}{where}"] += 1
        elif found := _UNSUITABLE.search(task.error):
            pending += 1
            reasons["pending", _shortage(found["causes"] or "no suitable node", sight, need)] += 1
        else:
            reasons[task.state, _complaint(sight, task)] += 1
    parts = [f"{placed} of {len(tasks)} placed"]
    parts += [f"{count} {state}: {reason}" for (state, reason), count in reasons.items()]
    if rejected:
        names = f"{_listed(without_image)} {'has' if len(without_image) == 1 else 'have'}"
        parts.append(f"{rejected} rejected: {names} no image {image}")
    parts += _remedies(sight, need, pending, list(without_image), image, stack)
    return "; ".join(parts)


def _complaint(sight: Sight, task: Task) -> str:
    where = f" on {_name(sight, task.node)}" if task.node else ""
    return f"{task.error}{where}"


def _shortage(causes: str, sight: Sight, need: Reserve) -> str:
    """Return the scheduler's words, with what it is that nodes lack."""
    return causes.replace("insufficient resources", f"insufficient {_lacking(sight, need)}")


def _lacking(sight: Sight, need: Reserve) -> str:
    """Return what no node has enough of."""
    free = [sight.free(node) for node in sight.nodes.values() if node.takes_tasks]
    memory = any(mib >= need.memory for _, mib in free)
    cpus = any(processors >= need.cpus for processors, _ in free)
    if memory == cpus:
        return "memory and processors" if free and not memory else "memory or processors"
    return "processors" if memory else "memory"


def _remedies(
    sight: Sight, need: Reserve, pending: int, without: list[str], image: str, stack: str
) -> list[str]:
    if without:
        many = "there" if len(without) == 1 else "on each"
        if registry := registry_of(image):
            return [
                f"the nodes must reach the registry {registry}, and trust it: `docker pull {image}`"
                f" {many} says why not"
            ]
        return [
            f"load it {many} (`docker save {image} | ssh NODE docker load`), or name a registry"
        ]
    if not pending:
        return []
    absent = [node for node in sight.nodes.values() if node.absence]
    remedies = []
    drained = [node.name for node in absent if node.absence in ("drained", "pause")]
    if drained:
        nodes = " ".join(drained[:_NAMES])
        remedies.append(f"`docker node update --availability active {nodes}` brings back {nodes}")
    if down := [node.name for node in absent if node.state != "ready"]:
        remedies.append(f"{_listed(dict.fromkeys(down))} {'is' if len(down) == 1 else 'are'} down")
    return [*remedies, _growth(list(sight.nodes.values()), need, pending, stack)]


def _growth(nodes: list[Node], need: Reserve, pending: int, stack: str) -> str:
    """Return how many machines are needed for what is pending."""
    there = [node for node in nodes if node.takes_tasks]
    fits = max((_room(node, need) for node in there), default=1)
    if not fits:
        return (
            f"no node is large enough: each remote reserves {need.memory:g} MiB and {need.cpus:g} "
            "processors (`reserve` of runtimes.yml)"
        )
    more = math.ceil(pending / fits)
    workers = sum(node.role == "worker" and node.takes_tasks for node in nodes) + more
    name = f"-s {stack}" if stack else "..."
    joins = (
        "" if stack else f", or let {more} more like these join (`docker swarm join-token worker`)"
    )
    return f"add workers with `auniverse cluster scale {name} --workers {workers}`{joins}"


def _room(node: Node, need: Reserve) -> int:
    """Return how many remotes fit on a node that has nothing else to do."""
    return int(min(node.memory // need.memory, node.cpus / need.cpus))


def _name(sight: Sight, node: str) -> str:
    found = sight.nodes.get(node)
    return found.name if found else node[:12] or "no node"


def _listed(names: dict[str, None]) -> str:
    shown = list(names)[:_NAMES]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
