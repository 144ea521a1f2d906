"""Many remotes, one batch.

`SessionPool` drives N sessions on one event loop; `Frames` holds their pixels and hands out
snapshots; `Batch` is what one `recv` returns. A pool knows nothing of where remotes come from.
"""

from .batch import INFO_KEYS, Batch, Result, stack_infos
from .blocks import AllocateBlock
from .frames import Frames
from .heal import Budget
from .pace import Pace
from .pool import SessionPool

__all__ = [
    "INFO_KEYS",
    "AllocateBlock",
    "Batch",
    "Budget",
    "Frames",
    "Pace",
    "Result",
    "SessionPool",
    "stack_infos",
]
