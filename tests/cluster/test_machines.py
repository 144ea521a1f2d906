"""Machines: who is the manager, and what to do where there is none."""

from datetime import UTC, datetime

import pytest

from auniverse.cluster import Machine, Stack
from auniverse.cluster.machines import manager_of
from auniverse.errors import ProvisionError


def machine(role: str, state: str) -> Machine:
    launched = datetime(2026, 11, 22, tzinfo=UTC)
    return Machine("i-1", role, "t3.small", state, False, "10.0.0.1", "", launched, 20)


def test_the_manager_is_the_one_that_lives() -> None:
    stack = Stack("demo", "arn:demo", "CREATE_COMPLETE")
    found = [machine("worker", "running"), machine("manager", "terminated")]
    with pytest.raises(ProvisionError, match=r"manager of demo does not run: .*down -s demo"):
        manager_of(found, stack)
    alive = machine("manager", "pending")
    assert manager_of([*found, alive], stack) is alive


def test_a_cluster_that_has_ended_by_itself_says_so() -> None:
    expired = Stack("demo", "arn:demo", "CREATE_COMPLETE", {"Expires": "2026-11-22T15:00:00Z"})
    with pytest.raises(ProvisionError, match="it was to end at 2026-11-22T15:00:00Z"):
        manager_of([], expired)
