"""Which episode runs, and from when on the screen belongs to it.

Theory of operation. A reset is a request; its reply names the episode that it made, and a describe
says when that episode runs. Either may come first, and a describe of the old episode may still be
on its way. So an episode is *running* for us if the request was answered and a running describe
came whose episode is at least the one in the answer. An episode that ended raises that bar by one.

The *first frame rule*: an observation belongs to episode E only if it was drawn after E began. A
host that numbers its frames says with which frame E begins. From any other VNC server the whole
screen is asked for again once E runs, and E is *shown* when all of it has come.
"""

from __future__ import annotations

from typing import Protocol

from auniverse.errors import RewarderReplyError
from auniverse.rewarder import (
    V1,
    Describe,
    Described,
    ErrorReplied,
    Event,
    ResetReplied,
    StepReplied,
    TextReceived,
)
from auniverse.rfb import Frame

#: What a remote that does not come out of a reset fails to do.
FIRST_FRAME = "show the first frame of a new episode"


class Picture(Protocol):
    """What an episode must know of the screen; a `VNCLink` is one."""

    @property
    def frame(self) -> Frame | None:
        """The newest numbered frame shown."""

    @property
    def refreshed(self) -> bool:
        """Whether every pixel has come since `refresh`."""

    def refresh(self) -> None:
        """Ask for every pixel."""


class Episode:
    """The state of episodes on one remote, fed with its rewarder's events.

    Attributes:
        over: Whether the newest episode ended and no new one was shown yet.
        text: The newest text of the episode, "" if there was none.
    """

    def __init__(self, picture: Picture | None = None) -> None:
        self.picture = picture
        self.over = False
        self.text = ""
        self._at_least = 0
        self._running: int | None = None
        self._first_frame: int | None = None
        self._shown = False
        self._reset_request: int | None = None
        self._step_request: int | None = None
        self._step_frame: int | None = None
        self._refusal: str | None = None

    def expect(self, request: int) -> None:
        """A reset was requested under this message id."""
        self._forget()
        self._reset_request = request

    def join(self, describe: Describe | None) -> None:
        """Take whatever episode runs, without a reset."""
        self._forget()
        self._at_least = 0
        if describe is not None:
            self._on_describe(describe)

    def join_screen(self) -> None:
        """Without a rewarder there is one endless episode: it begins with the next full screen."""
        self._forget()
        self._at_least = self._running = 0
        self._begin_showing(None)

    def expect_step(self, request: int) -> None:
        """A step in lock-step was requested under this message id."""
        self._step_request = request
        self._step_frame = None

    def end(self, episode_id: str | None) -> None:
        """The running episode was seen to end."""
        self.over = True
        if episode_id is not None:
            self._at_least = max(self._at_least, int(episode_id) + 1)

    def feed(self, event: Event) -> None:
        """Take one event of the rewarder."""
        if isinstance(event, Described):
            self._on_describe(event.describe)
        elif isinstance(event, ResetReplied) and event.message_id == self._reset_request:
            self._reset_request = None
            self._at_least = int(event.episode_id or 0)
        elif isinstance(event, StepReplied) and event.message_id == self._step_request:
            self._step_request = None
            self._step_frame = event.frame
        elif isinstance(event, ErrorReplied) and self._asked(event.message_id):
            self._refusal = event.message
        elif isinstance(event, TextReceived):
            self.text = _plain_text(event.text)

    def _on_describe(self, describe: Describe) -> None:
        if describe.env_state == "running":
            self._running = int(describe.episode_id or 0)
            self._begin_showing(describe.v1)
        else:
            self._running = None
            self.text = ""

    def _asked(self, request: int) -> bool:
        return request in (self._reset_request, self._step_request)

    @property
    def number(self) -> int:
        """The running episode's id, 0 where nobody counts them."""
        return self._running or 0

    @property
    def owed(self) -> bool:
        """Whether a reset or a step was asked for and not answered yet."""
        return self._reset_request is not None or self._step_request is not None

    @property
    def playing(self) -> bool:
        """Whether an episode runs and the screen shows it.

        Raises:
            RewarderReplyError: The remote refused the reset or the step.
        """
        if self._refusal is not None:
            raise RewarderReplyError(f"the remote refuses: {self._refusal}")
        if self._reset_request is not None or self._running is None:
            return False
        if self._running < self._at_least:
            return False
        self._shown = self._shown or self._shows(self._first_frame)
        if self._shown:
            self.over = False
        return self._shown

    @property
    def stepped(self) -> bool:
        """Whether the frame of the newest step was drawn and is on the screen.

        Raises:
            RewarderReplyError: The remote refused the step.
        """
        if self._refusal is not None:
            raise RewarderReplyError(f"the remote refuses: {self._refusal}")
        return self._step_frame is not None and self._shows(self._step_frame)

    def _forget(self) -> None:
        self.over = False
        self.text = ""
        self._running = self._first_frame = None
        self._shown = False
        self._refusal = None
        self._step_request = self._step_frame = None

    def _begin_showing(self, v1: V1 | None) -> None:
        self._shown = False
        self._first_frame = v1.frame if v1 else None
        if self.picture and (v1 is None or self.picture.frame is None):
            self.picture.refresh()

    def _shows(self, frame: int | None) -> bool:
        if self.picture is None:
            return True
        newest = self.picture.frame
        if newest is not None and frame is not None:
            return newest.number >= frame
        return self.picture.refreshed


def _plain_text(text: object) -> str:
    """Return what there is to read: a string itself, World of Bits' object by its instruction."""
    if isinstance(text, dict):
        text = text.get("instruction", "")
    return text if isinstance(text, str) else ""
