from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from auniverse.host import Metadata, Outcome, Program
from auniverse.host.gym_core import GymProgram
from auniverse.host.program import Finding
from auniverse.rewarder import V1
from auniverse.scoring import Sight
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


def test_what_one_look_brought_is_added_up():
    told = []
    assert not Finding().tell(told.append)
    assert told == [], "nothing new"
    finding = Finding(text="go")
    finding.add(1.0, over=False, score=None)
    finding.see(Sight(2.0, over=False, score=7.0))
    assert not finding.tell(told.append)
    assert told == [Outcome(3.0, False, False, "go", {"score": 7.0})]


@pytest.mark.parametrize("also_over", [False, True])
def test_a_scorer_that_gives_up_is_late_and_an_end_is_an_end(also_over):
    told = []
    finding = Finding()
    finding.add(0.0, over=also_over, score=None)
    finding.see(Sight(0.0, over=True, score=None, reason="no score for 70 s"))
    assert finding.tell(told.append)
    ending = {"ended_by": "no score for 70 s"}
    assert told == [Outcome(0.0, also_over, not also_over, None, ending)]
