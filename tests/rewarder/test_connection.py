from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import ConnectionLostError, InvalidActionError, RewarderError, UsageError
from auniverse.rewarder import (
    V1,
    ClosedByServer,
    Connection,
    Describe,
    Described,
    ErrorReplied,
    ObservationReceived,
    Pong,
    ResetReplied,
    Rewarded,
    StepReplied,
    TextReceived,
)
from auniverse.rewarder.messages import Body, Headers, PingReply, StepReply
from auniverse.rewarder.messages import Describe as DescribeMessage
from auniverse.rewarder.values import weight
from auniverse.rewarder.wire import serialize

from . import examples
from .examples import json_values, tricky

NOW = 1481000020.0
BLOCK = V1(7, True, 160, 210, (), "hold", (), False, False)


def written(body: Body, parent: int | None = None, sent_at: float = 1.0) -> str:
    return serialize(Headers(0, sent_at, parent), body, 1)


def of_protocol_1() -> Connection:
    connection = Connection()
    connection.receive_text(written(DescribeMessage("a", "running", "1", 60, BLOCK)), NOW)
    connection.events()
    return connection


def example(kind: str) -> str:
    return next(
        text for text, _, body in examples.FROM_SERVER if type(body).__name__.startswith(kind)
    )


def test_universe_s_conversation_is_understood() -> None:
    connection = Connection()
    for _ in range(10):  # so that our reset gets the example's number
        connection.send_ping(NOW)
    reset = connection.send_reset(env_id=examples.DUSK, seed=None, fps=60, now=NOW)
    connection.send_ping(NOW)
    bad_reset = connection.send_reset(env_id="llama", seed=None, fps=60, now=NOW)
    assert (reset, bad_reset) == (10, 12)
    for text, _, _ in examples.FROM_SERVER:
        connection.receive_text(text, NOW)
    sizes = [weight(text) for text, _, _ in examples.FROM_SERVER]
    info = examples.FROM_SERVER[4][2].info
    instruction = examples.FROM_SERVER[5][2].text
    assert connection.events() == [
        Described(Describe(examples.DUSK, "running", "1", 60.0), 1481000000.125, NOW),
        Pong(0, 0.0),
        Described(Describe(examples.DUSK, "resetting", "2", 60.0), 1481000000.41, NOW),
        ResetReplied(10, "2", NOW),
        Rewarded(21.0, False, info, "2", 1481000010.0, NOW, sizes[4]),
        TextReceived(instruction, "2", 1481000010.1, NOW, sizes[5]),
        ObservationReceived([0.01, -0.02, 0.03, 0.04], "2", 1481000010.1, NOW, sizes[6]),
        ErrorReplied(12, "v0.env.reset", "unknown env id llama"),
        ClosedByServer("another agent is already connected"),
    ]
    assert connection.events() == []
    assert connection.described == Describe(examples.DUSK, "resetting", "2", 60.0)
    assert connection.protocol == 0
    assert connection.closed == "another agent is already connected"


def test_what_a_client_says_is_universe_s_byte_for_byte() -> None:
    connection = Connection()
    connection.send_ping(1481000000.2)
    assert connection.data_to_send() == [examples.FROM_CLIENT[0][0]]
    for _ in range(9):
        connection.send_ping(NOW)
    connection.data_to_send()
    connection.send_reset(env_id=examples.DUSK, seed=None, fps=60.0, now=1481000000.4)
    connection.send_action(
        "gtav.SaneDriving-v0",
        [("JoystickAxisXEvent", 0.1), ["JoystickAxisZEvent", 0.5]],
        1481000010.2,
    )
    assert connection.data_to_send() == [text for text, _, _ in examples.FROM_CLIENT[1:]]
    assert connection.data_to_send() == []


def test_lock_step_waits_for_a_server_that_knows_it() -> None:
    connection = Connection()
    for describe in (None, example("Describe")):
        if describe:
            connection.receive_text(describe, NOW)
        with pytest.raises(UsageError, match="lock-step"):
            connection.send_step([], now=NOW)
        with pytest.raises(UsageError, match="lock-step"):
            connection.send_reset(env_id="a", seed=0, fps=60, now=NOW, lockstep=True)
    assert connection.data_to_send() == []
    connection = of_protocol_1()
    assert connection.protocol == 1
    reset = connection.send_reset(env_id="a", seed=0, fps=60, now=NOW, lockstep=True)
    step = connection.send_step([("KeyEvent", 97, True)], frames=2, now=NOW)
    assert (reset, step) == (0, 1)
    sent = [json.loads(text) for text in connection.data_to_send()]
    assert sent[0]["body"]["v1"] == {"lockstep": True}
    assert sent[1]["method"] == "v1.env.step"
    assert sent[1]["body"] == {"events": [["KeyEvent", 97, True]], "frames": 2}
    connection.receive_text(written(StepReply(9, "1"), parent=step), NOW)
    assert connection.events() == [StepReplied(step, 9, "1")]


@pytest.mark.parametrize(
    "events",
    [[("KeyEvent", "a", True)], [("KeyEvent", 97)], [(97, True)], [("PointerEvent", -1, 0, 0)]],
)
def test_a_step_of_something_else_is_the_caller_s_fault(events: Any) -> None:
    connection = of_protocol_1()
    with pytest.raises(InvalidActionError, match="events"):
        connection.send_step(events, now=NOW)
    with pytest.raises(InvalidActionError, match="action"):
        connection.send_action("a", [("X", "fast")], NOW)
    with pytest.raises(UsageError, match="0 frames"):
        connection.send_step([], frames=0, now=NOW)
    with pytest.raises(UsageError, match="JSON"):
        connection.send_reset(env_id="a", seed=object(), fps=60, now=NOW)  # type: ignore[arg-type]
    assert connection.send_ping(NOW) == 0  # nothing was sent, no number lost


def test_replies_to_nobody_are_logged_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    connection = of_protocol_1()
    ping = connection.send_ping(NOW)
    with caplog.at_level(logging.INFO, "auniverse.rewarder"):
        connection.receive_text(example("ResetReply"), NOW)  # nobody asked
        connection.receive_text(example("ErrorReply"), NOW)
        connection.receive_text(written(StepReply(9, "1"), parent=ping), NOW)  # of another kind
        connection.receive_text(written(PingReply()), NOW)  # no parent at all
        assert connection.events() == []
        assert [record.message.split()[0] for record in caplog.records] == [
            "ResetReply",
            "ErrorReply",
            "StepReply",
            "PingReply",
        ]
        connection.receive_text(written(PingReply(), parent=ping), NOW)
        assert connection.events() == [Pong(ping, 0.0)]
        connection.receive_text(written(PingReply(), parent=ping), NOW)  # twice
        assert connection.events() == []
        assert len(caplog.records) == 5


def test_unknown_methods_are_logged_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    connection = Connection()
    with caplog.at_level(logging.INFO, "auniverse.rewarder"):
        connection.receive_text('{"method": "v0.env.launch"}', NOW)
        connection.receive_text(examples.FROM_CLIENT[0][0], NOW)  # a ping is not for clients
    assert connection.events() == []
    assert connection.closed is None
    assert "v0.env.launch" in caplog.records[0].message
    assert len(caplog.records) == 2


def test_after_the_goodbye_nothing_is_said_or_heard() -> None:
    connection = Connection()
    connection.receive_text(example("Close"), NOW)
    connection.receive_text(example("Describe"), NOW)
    connection.receive_text("garbage", NOW)
    assert connection.events() == [ClosedByServer("another agent is already connected")]
    for send in (
        lambda: connection.send_ping(NOW),
        lambda: connection.send_reset(env_id="a", seed=None, fps=60, now=NOW),
        lambda: connection.send_action("a", [], NOW),
    ):
        with pytest.raises(ConnectionLostError, match="another agent is already connected"):
            send()
    assert connection.data_to_send() == []


def test_a_breach_ends_the_connection() -> None:
    connection = Connection()
    with pytest.raises(RewarderError, match="not JSON"):
        connection.receive_text("<html>502 Bad Gateway</html>", NOW)
    assert "not JSON" in (connection.closed or "")
    with pytest.raises(ConnectionLostError, match="not JSON"):
        connection.send_ping(NOW)


def test_the_skew_is_added_to_a_remote_time_to_get_a_local_one() -> None:
    connection = Connection()
    assert connection.skew is None
    # The server's clock is 100 s ahead; each message takes 0.25 s there and 0.75 s back.
    ping = connection.send_ping(1000.0)
    connection.receive_text(written(PingReply(), ping, sent_at=1100.25), 1001.0)
    assert connection.events() == [Pong(ping, 1.0)]
    # r - t = 99.25 and r - s = 100.25: added to local times they give remote ones.
    assert connection.skew == (-100.25, -99.25)
    ping = connection.send_ping(1002.0)
    connection.receive_text(written(PingReply(), ping, sent_at=1102.25), 1002.5)
    assert connection.skew == (-100.25, -99.75)  # the tightest of both
    ping = connection.send_ping(1004.0)
    connection.receive_text(written(PingReply(), ping, sent_at=1109.0), 1009.25)
    assert connection.skew == (-100.25, -99.75)  # a late answer widens nothing
    ping = connection.send_ping(1010.0)
    connection.receive_text(written(PingReply(), ping, sent_at=1120.0), 1010.0)
    # A clock that jumped: nothing fits all, so the mean.
    assert connection.skew == (-103.875, -102.1875)


def test_the_skew_follows_the_newest_ten_pings() -> None:
    connection = Connection()
    for count in range(20):
        offset = 50.0 if count < 10 else -3.0
        ping = connection.send_ping(float(count))
        connection.receive_text(written(PingReply(), ping, sent_at=count + offset), float(count))
    assert connection.skew == (3.0, 3.0)


def test_a_hostile_clock_leaves_the_skew_finite() -> None:
    connection = Connection()
    for _ in range(10):
        ping = connection.send_ping(0.0)
        connection.receive_text(written(PingReply(), ping, sent_at=1e12), 1.0)
    assert connection.skew == (-1e12, 1.0 - 1e12)


def test_the_upgrade_headers_are_for_this_password_and_role() -> None:
    assert Connection().upgrade_headers()["authorization"] == "Basic b3BlbmFpOg=="
    assert Connection(observer=True).upgrade_headers()["openai-observer"] == "true"
    assert "authorization" not in Connection(password=None).upgrade_headers()


@given(
    st.lists(
        tricky
        | json_values.map(json.dumps)
        | st.sampled_from([text for text, _, _ in examples.FROM_SERVER])
    )
)
def test_any_texts_are_heard_or_refused(texts: list[str]) -> None:
    connection = Connection()
    for number, text in enumerate(texts):
        try:
            connection.receive_text(text, NOW + number)
        except RewarderError:
            assert connection.closed is not None
            break
    assert all(event is not None for event in connection.events())
