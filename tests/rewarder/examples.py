"""Messages of Universe as they were on the wire, what each says, and JSON to be afraid of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from auniverse.rewarder.messages import (
    Action,
    Close,
    Describe,
    ErrorReply,
    Headers,
    Observation,
    Ping,
    PingReply,
    Reset,
    ResetReply,
    Reward,
    Text,
)

# Brackets, quotes and backslashes often.
tricky = st.text(st.sampled_from('[]{}"\\,:a1 \n')) | st.text()
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | tricky,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(tricky, inner, max_size=4),
    max_leaves=20,
)

DUSK = "flashgames.DuskDrive-v0"

FROM_SERVER = [
    (
        '{"method":"v0.env.describe","headers":{"message_id":0,"sent_at":1481000000.125,'
        '"episode_id":"1"},'
        '"body":{"env_id":"flashgames.DuskDrive-v0","env_state":"running","fps":60}}',
        Headers(0, 1481000000.125),
        Describe(DUSK, "running", "1", 60.0),
    ),
    (
        '{"method":"v0.reply.control.ping","headers":{"message_id":1,"sent_at":1481000000.203,'
        '"parent_message_id":0},"body":{}}',
        Headers(1, 1481000000.203, 0),
        PingReply(),
    ),
    (
        '{"method":"v0.env.describe","headers":{"message_id":11,"sent_at":1481000000.41,'
        '"episode_id":"2"},'
        '"body":{"env_id":"flashgames.DuskDrive-v0","env_state":"resetting","fps":60}}',
        Headers(11, 1481000000.41),
        Describe(DUSK, "resetting", "2", 60.0),
    ),
    (
        '{"method":"v0.reply.env.reset","headers":{"message_id":13,"sent_at":1481000009.71,'
        '"parent_message_id":10,"parent_runtime":9.3,"episode_id":"2"},"body":{}}',
        Headers(13, 1481000009.71, 10, 9.3),
        ResetReply("2"),
    ),
    (
        '{"method":"v0.env.reward","headers":{"message_id":14,"sent_at":1481000010.0,'
        '"episode_id":"2"},"body":{"reward":21.0,"done":false,'
        '"info":{"rewarder.vnc.updates.n":1,"rewarder.vnc.updates.pixels":2394,'
        '"rewarder.vnc.updates.bytes":7202}}}',
        Headers(14, 1481000010.0),
        Reward(
            21.0,
            False,
            {
                "rewarder.vnc.updates.n": 1,
                "rewarder.vnc.updates.pixels": 2394,
                "rewarder.vnc.updates.bytes": 7202,
            },
            "2",
        ),
    ),
    (
        '{"method":"v0.env.text","headers":{"message_id":15,"sent_at":1481000010.1,'
        '"episode_id":"2"},"body":{"text":{"instruction":"Click on the Ok button.",'
        '"instruction_id":"","meta":{},"blocks":[]}}}',
        Headers(15, 1481000010.1),
        Text(
            {
                "instruction": "Click on the Ok button.",
                "instruction_id": "",
                "meta": {},
                "blocks": [],
            },
            "2",
        ),
    ),
    (
        '{"method":"v0.env.observation","headers":{"message_id":16,"sent_at":1481000010.1,'
        '"episode_id":"2"},"body":{"observation":[0.01,-0.02,0.03,0.04]}}',
        Headers(16, 1481000010.1),
        Observation([0.01, -0.02, 0.03, 0.04], "2"),
    ),
    (
        '{"method":"v0.reply.error","headers":{"message_id":17,"sent_at":1481000010.3,'
        '"parent_message_id":12,"parent_runtime":0.001},'
        '"body":{"message":"unknown env id llama"}}',
        Headers(17, 1481000010.3, 12, 0.001),
        ErrorReply("unknown env id llama"),
    ),
    (
        '{"method":"v0.connection.close","headers":{"message_id":18,"sent_at":1481000011.0},'
        '"body":{"message":"another agent is already connected"}}',
        Headers(18, 1481000011.0),
        Close("another agent is already connected"),
    ),
]

FROM_CLIENT = [
    (
        '{"method":"v0.control.ping","headers":{"message_id":0,"sent_at":1481000000.2},"body":{}}',
        Headers(0, 1481000000.2),
        Ping(),
    ),
    (
        '{"method":"v0.env.reset","headers":{"message_id":10,"sent_at":1481000000.4,'
        '"episode_id":"0"},"body":{"seed":null,"env_id":"flashgames.DuskDrive-v0","fps":60}}',
        Headers(10, 1481000000.4),
        Reset(None, DUSK, 60.0, "0"),
    ),
    (
        '{"method":"v0.agent.action","headers":{"message_id":11,"sent_at":1481000010.2},'
        '"body":{"env_id":"gtav.SaneDriving-v0",'
        '"action":[["JoystickAxisXEvent",0.1],["JoystickAxisZEvent",0.5]]}}',
        Headers(11, 1481000010.2),
        Action("gtav.SaneDriving-v0", (("JoystickAxisXEvent", 0.1), ("JoystickAxisZEvent", 0.5))),
    ),
]
