from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import RewarderError, UsageError
from auniverse.rewarder import V1, Limits
from auniverse.rewarder.messages import (
    Action,
    Describe,
    Headers,
    Ping,
    Reset,
    Reward,
    Step,
    StepReply,
    Text,
    Unknown,
)
from auniverse.rewarder.wire import FROM_CLIENT, FROM_SERVER, parse, serialize

from . import examples
from .examples import json_values, tricky

LIMITS = Limits()
V1_BLOCK = V1(7, True, 160, 210, ((), ("ArrowLeft",)), "hold", ("ArrowLeft",), False, True)
BOTH = [
    *((FROM_SERVER, *example) for example in examples.FROM_SERVER),
    *((FROM_CLIENT, *example) for example in examples.FROM_CLIENT),
]
OF_PROTOCOL_1 = [
    (FROM_SERVER, Describe("a-v0", "running", "3", 30.0, V1_BLOCK)),
    (FROM_SERVER, StepReply(8, "3")),
    (FROM_CLIENT, Reset(1 << 127, "a-v0", 12.5, "3", True)),
    (FROM_CLIENT, Reset(-1, "a-v0", None, None, False)),
    (FROM_CLIENT, Step((("KeyEvent", 0xFF51, True), ("PointerEvent", 1, 2, 255)), 4)),
]


def envelope(method: str, body: Any = None, **headers: Any) -> str:
    headers = {"message_id": 0, "sent_at": 1.5, "episode_id": "1"} | headers
    return json.dumps({"method": method, "headers": headers, "body": body})


@pytest.mark.parametrize(("methods", "text", "headers", "body"), BOTH)
def test_universe_s_messages_are_read(methods: Any, text: str, headers: Headers, body: Any) -> None:
    for protocol in (0, 1):
        assert parse(text, methods, LIMITS, protocol) == (headers, body)


@pytest.mark.parametrize(("methods", "text", "headers", "body"), BOTH)
def test_universe_s_messages_are_written_byte_for_byte(
    methods: Any, text: str, headers: Headers, body: Any
) -> None:
    assert serialize(headers, body) == text


def test_every_method_of_protocol_0_has_its_example() -> None:
    shown = {json.loads(text)["method"] for _, text, _, _ in BOTH}
    assert shown == {name for name in FROM_SERVER | FROM_CLIENT if name.startswith("v0.")}


@pytest.mark.parametrize(("methods", "body"), OF_PROTOCOL_1)
def test_messages_of_protocol_1_come_back_as_they_went(methods: Any, body: Any) -> None:
    headers = Headers(3, 4.0, 1, 0.5)
    assert parse(serialize(headers, body, 1), methods, LIMITS) == (headers, body)


def test_the_block_of_protocol_1_looks_so() -> None:
    text = serialize(Headers(0, 1.0), Describe("a-v0", "running", "3", 30.0, V1_BLOCK), 1)
    assert json.loads(text)["body"] == {
        "env_id": "a-v0",
        "env_state": "running",
        "fps": 30,
        "v1": {
            "protocol": 1,
            "frame": 7,
            "lockstep": True,
            "width": 160,
            "height": 210,
            "actions": [[], ["ArrowLeft"]],
            "press": "hold",
            "keys": ["ArrowLeft"],
            "pointer": False,
            "text": True,
        },
    }
    step = serialize(Headers(0, 1.0), Step((("KeyEvent", 97, True),), 2), 1)
    assert json.loads(step)["body"] == {"events": [["KeyEvent", 97, True]], "frames": 2}
    reset = serialize(Headers(0, 1.0), Reset(None, "a-v0", 60.0, "0", True), 1)
    assert json.loads(reset)["body"]["v1"] == {"lockstep": True}


def test_a_peer_of_protocol_0_gets_no_entry_of_protocol_1() -> None:
    for text, headers, body in examples.FROM_SERVER:
        if isinstance(body, Describe):
            with_block = Describe(body.env_id, body.env_state, body.episode_id, body.fps, V1_BLOCK)
            assert serialize(headers, with_block, 0) == text
    text, headers, _ = examples.FROM_CLIENT[1]
    assert serialize(headers, Reset(None, examples.DUSK, 60.0, "0", lockstep=True), 0) == text


def test_a_peer_of_protocol_0_cannot_send_protocol_1() -> None:
    step = serialize(Headers(0, 1.0), Step((), 1), 1)
    assert isinstance(parse(step, FROM_CLIENT, LIMITS, 0).body, Unknown)
    reset = serialize(Headers(0, 1.0), Reset(None, "a-v0", 60.0, "0", True), 1)
    assert parse(reset, FROM_CLIENT, LIMITS, 0).body.lockstep is False
    describe = serialize(Headers(0, 1.0), Describe("a", "running", "3", 30.0, V1_BLOCK), 1)
    assert parse(describe, FROM_SERVER, LIMITS, 0).body.v1 is None


def test_third_party_forms_are_understood() -> None:
    describe = parse(
        envelope("v0.env.describe", {"env_id": None, "env_state": "running"}, episode_id=12),
        FROM_SERVER,
        LIMITS,
    )
    assert describe.body == Describe(None, "running", "12", 60.0)
    reply = parse(
        envelope("v0.reply.env.reset", episode_id=2, parent_message_id="10"), FROM_SERVER, LIMITS
    )
    assert reply.headers.parent_message_id == 10
    assert reply.body.episode_id == "2"
    bare = parse(envelope("v0.env.reward", {"reward": 1, "done": True}), FROM_SERVER, LIMITS)
    assert bare.body == Reward(1.0, True, {}, "1")
    extra = parse(
        envelope("v0.env.describe", {"env_state": None, "metadata": "x"}, episode_id=None, x=1),
        FROM_SERVER,
        LIMITS,
    )
    assert extra.body == Describe(None, None, None, 60.0)
    null = parse(envelope("v0.env.text", {"text": None}), FROM_SERVER, LIMITS)
    assert null.body == Text(None, "1")


@pytest.mark.parametrize("methods", [FROM_SERVER, FROM_CLIENT])
@pytest.mark.parametrize("name", ["v0.env.launch", "v2.env.describe", "", "env.reward"])
def test_unknown_methods_are_no_error_whatever_they_hold(methods: Any, name: str) -> None:
    text = json.dumps({"method": name, "headers": 3, "body": []})
    assert parse(text, methods, LIMITS).body == Unknown(repr(name))


def test_a_method_belongs_to_one_direction() -> None:
    for methods, text, _, _ in BOTH:
        other = FROM_CLIENT if methods is FROM_SERVER else FROM_SERVER
        assert isinstance(parse(text, other, LIMITS).body, Unknown)


REWARD = {"reward": 1.0, "done": False, "info": {}}
BAD_FROM_SERVER = [
    ("[]", "message: expected an object"),
    ("{}", "message without a method"),
    ('{"method": 3}', "message without a method"),
    ('{"method": "v0.reply.control.ping", "headers": []}', "headers: expected an object"),
    ('{"method": "v0.reply.control.ping", "headers": {}}', "lacks message_id"),
    ('{"method": "v0.reply.control.ping", "headers": {"message_id": 0}}', "lacks sent_at"),
    (envelope("v0.reply.control.ping", [], sent_at=0.0), "body: expected an object"),
    (envelope("v0.reply.control.ping", sent_at="now"), "sent_at: expected a finite number"),
    (envelope("v0.reply.control.ping", sent_at=1e300), "sent_at: expected a time"),
    (envelope("v0.reply.control.ping", message_id=-1), "message_id"),
    (envelope("v0.reply.control.ping", parent_message_id=True), "parent_message_id"),
    (envelope("v0.env.reward", REWARD, episode_id=None), "lacks episode_id"),
    (envelope("v0.env.reward", REWARD, episode_id="1.2"), "episode_id: expected an episode id"),
    (envelope("v0.env.reward", REWARD | {"reward": True}), r"reward\.reward: expected a finite"),
    (envelope("v0.env.reward", REWARD | {"reward": "1"}), r"reward\.reward: expected a finite"),
    (envelope("v0.env.reward", REWARD | {"reward": math.nan}), "not finite: NaN"),
    (envelope("v0.env.reward", REWARD | {"info": {"a": [math.inf]}}), "not finite: Infinity"),
    (envelope("v0.env.reward", REWARD | {"done": 1}), "done: expected true or false"),
    (envelope("v0.env.reward", REWARD | {"info": []}), "info: expected an object"),
    (envelope("v0.env.reward", {"done": False}), "lacks reward"),
    (envelope("v0.env.describe", {"env_id": "a" * 2049}), "env_id: expected a text"),
    (envelope("v0.env.describe", {"fps": "fast"}), "fps: expected a finite number"),
    (envelope("v0.env.describe", {"v1": {}}), "v1 lacks protocol"),
    (envelope("v0.env.describe", {"v1": {"protocol": 1}}), "v1 lacks frame"),
    (envelope("v0.connection.close", {"message": "a" * 65537}), "message: expected a text"),
    (envelope("v1.reply.env.step", {"frame": -1, "episode_id": "1"}), "frame: expected an int"),
]
RESET = {"seed": None, "env_id": "a-v0", "fps": 60}
BAD_FROM_CLIENT = [
    (envelope("v0.env.reset", RESET | {"env_id": None}), "lacks env_id"),
    (envelope("v0.env.reset", RESET | {"seed": 1.5}), "seed: expected an integer"),
    (envelope("v0.env.reset", RESET | {"v1": True}), "v1: expected an object"),
    (envelope("v0.env.reset", RESET, episode_id=10**12 + 1), "expected an episode id"),
    (envelope("v0.agent.action", {"env_id": "a", "action": [["X"]]}), r"\[type, value\]"),
    (envelope("v0.agent.action", {"env_id": "a", "action": [["X", "1"]]}), "finite number"),
    (envelope("v1.env.step", {"events": [["KeyEvent", "a", True]]}), "expected an integer"),
    (envelope("v1.env.step", {"events": [["KeyEvent", 97, 1]]}), "expected true or false"),
    (envelope("v1.env.step", {"events": [["PointerEvent", 0, 70000, 0]]}), "0..65535"),
    (envelope("v1.env.step", {"events": [["Shout"]]}), "KeyEvent or PointerEvent"),
    (envelope("v1.env.step", {"events": [["KeyEvent", 97, True]] * 4097}), "at most 4096"),
    (envelope("v1.env.step", {"events": [], "frames": 0}), "frames: expected an integer"),
    (envelope("v1.env.step", {"events": [], "frames": 3601}), "frames: expected an integer"),
]


@pytest.mark.parametrize(
    ("methods", "text", "reason"),
    [(FROM_SERVER, *bad) for bad in BAD_FROM_SERVER]
    + [(FROM_CLIENT, *bad) for bad in BAD_FROM_CLIENT],
)
def test_breaches_are_refused_and_named(methods: Any, text: str, reason: str) -> None:
    with pytest.raises(RewarderError, match=reason):
        parse(text, methods, LIMITS)


KEYS = [field.key for method in (FROM_SERVER | FROM_CLIENT).values() for field in method.fields]
envelopes = st.fixed_dictionaries(
    {
        "method": st.sampled_from([*FROM_SERVER, *FROM_CLIENT]),
        "headers": st.dictionaries(
            st.sampled_from(["message_id", "sent_at", "episode_id", "parent_message_id"]),
            st.integers(-1, 5) | st.sampled_from(["1", "x", None]) | json_values,
        ),
        "body": st.dictionaries(
            st.sampled_from(KEYS),
            st.integers(-1, 5) | st.booleans() | json_values,
        )
        | json_values,
    }
)


@given(tricky | json_values.map(json.dumps) | envelopes.map(json.dumps))
def test_any_text_is_read_or_refused(text: str) -> None:
    for methods in (FROM_SERVER, FROM_CLIENT):
        try:
            message = parse(text, methods, LIMITS)
        except RewarderError:
            continue
        if not isinstance(message.body, Unknown):
            # What was understood is understood the same after it was written and read again.
            again = parse(serialize(message.headers, message.body, 1), methods, LIMITS)
            assert again == message


@pytest.mark.parametrize("bad", [math.nan, math.inf, object(), {1, 2}, {object(): 1}])
def test_what_json_does_not_know_is_the_caller_s_fault(bad: Any) -> None:
    with pytest.raises(UsageError, match=r"v0\.env\.reward"):
        serialize(Headers(0, 1.0), Reward(1.0, False, {"a": bad}, "1"))
    with pytest.raises(UsageError):
        serialize(Headers(0, 1.0), Text(bad, "1"))


def test_numbers_are_written_as_universe_does() -> None:
    def fps(value: float) -> object:
        return serialize(Headers(0, 1.0), Describe("a", None, None, value)).rpartition(":")[2]

    assert fps(60.0) == "60}}"
    assert fps(12.5) == "12.5}}"
    with pytest.raises(UsageError):
        fps(math.inf)


def test_text_travels_as_ascii() -> None:
    text = serialize(Headers(0, 1.0), Text("schön \ud800", "1"))
    assert text.isascii()
    assert parse(text, FROM_SERVER, LIMITS).body.text == "schön \ud800"


def test_messages_of_the_other_kind_are_written_too() -> None:
    assert parse(serialize(Headers(2, 0.0), Ping()), FROM_CLIENT, LIMITS).body == Ping()
    action = Action("a", (("X", 1.0),))
    assert parse(serialize(Headers(2, 0.0), action), FROM_CLIENT, LIMITS).body == action
