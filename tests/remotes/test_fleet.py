from __future__ import annotations

from dataclasses import dataclass

from auniverse.address import Remote
from auniverse.remotes import Fleet


@dataclass
class Kept:
    alive: bool
    log_tail: str


def test_a_fleet_is_a_list_that_asks_the_keepers() -> None:
    remotes = [Remote("h", 1, 2, name="a"), Remote("h", 3, 4, name="b")]
    fleet = Fleet(remotes, {"a": Kept(True, "fine"), "b": Kept(False, "alas")})
    assert fleet == remotes
    assert [fleet.alive(remote) for remote in fleet] == [True, False]
    assert [fleet.log_tail(remote) for remote in fleet] == ["fine", "alas"]


def test_of_an_address_nothing_is_known() -> None:
    (remote,) = fleet = Fleet([Remote("h", 1, 2)])
    assert fleet.alive(remote) is None
    assert fleet.log_tail(remote) == ""
