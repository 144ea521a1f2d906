import math

import pytest

from auniverse.errors import UsageError
from auniverse.vector.wishes import checked_fps, env_ids_for, env_ids_in, seeds_for


def test_a_rewarder_is_told_a_rate_only():
    assert [checked_fps(fps) for fps in (30, "default", None, math.inf)] == [30.0, None, None, None]
    for fps in (0, -1, "fast"):
        with pytest.raises(UsageError, match="fps"):
            checked_fps(fps)


def test_one_env_id_for_all_or_one_for_each():
    assert env_ids_for(2, "a") == ["a", "a"]
    assert env_ids_for(2, None) == [None, None]
    assert env_ids_for(2, ["a", None]) == ["a", None]
    with pytest.raises(UsageError, match="1 env_ids for 2"):
        env_ids_for(2, ["a"])


def test_a_seed_is_counted_up_by_the_slots_own_index():
    assert seeds_for([1, 4], 7) == [8, 11]
    assert seeds_for([1, 4], [7, None]) == [7, None]
    assert seeds_for([1, 4], None) == [None, None]
    with pytest.raises(UsageError, match="1 seeds for 2"):
        seeds_for([1, 4], [7])


def test_options_of_a_reset():
    assert env_ids_in(None, 2) == [None, None]
    assert env_ids_in({"env_id": ["a", "b"]}, 2) == ["a", "b"]
    with pytest.raises(UsageError, match="'level'"):
        env_ids_in({"level": 3}, 2)
