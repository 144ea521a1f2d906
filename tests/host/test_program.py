from __future__ import annotations

from typing import get_args, get_type_hints

from auniverse.host import Metadata, Outcome, Program
from auniverse.host.gym_core import GymProgram
from auniverse.rewarder import V1
from tests.meter import Meter


def test_every_program_has_all_the_verbs():
    verbs = [name for name, value in vars(Program).items() if callable(value) and name[0] != "_"]
    assert verbs == ["load", "reset", "press", "advance", "close"]
    for program in (GymProgram, Meter):
        assert all(callable(getattr(program, verb)) for verb in verbs)


def test_metadata_is_what_clients_are_told():
    told = set(V1.__slots__) - {"frame", "lockstep"}
    assert told | {"env_id", "fps"} == set(Metadata.__slots__)
    assert get_args(get_type_hints(Metadata)["press"]) == ("hold", "tap")


def test_an_outcome_reads_like_a_gymnasium_step():
    assert Outcome._fields[:3] == ("reward", "terminated", "truncated")
