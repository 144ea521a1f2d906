"""The settings of an X program, out of its `program` in the catalogue."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from auniverse.runtimes import Env, Section
from auniverse.scoring import LineScorer, ScreenScorer, read_line_scorer, read_scorer

from .desktop import SMALLEST
from .program import Outcome, settings_of
from .stage import take_size


@dataclass(frozen=True, slots=True)
class Settings:
    """How a program is run and rewarded.

    Attributes:
        command: What is run; `{folder}`, `{width}`, `{height}` and `{seed}` are filled in.
        debian: The packages that bring it, for messages.
        reset: What begins an episode in the running program; (): it is started anew.
        size: What `{width}` and `{height}` are, in pixels.
        ready: Seconds for it to show something, and for the reset command.
        settle: Seconds that it may then draw before the episode begins.
        limit: Seconds of an episode; 0: no limit.
        lines: Reads rewards off what it writes.
        source: The file that it writes; None: its output.
        whole: Whether the file is read from its beginning at every look.
        screen: Reads rewards off the screen.
        exits: What an end of the program is worth, by its exit code; None stands for any other.
    """

    command: tuple[str, ...]
    debian: str
    reset: tuple[str, ...]
    size: tuple[int, int]
    ready: float
    settle: float
    limit: float
    lines: LineScorer | None
    source: str | None
    whole: bool
    screen: ScreenScorer | None
    exits: dict[int | None, float]

    def begin(self) -> None:
        """Begin an episode."""
        if self.lines is not None:
            self.lines.begin()
        if self.screen is not None:
            self.screen.begin()

    def ending(self, code: int | None) -> Outcome | None:
        """Return what it is worth that the program ended; None if it should not have."""
        worth = self.exits.get(code, self.exits.get(None))
        info: dict[str, Any] = {"exit_code": code}
        return None if worth is None else Outcome(worth, True, False, None, info)


def read_settings(env: Env, screen: tuple[int, int]) -> Settings:
    """Read them.

    Raises:
        UsageError: Something is missing or makes no sense; the message names file, line and key.
    """
    section = settings_of(env)
    reward = section.section("reward")
    sources = [key for key in ("log", "file") if key in reward]
    if len(sources) > 1:
        reward.refuse("cannot stand beside a log", "file")
    source = reward.text(sources[0]) if sources else None
    lines = read_line_scorer(reward) if sources else None
    settings = Settings(
        command=_read_command(section, "command", section.text("command")),
        debian=section.text("debian", ""),
        reset=_read_command(section, "reset", section.text("reset")) if "reset" in section else (),
        size=_read_size(section, screen),
        ready=section.number("ready", 0.1, 600, 30.0),
        settle=section.number("settle", 0, 60, 0.3),
        limit=section.number("limit", 0, 1e6, 0.0),
        lines=lines,
        source=None if source == "output" else source,
        whole=sources == ["file"],
        screen=read_scorer(reward.section("screen")) if "screen" in reward else None,
        exits=_read_exits(reward.section("exit")),
    )
    reward.finish()
    section.finish()
    return settings


def _read_command(section: Section, key: str, text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        section.refuse(f"cannot be split into words: {error}", key)
    return words or section.refuse("must not be empty", key)


def _read_size(section: Section, screen: tuple[int, int]) -> tuple[int, int]:
    if "size" not in section:
        return screen
    width, height = take_size(section, "size", SMALLEST)
    if width > screen[0] or height > screen[1]:
        section.refuse(f"is more than the screen has: screen='{width}x{height}'", "size")
    return width, height


def _read_exits(section: Section) -> dict[int | None, float]:
    exits: dict[int | None, float] = {}
    for key in section.keys:
        if key != "other" and not key.isdecimal():
            section.refuse("is no exit code, nor 'other'", key)
        exits[None if key == "other" else int(key)] = section.number(key, -1e9, 1e9)
    return exits
