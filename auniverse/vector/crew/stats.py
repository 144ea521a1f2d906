"""Counters of several pools, or of one after the other, as one."""

from __future__ import annotations

from typing import Any


def add(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Add the numbers in two dicts, and those in their `slots`; else the second's values hold."""
    sums = {
        key: value + second[key]
        for key, value in first.items()
        if _is_number(value) and _is_number(second.get(key))
    }
    together = {**first, **second, **sums}
    if "slots" in first:
        pairs = zip(first["slots"], second["slots"], strict=True)
        together["slots"] = [add(one, other) for one, other in pairs]
    return together


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
