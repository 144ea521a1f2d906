"""Whatever is told goes through a pickle."""

import pickle

import pytest

from auniverse.address import Remote
from auniverse.errors import WorkerLostError
from auniverse.rfb import KeyEvent
from auniverse.vector import Handle, Result
from auniverse.vector.crew import orders

NEWS = orders.News((2, 3), None, {0: {"faults": 1}}, 0.5, {0: Handle(1, 2, 3, 0, (1,), (1,), "u1")})
REMOTE = Remote("a", 1, 2, "secret", "secret", "kept")
PLACE = orders.Place(3, REMOTE, "x", True)


@pytest.mark.parametrize(
    "message",
    [
        orders.Open([PLACE], {"fps": 30.0}),
        orders.Opened({3: orders.Tried(None, False, REMOTE)}, NEWS),
        orders.Settle((2, 3), 4),
        orders.Ping(),
        orders.Pong(),
        orders.Enter([PLACE]),
        orders.Entered({3: orders.Tried(None, True)}, NEWS),
        orders.Leave(1, [3]),
        orders.Freeze(2, 3, True),
        orders.Done(2),
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
