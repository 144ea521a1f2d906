import math

from auniverse.vector import Pace


def test_ticks_stay_on_their_grid_while_the_agent_is_in_time():
    pace = Pace(10)
    pace.restart(5.0, 60.0)
    dues = []
    for now in (5.0, 5.13, 5.29):
        pace.begin(now)
        dues.append(round(pace.due, 6))
    assert dues == [5.1, 5.2, 5.3]
    assert pace.missed == 0


def test_a_late_agent_is_counted_and_the_clock_starts_anew():
    pace = Pace(10)
    pace.restart(0.0, 60.0)
    pace.begin(0.35)  # the steps due at 0.1, 0.2 and 0.3 are gone
    assert pace.due == 0.35
    assert pace.missed == 3
    pace.begin(0.36)
    assert round(pace.due, 6) == 0.45


def test_infinite_fps_is_always_due_and_never_missed():
    pace = Pace(math.inf)
    pace.restart(0.0, 60.0)
    pace.begin(7.0)
    assert pace.timed
    assert pace.due == 7.0
    assert pace.missed == 0


def test_no_fps_is_not_ended_by_time():
    assert not Pace(None).timed


def test_the_default_is_what_the_environment_says():
    pace = Pace()
    pace.restart(0.0, 4.0)
    pace.begin(0.0)
    assert pace.due == 0.25
    pace.restart(1.0, 2.0)
    pace.begin(1.0)
    assert pace.due == 1.5
