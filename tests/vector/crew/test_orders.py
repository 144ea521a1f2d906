"""Whatever is told goes through a pickle."""

import pickle

import pytest

from auniverse.address import Remote
from auniverse.errors import WorkerLostError
from auniverse.rfb import KeyEvent
from auniverse.vector import Result
from auniverse.vector.crew import orders

NEWS = orders.News((2, 3), None, {"slots": []})
REMOTE = Remote("a", 1, 2, "secret", "secret", "kept")


@pytest.mark.parametrize(
    "message",
    [
        orders.Open([REMOTE], ["x"], [True], {"fps": 30.0}),
        orders.Opened([None], [False], NEWS),
        orders.Settle((2, 3), 4, 1),
        orders.Begin([(0, 1, None), (1, None, "x")]),
        orders.Rest([0], True),
        orders.Act([(0, [KeyEvent(0xFF53, True)])]),
        orders.Collect(1, [0], orders.Patience.PLAYING, None, 0),
        orders.Withdraw(),
        orders.Told(1, REMOTE, None),
        orders.Answer(1, 2, [Result(0, 1.0, False, False, {"text": "é"})], {}, NEWS, None),
        orders.Ask(1, "replace", REMOTE),
        orders.Doing(False, "log", "killed by signal 9"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_survive(message):
    copy = pickle.loads(pickle.dumps(message, protocol=5))
    assert type(copy) is type(message)
    assert copy == message


def test_errors_come_with_what_they_say():
    refused = pickle.loads(pickle.dumps(orders.Refused(WorkerLostError("gone", remedy="wait"))))
    assert str(refused.error) == "gone (wait)"
