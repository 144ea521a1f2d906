"""Counters of one slot at several workers, one after the other, as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def add(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Add the numbers in two dicts, and in dicts within them.

    Of what is no number the second's value holds.
    """
    together = {**first, **second}
    for key in first.keys() & second.keys():
        one, other = first[key], second[key]
        if _is_number(one) and _is_number(other):
            together[key] = one + other
        elif isinstance(one, dict) and isinstance(other, dict):
            together[key] = add(one, other)
    return together


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
