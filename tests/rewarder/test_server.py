"""The server's core against the client's core, with nothing in between."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import UsageError
from auniverse.rewarder import (
    V1,
    ActionRequest,
    ClosedByServer,
    Connection,
    Describe,
    Described,
    ErrorReplied,
    ObservationReceived,
    Peer,
    Pong,
    ResetReplied,
    ResetRequest,
    Rewarded,
    StepReplied,
    StepRequest,
    TextReceived,
)

from . import examples
from .conversation import Pair, one, server
from .examples import DUSK, json_values, tricky

BLOCK = V1(0, True, 160, 210, ((), ("ArrowLeft",)), "hold", ("ArrowLeft",), False, True)


def test_a_whole_session_is_universe_s_byte_for_byte() -> None:
    host = server(v1=BLOCK)
    host.set_state("resetting", 1480999990.0)
    host.set_state("running", 1480999999.0)
    peer = host.connect({"authorization": "Basic b3BlbmFpOg=="}, 1481000000.125)  # protocol 0
    ping, reset, _ = (text for text, _, _ in examples.FROM_CLIENT)
    assert host.receive_text(peer, ping, 1481000000.203) == []
    for number in range(2, 11):  # nine broadcasts, so that the numbers are the examples'
        host.text(number, 1481000000.3)
    request = one(host.receive_text(peer, reset, 1481000000.41))
    assert request == ResetRequest(peer, DUSK, None, 60.0, False, 10, "0", 1481000000.41)
    host.set_state("resetting", 1481000000.41, env_id=request.env_id)
    host.set_state("running", 1481000009.7)
    host.reply_reset(request, 1481000009.71)
    _, _, _, _, reward, text, observation, _, _ = (body for _, _, body in examples.FROM_SERVER)
    host.reward(reward.reward, reward.done, reward.info, 1481000010.0)
    host.text(text.text, 1481000010.1)
    host.observation(observation.observation, 1481000010.1)
    sent = peer.data_to_send()
    assert sent[:2] + sent[11:12] + sent[13:] == [text for text, _, _ in examples.FROM_SERVER[:7]]
    assert sent[12] == examples.FROM_SERVER[2][0].replace('id":11', 'id":12').replace(
        "00.41", "09.7"
    ).replace("resetting", "running")
    assert not any("v1" in text for text in sent)


def test_a_reset_goes_there_and_back() -> None:
    host = server()
    host.set_state("resetting", 0.0)
    host.set_state("running", 0.0)
    pair = Pair(host)
    assert pair.to_client(0.0) == [Described(Describe(DUSK, "running", "1", 60.0), 0.0, 0.0)]
    request = one(pair.reset(1.0, env_id="flashgames.NeonRace-v0", seed=1 << 100, fps=30))
    assert (request.env_id, request.seed, request.fps) == ("flashgames.NeonRace-v0", 1 << 100, 30)
    host.set_state("resetting", 2.0, env_id=request.env_id, fps=30)
    host.set_state("running", 3.0)
    host.reply_reset(request, 4.5)
    assert pair.to_client(5.0) == [
        Described(Describe("flashgames.NeonRace-v0", "resetting", "2", 30.0), 2.0, 5.0),
        Described(Describe("flashgames.NeonRace-v0", "running", "2", 30.0), 3.0, 5.0),
        ResetReplied(0, "2", 5.0),
    ]
    assert json.loads(pair.seen[-1])["headers"]["parent_runtime"] == 3.5


def test_states_other_than_universe_s_are_refused() -> None:
    with pytest.raises(UsageError, match="paused"):
        server().set_state("paused", 0.0)


def test_pings_are_answered_inside() -> None:
    pair = Pair(server(), observer=True)
    pair.to_client(0.0)
    pair.client.send_ping(1.0)
    assert pair.to_server(101.25) == []
    assert pair.to_client(1.5) == [Pong(0, 0.5)]
    assert pair.client.skew == (-100.25, -99.75)
    assert "parent_runtime" not in json.loads(pair.seen[-1])["headers"]


@pytest.mark.parametrize("password", [None, "llama"])
def test_who_does_not_know_the_password_is_told_and_closed(password: str | None) -> None:
    host = server(v1=BLOCK)
    pair = Pair(host, password=password)
    reason = "wrong password" if password else "no authorization header"
    assert pair.peer.close == (1000, reason)
    assert pair.to_client(0.0) == [ClosedByServer(reason)]
    assert len(pair.seen) == 1
    host.set_state("resetting", 0.0)
    assert pair.peer.data_to_send() == []
    assert host.receive_text(pair.peer, examples.FROM_CLIENT[1][0], 0.0) == []
    assert not host.active
    assert host.peers == ()


def test_a_server_without_a_password_lets_everybody_in() -> None:
    assert Pair(server(password=None), password="whatever").peer.close is None
    with pytest.raises(UsageError, match="empty password"):
        server(password="")


def test_one_agent_at_a_time_and_any_number_of_observers() -> None:
    host = server()
    observers = [Pair(host, observer=True) for _ in range(3)]
    first, second, third = Pair(host), Pair(host), Pair(host)
    for pair in observers:
        pair.client.send_ping(0.0)
        pair.to_server(0.0)
    assert not host.active
    second.client.send_ping(0.0)  # who speaks first, not who came first
    second.to_server(0.0)
    assert host.active
    assert first.reset() == []
    assert first.peer.close == (1000, "another agent is already connected")
    assert first.to_client(0.0)[-1] == ClosedByServer("another agent is already connected")
    assert third.peer.close is None  # it is silent
    host.disconnect(second.peer)
    host.disconnect(second.peer)
    assert not host.active
    assert len(third.reset()) == 1
    assert host.active
    assert host.peers == (*(pair.peer for pair in observers), third.peer)


def test_observers_see_everything_and_may_do_nothing(caplog: pytest.LogCaptureFixture) -> None:
    host = server(v1=BLOCK)
    host.set_state("resetting", 0.0)
    pair = Pair(host, observer=True)
    pair.to_client(0.0)
    assert pair.reset() == []
    pair.client.send_step([], now=1.0)
    pair.client.send_action(DUSK, [("X", 1.0)], 1.0)
    with caplog.at_level(logging.INFO, "auniverse.rewarder"):
        assert pair.to_server(1.0) == []
    assert pair.to_client(1.0) == [
        ErrorReplied(0, "v0.env.reset", "an observer may not reset"),
        ErrorReplied(1, "v1.env.step", "an observer may not step"),
    ]
    assert "action of an observer" in caplog.text
    host.set_state("running", 2.0)
    host.reward(1.0, False, {}, 2.0)
    kinds = [type(event) for event in pair.to_client(2.0)]
    assert kinds == [Described, Rewarded]


def test_replies_go_to_the_asker_and_broadcasts_to_all() -> None:
    host = server()
    agent, observer = Pair(host), Pair(host, observer=True)
    request = one(agent.reset())
    host.set_state("resetting", 1.0)
    host.reply_reset(request, 1.0)
    assert [type(event) for event in agent.to_client(1.0)] == [Described, Described, ResetReplied]
    assert [type(event) for event in observer.to_client(1.0)] == [Described, Described]


def test_the_dead_get_no_reply() -> None:
    host = server(v1=BLOCK)
    pair = Pair(host)
    request = one(pair.reset(episode_id="5"))
    host.disconnect(pair.peer)
    pair.peer.data_to_send()
    host.set_state("resetting", 1.0)
    host.reply_reset(request, 1.0)
    assert pair.peer.data_to_send() == []
    assert host.episode_id == "1"


def test_only_what_matters_is_told_while_running() -> None:
    host = server()
    pair = Pair(host)
    host.set_state("resetting", 0.0)
    host.set_state("running", 10.0)
    pair.to_client(0.0)
    assert not host.reward(0.0, False, {"noise": 1}, 14.9)
    assert not host.heartbeat(14.9)
    assert host.heartbeat(15.0, {"rewarder.profile": {}})
    assert not host.heartbeat(19.0)
    assert host.reward(-1, False, None, 19.0)
    assert not host.heartbeat(23.9)
    assert host.reward(0.0, False, {"beat": 1}, 24.0)
    assert host.reward(0.0, True, {"reason": "controlplane.browser_crashed"}, 25.0)
    assert not host.heartbeat(99.0)
    said = [(event.reward, event.done, event.info) for event in pair.to_client(30.0)]
    assert said == [
        (0.0, False, {"rewarder.profile": {}}),
        (-1.0, False, {}),
        (0.0, False, {"beat": 1}),
        (0.0, True, {"reason": "controlplane.browser_crashed"}),
    ]


def test_the_end_of_an_episode_is_told_before_the_next_begins() -> None:
    host = server()
    pair = Pair(host)
    host.set_state("resetting", 0.0)
    host.set_state("running", 0.0)
    host.reward(2.5, True, {}, 1.0)
    host.set_state("resetting", 1.0)
    host.set_state("running", 2.0)
    host.text("go", 2.0)
    host.observation([1], 2.0)
    told = [
        (type(event), getattr(event, "episode_id", None) or event.describe.episode_id)
        for event in pair.to_client(3.0)[2:]
    ]
    assert told == [
        (Described, "1"),
        (Rewarded, "1"),
        (Described, "2"),
        (Described, "2"),
        (TextReceived, "2"),
        (ObservationReceived, "2"),
    ]


def test_who_joins_an_episode_is_told_its_text() -> None:
    host = server()
    host.set_state("resetting", 1.0)
    host.set_state("running", 2.0)
    host.text("go", 3.0)
    host.text("go on", 4.0)
    heard = [event for event in Pair(host).to_client(5.0) if isinstance(event, TextReceived)]
    assert [(event.text, event.episode_id) for event in heard] == [("go on", "1")]
    host.set_state("resetting", 6.0)
    assert not any(isinstance(event, TextReceived) for event in Pair(host).to_client(7.0))


def test_nothing_is_earned_outside_of_a_running_episode() -> None:
    host = server()
    for prepare in (
        lambda: None,
        lambda: host.set_state("resetting", 0.0),
        lambda: (host.set_state("running", 0.0), host.reward(1.0, True, {}, 0.0)),
    ):
        prepare()
        with pytest.raises(UsageError, match="outside of a running episode"):
            host.reward(1.0, False, {}, 0.0)
        assert not host.heartbeat(100.0)
    host.set_state("resetting", 0.0)
    host.set_state("running", 0.0)
    with pytest.raises(UsageError, match="JSON"):
        Pair(host).server.reward(float("nan"), False, {}, 0.0)


def test_a_step_goes_there_and_back_after_its_reward() -> None:
    host = server(v1=BLOCK)
    pair = Pair(host)
    pair.to_client(0.0)
    reset = one(pair.reset(seed=0, lockstep=True))
    assert reset.lockstep is True
    host.set_state("resetting", 1.0)
    host.set_state("running", 1.0, v1=BLOCK)
    host.reply_reset(reset, 1.0)
    pair.to_client(1.0)
    events = (("KeyEvent", 0xFF51, True), ("PointerEvent", 3, 4, 1))
    pair.client.send_step(events, frames=4, now=2.0)
    step = one(pair.to_server(2.0))
    assert step == StepRequest(pair.peer, events, 4, 1, 2.0)
    host.reward(1.0, False, {}, 2.0)
    host.reply_step(step, 17, 2.5)
    assert pair.to_client(3.0)[1:] == [StepReplied(1, 17, "1")]
    assert json.loads(pair.seen[-1])["headers"]["parent_runtime"] == 0.5
    pair.client.send_step((), now=3.0)
    host.reply_error(one(pair.to_server(3.0)), "the episode is over", 3.0)
    assert pair.to_client(3.0) == [ErrorReplied(2, "v1.env.step", "the episode is over")]


def test_an_action_has_no_reply() -> None:
    pair = Pair(server())
    pair.to_client(0.0)
    pair.client.send_action(DUSK, [("JoystickAxisXEvent", 0.5)], 1.0)
    request = one(pair.to_server(1.0))
    assert request == ActionRequest(pair.peer, DUSK, (("JoystickAxisXEvent", 0.5),), 0, 1.0)
    pair.server.reply_error(request, "no joystick", 1.0)
    assert pair.to_client(1.0) == []


STEP = (
    '{"method":"v1.env.step","headers":{"message_id":0,"sent_at":1.0},'
    '"body":{"events":[],"frames":1}}'
)


def test_protocol_1_needs_both_ends(caplog: pytest.LogCaptureFixture) -> None:
    old, new = server(), server(v1=BLOCK)
    asking = Connection().upgrade_headers()
    silent = {key: value for key, value in asking.items() if key != "auniverse-protocol"}
    for host, headers, protocol in (
        (old, asking, 0),
        (old, silent, 0),
        (new, silent, 0),
        (new, asking, 1),
    ):
        peer = host.connect(headers, 0.0)
        [described] = peer.data_to_send()
        assert ("v1" in json.loads(described)["body"]) == bool(protocol)
        assert described.count("v1") == protocol
        caplog.clear()
        with caplog.at_level(logging.INFO, "auniverse.rewarder"):
            assert len(host.receive_text(peer, STEP, 0.0)) == protocol
        assert ("v1.env.step" in caplog.text) == (not protocol)
        assert peer.close is None
        host.disconnect(peer)


def test_unknown_methods_make_no_noise_on_the_wire(caplog: pytest.LogCaptureFixture) -> None:
    host = server()
    pair = Pair(host)
    pair.peer.data_to_send()
    with caplog.at_level(logging.INFO, "auniverse.rewarder"):
        assert host.receive_text(pair.peer, '{"method": "v0.env.launch"}', 0.0) == []
    assert "v0.env.launch" in caplog.text
    assert pair.peer.data_to_send() == []
    assert host.active  # it spoke


def test_a_breach_closes_its_sender_alone() -> None:
    host = server()
    agent, observer = Pair(host), Pair(host, observer=True)
    request = one(agent.reset())
    assert host.receive_text(agent.peer, '{"method": "v0.env.reset"}' + " " * 99, 0.0) == []
    assert agent.peer.close == (1000, "v0.env.reset lacks message_id")
    assert isinstance(agent.to_client(0.0)[-1], ClosedByServer)
    assert observer.peer.close is None
    assert not host.active
    host.reply_reset(request, 0.0)
    assert agent.peer.data_to_send() == []


def test_the_reason_of_a_close_fits_its_frame() -> None:
    host = server()
    peer = host.connect(Connection().upgrade_headers(), 0.0)
    monster = {"message_id": ["ü" * 30] * 9, "sent_at": 0}
    host.receive_text(peer, json.dumps({"method": "v0.control.ping", "headers": monster}), 0.0)
    assert peer.close is not None
    assert 60 < len(peer.close[1].encode()) <= 123


@given(
    st.lists(
        tricky
        | json_values.map(json.dumps)
        | st.sampled_from([STEP, *(text for text, _, _ in examples.FROM_CLIENT)])
    )
)
def test_any_texts_are_served_or_closed(texts: list[str]) -> None:
    host = server(v1=BLOCK)
    peer = host.connect(Connection().upgrade_headers(), 0.0)
    for text in texts:
        for request in host.receive_text(peer, text, 1.0):
            host.reply_error(request, "no", 2.0)
    client = Connection()
    for text in peer.data_to_send():
        client.receive_text(text, 3.0)
    assert (client.closed is not None) == (peer.close is not None)
    assert isinstance(peer, Peer)
