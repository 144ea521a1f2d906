"""The rewarder protocol, both ends: episodes, rewards, texts and resets beside the pixels.

A message passes through like this: a websocket text is parsed (`values` bounds and checks the JSON,
`wire` knows how each of `messages` looks), `Connection` or `Server` keeps the conversation in order
(who asked what, who may), and on the client's side `Ledger` books what came to the episode that it
came for. On the way back `wire` writes what the receiver's protocol allows.

The room knows neither sockets nor clocks nor screens: texts go in and out by calls, and every `now`
(unix seconds) is an argument. Nothing in it waits.

Protocol 0 is that of OpenAI Universe, byte for byte. Protocol 1 adds lock-step and a description of
the env, for clients that ask for it in the upgrade request; nobody else ever sees a trace of it.
"""

from .connection import (
    ClosedByServer,
    Connection,
    Described,
    ErrorReplied,
    Event,
    ObservationReceived,
    Pong,
    ResetReplied,
    Rewarded,
    StepReplied,
    TextReceived,
)
from .ledger import Collected, Ledger
from .messages import PROTOCOL, V1, Describe
from .peer import ActionRequest, Peer, Request, ResetRequest, StepRequest
from .server import HEARTBEAT, MAX_FPS, Server
from .values import Limits

__all__ = [
    "PROTOCOL",
    "Limits",
    "Describe",
    "V1",
    # the client's end
    "Connection",
    "Event",
    "Described",
    "Rewarded",
    "TextReceived",
    "ObservationReceived",
    "ResetReplied",
    "StepReplied",
    "Pong",
    "ErrorReplied",
    "ClosedByServer",
    "Ledger",
    "Collected",
    # the host's end
    "Server",
    "Peer",
    "Request",
    "ResetRequest",
    "StepRequest",
    "ActionRequest",
    "HEARTBEAT",
    "MAX_FPS",
]
