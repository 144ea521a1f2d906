"""Messages that are legal in themselves, at a time when they are not (CVE-2018-20024, 2020-14396).

Every state of a client knows what it waits for; anything else is read as that, and refused as that.
"""

from __future__ import annotations

import pytest

from auniverse.errors import AuthenticationError, RemoteError, RFBError
from auniverse.rewarder import Connection as RewarderConnection
from auniverse.rewarder import Ledger
from auniverse.rfb import Connection, State
from tests.rfb.wire import BELL, RAW, opening, rectangle, server_init, update

from .cost import tell

BANNER, CHOICE, OK = b"RFB 003.008\n", b"\1\1", bytes(4)
ONE_PIXEL = update(rectangle(0, 0, 1, 1, RAW, b"abcd"))


@pytest.mark.parametrize(
    ("said", "error", "state"),
    [
        ((BELL,), RFBError, State.VERSION),
        ((ONE_PIXEL,), RFBError, State.VERSION),
        ((BANNER, BANNER), AuthenticationError, State.SECURITY),  # 82 types, none of ours
        ((BANNER, CHOICE, BANNER * 2), AuthenticationError, State.RESULT),
        ((BANNER, CHOICE, OK, BANNER * 3), RFBError, State.INIT),
        ((opening(), BANNER), RFBError, State.OPEN),
        ((opening(), server_init()), RFBError, State.OPEN),
        ((opening(), update(count=2), ONE_PIXEL), RFBError, State.OPEN),
        ((opening(), update(count=1), opening()), RFBError, State.OPEN),
    ],
)
def test_what_comes_out_of_turn_ends_it(
    said: tuple[bytes, ...], error: type[RemoteError], state: State
) -> None:
    connection = Connection(encodings=(RAW,))
    for part in said[:-1]:
        assert tell(part, connection=connection).fault is None
    # At the latest when as much has come as the state waits for.
    told = tell(said[-1] + bytes(3000), connection=connection)
    if told.fault is None:
        told = tell(b"S" * 80_000, connection=connection)
    assert isinstance(told.fault, error)
    assert connection.state is State.CLOSED


def test_after_the_end_nothing_is_taken() -> None:
    connection = Connection()
    assert tell(b"nonsense", connection=connection).fault
    with pytest.raises(RemoteError, match="closed"):
        connection.receive_data(opening())
    with pytest.raises(RemoteError, match="closed"):
        connection.get_buffer(1)
    assert not connection.pending


REPLY = (
    '{{"method":"{}","headers":{{"sent_at":1,"message_id":0,{}}},'
    '"body":{{"reward":1,"done":true}}}}'
)


@pytest.mark.parametrize(
    "method",
    ["v0.reply.env.reset", "v0.reply.control.ping", "v0.reply.error", "v0.env.reward"],
)
def test_replies_and_rewards_that_nobody_asked_for_earn_nothing(method: str) -> None:
    connection, ledger = RewarderConnection(), Ledger()
    ledger.mask(connection.send_reset(env_id="x", seed=None, fps=60, now=0.0))
    for parent in ('"parent_message_id":7,"episode_id":"3"', '"episode_id":"9"'):
        connection.receive_text(REPLY.format(method, parent), 1.0)
    for event in connection.events():
        ledger.feed(event)
    collected = ledger.collect()
    assert (collected.reward, collected.done, collected.episode_id) == (0.0, False, None)
