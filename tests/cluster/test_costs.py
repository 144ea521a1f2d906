"""Costs are sums over a table; what the table lacks is said."""

from datetime import UTC, datetime, timedelta

import pytest

from auniverse.cluster import Machine, estimate
from auniverse.cluster.costs import prices

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def machine(type: str = "c6i.xlarge", hours: float = 10, **options: object) -> Machine:
    given = {"role": "worker", "state": "running", "public": "192.0.2.1", "disk": 73, **options}
    launched = NOW - timedelta(hours=hours)
    return Machine(id="i-1", type=type, spot=False, private="", launched=launched, **given)  # type: ignore[arg-type]


def test_machines_disks_and_addresses_count() -> None:
    found = estimate([machine(), machine(public="", hours=1)], "us-west-2", NOW)
    disk = 73 * 0.08 / 730
    assert found.an_hour == pytest.approx(2 * (0.17 + disk) + 0.005)
    assert found.so_far == pytest.approx(10 * (0.175 + disk) + (0.17 + disk))
    assert found.hours == pytest.approx(11)
    assert found.exact
    assert found.as_of == prices()["as_of"]


def test_what_is_gone_costs_nothing_and_what_is_unknown_is_named() -> None:
    found = estimate(
        [machine(state="terminated"), machine("x9.huge"), machine(hours=-1)], "sa-east-1", NOW
    )
    assert found.unknown == ("x9.huge",)
    assert found.hours == 10
    assert found.so_far == 0, "a clock that is behind"
    assert not found.exact
    assert found.where == "us-west-2"


def test_a_region_that_the_docs_advise_has_its_own_prices() -> None:
    found = estimate([machine()], "eu-central-1", NOW)
    assert (found.exact, found.where) == (True, "eu-central-1")
    assert found.an_hour == pytest.approx(0.194 + 0.005 + 73 * 0.0952 / 730)
