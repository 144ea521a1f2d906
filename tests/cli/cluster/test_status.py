"""`auniverse cluster status`: machines, hours, costs."""

import pytest

from auniverse.cli.cluster.status import costs_in_words
from auniverse.cluster import Estimate

from ...aws import KEY
from .runner import answer, cluster


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_status() -> None:
    answer("up", "-s", "demo", "--key", KEY, "--workers", "2")
    found = answer("status", "-s", "demo")
    assert found["workers_wanted"] == 2
    assert [machine["role"] for machine in found["machines"]] == ["manager", "worker", "worker"]
    assert all(machine["hours"] >= 0 for machine in found["machines"])
    assert found["estimate"]["an_hour"] > 2 * 0.17 + 0.0208
    table = cluster("status", "-s", "demo").stdout
    assert "c6i.xlarge" in table
    assert "USD an hour" in table
    elsewhere = cluster("status", "-s", "demo", "--region", "eu-west-1")
    assert elsewhere.exit_code == 2
    assert "no stack 'demo' in eu-west-1; clusters there: none" in elsewhere.stderr


def test_somebody_must_be_asked() -> None:
    nobody = cluster("status")
    assert nobody.exit_code == 2
    assert "--stack NAME, or --manager me@host" in nobody.stderr


def test_an_estimate_in_words_says_what_it_does_not_know() -> None:
    found = Estimate("USD", 1.5, 3.0, 6.0, "2026-06", False, "us-east-1", ("x9.huge",))
    text = costs_in_words(found)
    assert "1.50 USD an hour, about 3.00 USD for 6.0 machine hours" in text
    assert "an estimate from public tables of 2026-06, at the prices of us-east-1" in text
    assert "no price is known for x9.huge" in text
