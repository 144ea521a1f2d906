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
def test_right_answers_earn_and_wrong_ones_cost() -> None:
    env = gymnasium.make("desktop.Arithmetic-v0", remotes="process:1", fps=10)
    try:
        _, info = env.reset()
        rewards, asked = [], None
        for _ in range(600):
            text = info.get("text")
            events = [] if text in (None, "", asked) else answer(text)
            if events:
                asked = text
                # The second answer is wrong; the game then asks the same again.
                events = [*answer("9 + 90"), *events] if len(rewards) == 1 else events
            _, reward, _, _, info = env.step(events)
            rewards += [reward] if reward else []
            if len(rewards) >= 3:
                break
        assert rewards[0] == 1.0
        assert -1.0 in rewards or 0.0 in rewards[1:]
    finally:
        env.close()
