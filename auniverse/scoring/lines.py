"""Rewards from what a program says in lines: in its log, in a file, on a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from auniverse.runtimes import Section

#: Characters of a line that are looked at; the rest of a longer one is passed over.
LONGEST = 4096
# What a terminal does with its cursor and its colours (ECMA-48), and other control characters.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]")

Pattern = re.Pattern[str]


class Heard(NamedTuple):
    """What some words were worth.

    Attributes:
        reward: What they earned.
        over: Whether the episode has ended with them.
        score: The newest score, None before there was one.
        text: What the program says to the agent, None if nothing new.
    """

    reward: float
    over: bool
    score: float | None
    text: str | None


class LineScorer:
    """Reads rewards off lines, as they come.

    Args:
        score: Its first group is the score; a change of it is the reward. The first one is a
            beginning, and earns nothing.
        rules: What a line earns in which the pattern is found; all of them count.
        over: A line in which it is found ends the episode.
        text: Its first group is told to the agent.
    """

    def __init__(
        self,
        score: Pattern | None = None,
        rules: Sequence[tuple[Pattern, float]] = (),
        over: Pattern | None = None,
        text: Pattern | None = None,
    ) -> None:
        self._score, self._rules, self._over, self._text = score, rules, over, text
        self._last: float | None = None
        self._rest = b""
        self._told: re.Match[str] | None = None

    def begin(self) -> None:
        """Begin an episode: what came before it counts no more."""
        self._last = None
        self._rest = b""
        self._told = None

    def hear(self, data: bytes) -> Heard:
        """Take what the program wrote, in any pieces."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:LONGEST]
        reward, over, text = 0.0, False, None
        for line in map(_clean, lines):
            reward += self._read_score(line)
            reward += sum(worth for pattern, worth in self._rules if pattern.search(line))
            over = over or bool(self._over and self._over.search(line))
            text = self._read_text(line) or text
            self._told = None
        # A question stands there before its line has ended.
        text = self._read_text(_clean(self._rest)) or text
        return Heard(reward, over, self._last, text)

    def _read_score(self, line: str) -> float:
        found = self._score.search(line) if self._score is not None else None
        if found is None:
            return 0.0
        try:
            score = float(found[1])
        except ValueError:
            return 0.0
        if not math.isfinite(score):
            return 0.0
        gained = 0.0 if self._last is None else score - self._last
        self._last = score
        return gained

    def _read_text(self, line: str) -> str | None:
        found = self._text.search(line) if self._text is not None else None
        if found is None or (self._told is not None and self._told[1] == found[1]):
            return None
        self._told = found
        return found[1]


def read_line_scorer(section: Section) -> LineScorer:
    """Read `score`, `rules` (pattern: reward), `over` and `text`; other keys may stand there.

    Raises:
        UsageError: A pattern cannot be read; the message names file, line and key.
    """
    table = section.section("rules")
    rules = [
        (_compile(table, pattern, pattern, groups=0), table.number(pattern, -1e9, 1e9))
        for pattern in table.keys
    ]
    patterns = {
        key: _compile(section, key, section.text(key), groups) if key in section else None
        for key, groups in (("score", 1), ("over", 0), ("text", 1))
    }
    if not rules and not any(patterns.values()):
        section.refuse("needs score, rules, over or text")
    return LineScorer(patterns["score"], rules, patterns["over"], patterns["text"])


def _clean(line: bytes) -> str:
    return _CONTROL.sub("", line[:LONGEST].decode(errors="replace"))


def _compile(section: Section, key: str, pattern: str, groups: int) -> Pattern:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        section.refuse(f"is no regular expression: {error}", key)
    if compiled.groups < groups:
        section.refuse("needs a (group): what is read", key)
    return compiled
