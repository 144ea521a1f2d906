"""Every message of the protocol as a value. How each looks on the wire is `wire`'s business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

#: The newest protocol that we speak; 0 is Universe's.
PROTOCOL = 1

#: All states that there are; before the first there is none.
ENV_STATES = ("resetting", "running")


@dataclass(frozen=True, slots=True)
class V1:
    """What a host of protocol 1 tells about the env besides (the block `v1` of a describe).

    Attributes:
        frame: Number of the running episode's first frame; while resetting, the current frame.
        lockstep: Whether the host waits for `v1.env.step` between frames.
        width: Width of the env's picture, in pixels.
        height: Its height, in pixels.
        actions: For each discrete action the names of the keys that are down in it.
        press: "hold": keys stay down for the action's length; "tap": each action is one stroke.
        keys: Names of the keys that the env reacts to.
        pointer: Whether it reacts to the pointer.
        text: Whether it sends texts.
    """

    frame: int
    lockstep: bool
    width: int
    height: int
    actions: tuple[tuple[str, ...], ...]
    press: str
    keys: tuple[str, ...]
    pointer: bool
    text: bool


@dataclass(frozen=True, slots=True)
class Describe:
    """`v0.env.describe`: what runs, in which state and episode, at how many frames a second.

    `env_id`, `env_state` and `episode_id` are None before there is one.
    """

    env_id: str | None
    env_state: str | None
    episode_id: str | None
    fps: float
    v1: V1 | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """`v0.env.reward`: what the episode earned since the last one, and whether it is over."""

    reward: float
    done: bool
    info: Mapping[str, object]
    episode_id: str


@dataclass(frozen=True, slots=True)
class Text:
    """`v0.env.text`: something to read, any JSON value."""

    text: object
    episode_id: str


@dataclass(frozen=True, slots=True)
class Observation:
    """`v0.env.observation`: the JSON form of a low-dimensional observation."""

    observation: object
    episode_id: str


@dataclass(frozen=True, slots=True)
class Close:
    """`v0.connection.close`: the server says why it will now hang up."""

    message: str


@dataclass(frozen=True, slots=True)
class ResetReply:
    """`v0.reply.env.reset`: the reset led to this episode."""

    episode_id: str


@dataclass(frozen=True, slots=True)
class PingReply:
    """`v0.reply.control.ping`."""


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """`v0.reply.error`: the request failed and changed nothing."""

    message: str


@dataclass(frozen=True, slots=True)
class StepReply:
    """`v1.reply.env.step`: the number of the newest frame after the step, and its episode."""

    frame: int
    episode_id: str


@dataclass(frozen=True, slots=True)
class Reset:
    """`v0.env.reset`: begin a new episode. A `fps` of None asks for no change."""

    seed: int | None
    env_id: str
    fps: float | None
    episode_id: str | None
    lockstep: bool = False


@dataclass(frozen=True, slots=True)
class Ping:
    """`v0.control.ping`."""


@dataclass(frozen=True, slots=True)
class Action:
    """`v0.agent.action`: (type, value) pairs that are no keys, as of a joystick."""

    env_id: str
    action: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """`v1.env.step`: hand these events to the program, then let so many frames pass."""

    events: tuple[tuple[Any, ...], ...]
    frames: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A method that is not in the table, or not for this peer; to be logged and ignored."""

    method: str


ServerBody: TypeAlias = (
    Describe | Reward | Text | Observation | Close | ResetReply | PingReply | ErrorReply | StepReply
)
ClientBody: TypeAlias = Reset | Ping | Action | Step
Body: TypeAlias = ServerBody | ClientBody


class Headers(NamedTuple):
    """What stands on every envelope; the episode id is kept by the messages that have one."""

    #: Counts the messages of one connection and direction, from 0.
    message_id: int
    #: Unix seconds by the sender's clock.
    sent_at: float
    #: On replies: the request's `message_id`.
    parent_message_id: int | None = None
    #: On replies other than to pings: seconds between the request's receipt and the reply.
    parent_runtime: float | None = None


class Message(NamedTuple):
    """One message as it came in."""

    headers: Headers
    body: Any
