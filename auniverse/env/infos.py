"""Infos: one dict of arrays for many slots, as Gymnasium's vector environments have them."""

from __future__ import annotations

from typing import Any

import numpy as np


def with_masks(infos: dict[str, Any], n: int) -> dict[str, Any]:
    """Give every key its mask `_key`: a bool array (n,), true where the key has a value."""
    masks = {f"_{key}": np.ones(n, np.bool_) for key in infos if not _is_mask(key, infos)}
    return {**infos, **masks, **{key: infos[key] for key in masks if key in infos}}


def info_of(infos: dict[str, Any], position: int) -> dict[str, Any]:
    """Return what the infos say of one slot; NumPy's numbers become Python's."""
    return {
        key: value.item() if isinstance(value := column[position], np.generic) else value
        for key, column in infos.items()
        if not _is_mask(key, infos) and (f"_{key}" not in infos or infos[f"_{key}"][position])
    }


def spread(infos: dict[str, Any], slots: list[int], n: int) -> dict[str, Any]:
    """Turn the infos of some slots, with their masks, into infos of all n.

    The other slots have 0, False or None there, and a mask that is false.
    """
    spread_out = {}
    for key, column in infos.items():
        wide = np.full(n, None, object) if column.dtype == object else np.zeros(n, column.dtype)
        wide[slots] = column
        spread_out[key] = wide
    return spread_out


def _is_mask(key: str, infos: dict[str, Any]) -> bool:
    return key.startswith("_") and key[1:] in infos
