"""How the messages look on the wire: one table, which `parse` and `serialize` walk.

A message is an envelope `{"method", "headers", "body"}` of JSON. Each method is described once, for
both ends. What belongs to protocol 1 is marked in the table; a peer of protocol 0 never meets it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from auniverse.errors import RewarderError, UsageError

from .messages import (
    PROTOCOL,
    V1,
    Action,
    Body,
    Close,
    Describe,
    ErrorReply,
    Headers,
    Message,
    Observation,
    Ping,
    PingReply,
    Reset,
    ResetReply,
    Reward,
    Step,
    StepReply,
    Text,
    Unknown,
)
from .values import (
    Field,
    Limits,
    anything,
    boolean,
    episode,
    load,
    mapping,
    moment,
    name,
    nullable,
    number,
    one_of,
    read_fields,
    reason,
    refuse,
    requested_episode,
    seed,
    sequence,
    serial,
    short,
    tagged,
    whole,
    write_fields,
)


class Method(NamedTuple):
    """How one method looks on the wire."""

    kind: type[Any]
    fields: tuple[Field, ...] = ()
    episode: tuple[Field, ...] = ()
    protocol: int = 0


_USUAL_RATES = range(1000)


def _whole_if_possible(value: float | None) -> float | None:
    # Universe's servers write 60, not 60.0.
    return int(value) if value is not None and value in _USUAL_RATES else value


def _object(where: str, value: object, limits: Limits) -> dict[str, object]:
    return {} if value is None else mapping(where, value, limits)


_V1 = (
    Field("frame", whole(0, 1 << 62)),
    Field("lockstep", boolean),
    Field("width", whole(1, 65535)),
    Field("height", whole(1, 65535)),
    Field("actions", sequence(sequence(name))),
    Field("press", one_of("hold", "tap")),
    Field("keys", sequence(name)),
    Field("pointer", boolean),
    Field("text", boolean),
)
_V1_PROTOCOL = (Field("protocol", whole(1, 65535)),)
_LOCKSTEP = (Field("lockstep", boolean, False),)


def _read_v1(where: str, value: object, limits: Limits) -> V1:
    block = mapping(where, value, limits)
    read_fields(where, _V1_PROTOCOL, block, limits, PROTOCOL)
    return V1(**read_fields(where, _V1, block, limits, PROTOCOL))


def _write_v1(value: V1) -> object:
    return {"protocol": PROTOCOL, **write_fields(_V1, value, PROTOCOL)}


def _read_lockstep(where: str, value: object, limits: Limits) -> object:
    block = _object(where, value, limits)
    return read_fields(where, _LOCKSTEP, block, limits, PROTOCOL)["lockstep"]


def _write_lockstep(value: bool) -> object:
    return {"lockstep": value}


def _read_frames(where: str, value: object, limits: Limits) -> object:
    return whole(1, limits.frames)(where, value, limits)


def _read_pair(where: str, value: object, limits: Limits) -> object:
    if not isinstance(value, list | tuple) or len(value) != 2:
        refuse(where, "[type, value]", value)
    return name(where, value[0], limits), number(where, value[1], limits)


_COORDINATE = whole(0, 0xFFFF)
#: Readers of what a client sends; the client puts its own calls through them too.
read_action = sequence(_read_pair)
read_events = sequence(
    tagged(
        {
            "KeyEvent": (whole(0, 0xFFFF_FFFF), boolean),
            "PointerEvent": (_COORDINATE, _COORDINATE, whole(0, 0xFF)),
        }
    )
)

_HEADERS = (
    Field("message_id", serial),
    Field("sent_at", moment),
    Field("parent_message_id", nullable(serial), None),
    Field("parent_runtime", nullable(moment), None),
)
_EPISODE = (Field("episode_id", episode),)
_MAYBE_EPISODE = (Field("episode_id", nullable(episode), None),)
_REQUESTED_EPISODE = (Field("episode_id", nullable(requested_episode), None),)

FROM_SERVER: dict[str, Method] = {
    "v0.env.describe": Method(
        Describe,
        (
            Field("env_id", nullable(name), None),
            Field("env_state", nullable(name), None),
            Field("fps", number, 60.0, _whole_if_possible),
            Field("v1", nullable(_read_v1), None, _write_v1, protocol=1),
        ),
        _MAYBE_EPISODE,
    ),
    "v0.env.reward": Method(
        Reward,
        (Field("reward", number), Field("done", boolean), Field("info", _object, None)),
        _EPISODE,
    ),
    "v0.env.text": Method(Text, (Field("text", anything, None),), _EPISODE),
    "v0.env.observation": Method(Observation, (Field("observation", anything, None),), _EPISODE),
    "v0.connection.close": Method(Close, (Field("message", reason, ""),)),
    "v0.reply.env.reset": Method(ResetReply, (), _EPISODE),
    "v0.reply.control.ping": Method(PingReply),
    "v0.reply.error": Method(ErrorReply, (Field("message", reason, ""),)),
    "v1.reply.env.step": Method(
        StepReply, (Field("frame", whole(0, 1 << 62)), Field("episode_id", episode)), protocol=1
    ),
}

FROM_CLIENT: dict[str, Method] = {
    "v0.env.reset": Method(
        Reset,
        (
            Field("seed", nullable(seed), None),
            Field("env_id", name),
            Field("fps", nullable(number), None, _whole_if_possible),
            Field("v1", _read_lockstep, None, _write_lockstep, protocol=1, attribute="lockstep"),
        ),
        _REQUESTED_EPISODE,
    ),
    "v0.control.ping": Method(Ping),
    "v0.agent.action": Method(Action, (Field("env_id", name), Field("action", read_action))),
    "v1.env.step": Method(
        Step, (Field("events", read_events), Field("frames", _read_frames, 1)), protocol=1
    ),
}

_NAMES = {
    method.kind: (text, method)
    for table in (FROM_SERVER, FROM_CLIENT)
    for text, method in table.items()
}


def parse(
    text: str, methods: Mapping[str, Method], limits: Limits, protocol: int = PROTOCOL
) -> Message:
    """Read one message.

    Args:
        text: The websocket message.
        methods: `FROM_SERVER` or `FROM_CLIENT`: what the sender may say.
        limits: What it may cost.
        protocol: The newest protocol that the sender was granted; what belongs to a newer one is
            an unknown method, or an entry that is ignored.

    Raises:
        RewarderError: It breaks the protocol or exceeds a limit.
    """
    envelope = mapping("message", load(text, limits), limits)
    called = envelope.get("method")
    if not isinstance(called, str):
        raise RewarderError("message without a method")
    method = methods.get(called)
    if method is None or method.protocol > protocol:
        return Message(Headers(0, 0.0), Unknown(short(called)))
    headers = _object(f"{called} headers", envelope.get("headers"), limits)
    body = _object(f"{called} body", envelope.get("body"), limits)
    return Message(
        Headers(**read_fields(called, _HEADERS, headers, limits, protocol)),
        method.kind(
            **read_fields(called, method.fields, body, limits, protocol),
            **read_fields(called, method.episode, headers, limits, protocol),
        ),
    )


def serialize(headers: Headers, body: Body, protocol: int = 0) -> str:
    """Write one message as its receiver's protocol allows.

    Raises:
        UsageError: It holds something that JSON does not know, or a number that is not finite.
    """
    called, method = _NAMES[type(body)]
    present = {key: value for key, value in headers._asdict().items() if value is not None}
    envelope = {
        "method": called,
        "headers": present | write_fields(method.episode, body, protocol),
        "body": write_fields(method.fields, body, protocol),
    }
    try:
        return json.dumps(envelope, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{called} cannot be written as JSON: {error}") from error
