"""A cluster for remotes: machines of AWS that form a Docker swarm, or a swarm of one's own.

CloudFormation makes the machines (`stack.yml`), each of them installs an engine and joins the swarm
by itself (`node.sh`), Docker's swarm mode places remotes (`auniverse.remotes.swarm`), and SSH is
the only way in: one connection to the manager carries its engine's API, the pixels, and the images
that nodes are sent. What knows AWS is `cloud`, `stack`, `machines` and `plan`; what knows SSH is
`reach` and `hostkeys`; a swarm that is not on AWS needs only the latter.
"""

from .cloud import DEFAULT_REGION, Cloud, Refused
from .cluster import bring_up, check_usable, set_expiry, set_workers, take_down
from .costs import Estimate, estimate
from .hostkeys import Ask, Trust
from .machines import Machine, machines
from .nodes import list_nodes, wait_for_workers
from .plan import IMAGES, Plan
from .play import Distance, found_at, measure, open_swarm, outside, provide_image
from .reach import Gate, await_gate, gate_of, gate_to
from .stack import Stack, find, the_stack
from .template import launch_link, network_template, publish, stack_template

__all__ = [
    "DEFAULT_REGION",
    "IMAGES",
    "Ask",
    "Cloud",
    "Distance",
    "Estimate",
    "Gate",
    "Machine",
    "Plan",
    "Refused",
    "Stack",
    "Trust",
    "await_gate",
    "bring_up",
    "check_usable",
    "estimate",
    "find",
    "found_at",
    "gate_of",
    "gate_to",
    "launch_link",
    "list_nodes",
    "machines",
    "measure",
    "network_template",
    "open_swarm",
    "outside",
    "provide_image",
    "publish",
    "set_expiry",
    "set_workers",
    "stack_template",
    "take_down",
    "the_stack",
    "wait_for_workers",
]
