"""What a cluster costs, from a table of prices with its date. An estimate: the bill is AWS's.

Traffic is left out, and so is what machines cost that are gone. A spot instance counts as what it
would cost on demand, which is the most that it can.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from .machines import Machine

_TABLE = Path(__file__).with_name("prices.json")
_HOURS_A_MONTH = 730


class Estimate(NamedTuple):
    """What machines cost.

    Attributes:
        currency: Such as "USD".
        an_hour: All of them together; those of `unknown` types are left out.
        so_far: Since each was launched.
        hours: Machine hours so far.
        as_of: When the prices were true.
        exact: Whether they are this region's; else prices of `where`.
        where: Whose prices they are.
        unknown: Types that the table lacks.
    """

    currency: str
    an_hour: float
    so_far: float
    hours: float
    as_of: str
    exact: bool
    where: str
    unknown: tuple[str, ...]


def prices() -> dict[str, Any]:
    """Return the table of prices."""
    found: dict[str, Any] = json.loads(_TABLE.read_text())
    return found


def estimate(found: Iterable[Machine], region: str, now: datetime) -> Estimate:
    """Estimate what machines cost.

    Args:
        found: The machines; those that do not run cost nothing.
        region: Where they are.
        now: Until when they are counted; with a time zone.
    """
    table = prices()
    first, *_ = tables = table["regions"]
    there = next((each for each in tables if region in each["names"]), first)
    an_hour = so_far = total = 0.0
    unknown = set()
    for machine in found:
        if not machine.is_live:
            continue
        hours = max(0.0, (now - machine.launched).total_seconds() / 3600)
        total += hours
        price = there["hours"].get(machine.type)
        if price is None:
            unknown.add(machine.type)
            continue
        price += machine.disk * there["disk_gib_month"] / _HOURS_A_MONTH
        price += table["public_address_hour"] if machine.public else 0.0
        an_hour += price
        so_far += price * hours
    return Estimate(
        currency=table["currency"],
        an_hour=an_hour,
        so_far=so_far,
        hours=total,
        as_of=table["as_of"],
        exact=region in there["names"],
        where=there["names"][0],
        unknown=tuple(sorted(unknown)),
    )
