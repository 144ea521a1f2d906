"""A program of Debian's as an environment: sums in a terminal, from its text to its rewards."""

from __future__ import annotations

import re

import gymnasium
import pytest

import auniverse  # noqa: F401  (registers)


def answer(text: str) -> list[tuple]:
    first, sign, second = re.fullmatch(r"(\d+) ([-+]) (\d+)", text).groups()
    digits = str(int(first) + int(second) * (1 if sign == "+" else -1))
    keys = [*digits, "Return"]
    return [("KeyEvent", key, down) for key in keys for down in (True, False)]


@pytest.mark.apt
def test_right_answers_earn() -> None:
    env = gymnasium.make("desktop.Arithmetic-v0", remotes="process:1", fps=10)
    try:
        _, info = env.reset()
        rewards, asked = [], None
        while len(rewards) < 2:
            text = info.get("text")
            events = [] if text in (None, "", asked) else answer(text)
            asked = text if events else asked
            _, reward, _, _, info = env.step(events)
            rewards += [reward] if reward else []
        assert rewards == [1.0, 1.0]
    finally:
        env.close()
