"""Counters of several pools, or of one after the other, as one."""

from __future__ import annotations

from typing import Any


def add(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Add the numbers in two dicts, in dicts within them and in their `slots`, one by one.

    Of what is no number the second's value holds.
    """
    together = {**first, **second}
    for key in first.keys() & second.keys():
        one, other = first[key], second[key]
        if _is_number(one) and _is_number(other):
            together[key] = one + other
        elif isinstance(one, dict) and isinstance(other, dict):
            together[key] = add(one, other)
        elif key == "slots":
            together[key] = [add(*pair) for pair in zip(one, other, strict=True)]
    return together


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
