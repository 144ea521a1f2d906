"""What the slots of a pool have counted, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .slot import Slot

_ADDED_UP = ("updates", "bytes", "episodes", "reward_sum", "faults", "replaced", "missed_deadlines")


def add_up(slots: Sequence[Slot]) -> dict[str, Any]:
    """Return totals, losses by cause, and under "slots" one entry a slot."""
    each = [slot.stats() for slot in slots]
    causes: Counter[str] = sum((Counter(one["causes"]) for one in each), Counter())
    totals = {key: sum(one[key] for one in each) for key in _ADDED_UP}
    return {**totals, "causes": dict(causes), "slots": each}
