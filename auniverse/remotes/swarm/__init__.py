"""Services of a swarm as remotes: many machines behind one manager."""

from .control import Seen, Status, image_of, scale, start, status, stop
from .launch import SwarmFleet, launch
from .reach import Swarm, check_manager, open_manager
from .sight import Node

__all__ = [
    "Node",
    "Seen",
    "Status",
    "Swarm",
    "SwarmFleet",
    "check_manager",
    "image_of",
    "launch",
    "open_manager",
    "scale",
    "start",
    "status",
    "stop",
]
