from auniverse.errors import AuthenticationError, ConnectionLostError
from auniverse.vector import Budget

LOST = ConnectionLostError("gone")


def test_pauses_double_up_to_a_limit_and_end():
    budget = Budget(tries=4, pause=1.0, longest=3.0, jitter=lambda: 1.0)
    assert [budget.spend(LOST, 0.0) for _ in range(5)] == [1.0, 2.0, 3.0, 3.0, None]
    assert budget.causes == {"ConnectionLostError": 5}


def test_jitter_halves_a_pause_at_most():
    assert Budget(pause=1.0, jitter=lambda: 0.0).spend(LOST, 0.0) == 0.5


def test_a_refused_password_is_not_tried_again():
    assert Budget().spend(AuthenticationError("no"), 0.0) is None


def test_a_long_life_earns_a_new_budget():
    budget = Budget(tries=1, jitter=lambda: 1.0)
    assert budget.spend(LOST, 0.0) == 0.5
    assert budget.spend(LOST, 61.0) == 0.5
    assert budget.spend(LOST, 0.0) is None
