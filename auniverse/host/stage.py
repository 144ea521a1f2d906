"""A program on its stage: episodes run, pictures go to the screen, rewards to the rewarder.

Everything here is a plain call. Who calls, and when, is the business of `host`.
"""

from __future__ import annotations

import logging
from typing import Any, Literal

from auniverse.errors import UsageError
from auniverse.rewarder import V1, Server
from auniverse.rfb import KeyEvent, PointerEvent, Screen
from auniverse.runtimes import Section

from .program import Metadata, Outcome, Picture, Program
from .scale import Canvas

_log = logging.getLogger(__name__)

#: How often a program may fail in a row before the host gives up.
MAX_FAILURES = 3
#: A program that has lasted this many frames has not failed in a row.
STEADY = 600

#: The standard screen, in pixels; "native" is the program's own size.
STANDARD = 1024, 768
#: What no side of a screen may exceed, in pixels.
MOST = 4096

#: What clients are told of a host that has loaded nothing yet.
NOTHING = V1(0, False, *STANDARD, actions=(), press="hold", keys=(), pointer=False, text=False)


class ProgramFailed(Exception):
    """A program fails again and again: the host cannot go on."""


class Stage:
    """One program, its screen and its rewarder.

    Attributes:
        screen: What viewers see.
        metadata: What runs, None before the first `load`.
        frame: Number of the newest frame; it grows for the life of the host.
        over: Whether the episode has ended (or none has begun) and `begin` is next.
        lockstep: Whether clients are told that time stands still between their steps.
    """

    def __init__(self, program: Program, rewarder: Server, screen: str = "1024x768") -> None:
        """Set the stage.

        Args:
            program: What to run.
            rewarder: Whom to tell.
            screen: "native" or "<width>x<height>".

        Raises:
            UsageError: `screen` is neither.
        """
        self._program = program
        self._rewarder = rewarder
        self._native, size = screen == "native", read_size(screen)
        self.screen = Screen(*size)
        self.metadata: Metadata | None = None
        self.frame = 0
        self.over = True
        self.lockstep = False
        self._first_frame = 0
        self._canvas = Canvas(self.screen, *size)
        self._text: str | None = None
        self._failures = 0
        self._failed_at = 0

    def load(self, env_id: str) -> None:
        """Put another environment on the stage; a failure leaves all as it was.

        Raises:
            AuniverseError: As `Program.load`.
        """
        self.metadata = metadata = self._program.load(env_id)
        if self._native:
            self.screen.resize(metadata.width, metadata.height)
        self._canvas = Canvas(self.screen, metadata.width, metadata.height)
        self._canvas.clear()
        self.over = True

    def begin(self, seed: int | None, now: float, *, lockstep: bool = False) -> None:
        """Begin an episode and show its first frame.

        Args:
            seed: For the program; None: it goes on with its own randomness.
            now: Unix seconds.
            lockstep: What clients are told.

        Raises:
            ProgramFailed: The program does not come up, however often it is tried.
        """
        self._text = None
        self.lockstep = lockstep
        self._announce("resetting", now)
        picture, text = self._first_picture(seed)
        self.over = False
        self._first_frame = self.frame + 1
        self._show(picture, now, announce=True)
        self._announce("running", now)
        self._say(text, now)

    def set_lockstep(self, lockstep: bool, now: float) -> None:
        """Tell clients whether time now waits for steps; a running episode goes on."""
        if lockstep != self.lockstep:
            self.lockstep = lockstep
            if not self.over:
                self._announce("running", now)

    def press(self, event: KeyEvent | PointerEvent) -> None:
        """Hand an input to the program; a pointer comes in pixels of the screen."""
        if isinstance(event, PointerEvent):
            event = PointerEvent(*self._canvas.locate(event.x, event.y), event.buttons)
        self._program.press(event)

    def advance(self, now: float, *, announce: bool = False) -> None:
        """Let one frame of time pass.

        Args:
            now: Unix seconds.
            announce: Tell viewers of the frame even if it changed nothing.

        Raises:
            ProgramFailed: The program fails again and again.
        """
        try:
            picture, outcome = self._program.advance()
            self._show(picture, now, announce=announce)
            self._report(outcome, now)
        except Exception as failure:
            self._report(self._failed(failure), now)

    def close(self) -> None:
        """Close the program."""
        self._program.close()

    def _first_picture(self, seed: int | None) -> tuple[Picture, str | None]:
        for attempt in range(MAX_FAILURES):
            try:
                if attempt:
                    self._program.load(self._loaded.env_id)
                return self._program.reset(seed)
            except Exception as failure:
                _log.exception("%s: reset failed", self._loaded.env_id)
                last = failure
        raise ProgramFailed(f"{self._loaded.env_id} cannot be reset: {last!r}") from last

    def _failed(self, failure: Exception) -> Outcome:
        """Note a failure while time passed: it ends the episode."""
        _log.error("%s failed", self._loaded.env_id, exc_info=failure)
        if self.frame - self._failed_at > STEADY:
            self._failures = 0
        self._failures += 1
        self._failed_at = self.frame
        if self._failures > MAX_FAILURES:
            raise ProgramFailed(f"{self._loaded.env_id} keeps failing: {failure!r}") from failure
        return Outcome(0.0, True, False, None, {"reason": f"the program failed: {failure!r}"})

    @property
    def _loaded(self) -> Metadata:
        if self.metadata is None:
            raise RuntimeError("no environment is loaded")
        return self.metadata

    def _show(self, picture: Picture, now: float, *, announce: bool) -> None:
        self._canvas.show(picture)
        self.frame += 1
        self.screen.finish(self.frame, now, announce=announce)

    def _say(self, text: str | None, now: float) -> None:
        if text is not None and text != self._text:
            self._text = text
            self._rewarder.text(text, now)

    def _report(self, outcome: Outcome, now: float) -> None:
        self._say(outcome.text, now)
        over = outcome.terminated or outcome.truncated
        self._rewarder.reward(outcome.reward, over, info_of(outcome), now)
        self.over = over

    def _announce(self, env_state: Literal["resetting", "running"], now: float) -> None:
        loaded = self._loaded
        frame = self._first_frame if env_state == "running" else self.frame
        v1 = announcement(loaded, frame, lockstep=self.lockstep)
        self._rewarder.set_state(env_state, now, env_id=loaded.env_id, fps=loaded.fps, v1=v1)


def announcement(metadata: Metadata, frame: int = 0, *, lockstep: bool = False) -> V1:
    """Return what clients are told of a running environment.

    Args:
        metadata: What it is.
        frame: The number of the episode's first frame, 0 where frames have none.
        lockstep: Whether time stands still between the steps of clients.
    """
    return V1(
        frame=frame,
        lockstep=lockstep,
        width=metadata.width,
        height=metadata.height,
        actions=metadata.actions,
        press=metadata.press,
        keys=metadata.keys,
        pointer=metadata.pointer,
        text=metadata.text,
    )


def info_of(outcome: Outcome) -> dict[str, Any]:
    """Return what is told with an outcome's reward: done alone would not say that time was up."""
    if outcome.truncated and not outcome.terminated:
        return {**outcome.info, "truncated": True}
    return outcome.info


def read_size(screen: str, least: int = 1) -> tuple[int, int]:
    """Return width and height of "1024x768", in pixels; those of "native" are the standard ones.

    Args:
        screen: Either.
        least: What neither side may fall short of.

    Raises:
        UsageError: It is neither.
    """
    size = STANDARD if screen == "native" else _read_sides(screen, least)
    if size is None:
        raise UsageError(
            f"a screen of {screen!r}: expected 'native' or e.g. '1024x768', "
            f"each side from {least} to {MOST} pixels"
        )
    return size


def take_size(section: Section, key: str, least: int) -> tuple[int, int]:
    """Take width and height of "640x480", in pixels; `least` is as for `read_size`.

    Raises:
        UsageError: They are missing, or make no sense; the message names file, line and key.
    """
    size = _read_sides(section.text(key), least)
    return size or section.refuse(
        f"must be like 640x480, each side from {least} to {MOST} pixels", key
    )


def _read_sides(text: str, least: int) -> tuple[int, int] | None:
    sides = text.split("x")
    if len(sides) != 2 or not all(
        side.isdecimal() and least <= int(side) <= MOST for side in sides
    ):
        return None
    return int(sides[0]), int(sides[1])
