"""Which keys play which Gymnasium environment, and what its state is called in words.

Environments are known by the name of their class, or of one it inherits from, so that every
variant (larger maps, slippery floors, harder ground) is played with the same keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .controls import Axis, Keys

#: Puts an observation into words, given the bare environment.
Words = Callable[[Any, Any], str]

LEFT, UP, RIGHT, DOWN = ("ArrowLeft",), ("ArrowUp",), ("ArrowRight",), ("ArrowDown",)
NONE: Keys = ()

#: The words of Atari's action meanings, in the order of their keys: "UPLEFTFIRE" is all of three.
_ATARI_KEYS = {
    "UP": "ArrowUp",
    "DOWN": "ArrowDown",
    "LEFT": "ArrowLeft",
    "RIGHT": "ArrowRight",
    "FIRE": "space",
}

#: Keys for the actions 0, 1, 2, ... of a game without an entry of its own.
NUMBERED = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Keys (full low, full high) for the dimensions of a game without an entry of its own.
PAIRED: tuple[Axis, ...] = (
    ("q", "a"),
    ("w", "s"),
    ("e", "d"),
    ("r", "f"),
    ("t", "g"),
    ("y", "h"),
    ("u", "j"),
    ("i", "k"),
)


@dataclass(frozen=True, slots=True)
class Game:
    """How a family of environments is played.

    Attributes:
        actions: For discrete actions: the keys of each.
        axes: For continuous actions: the keys (full low, full high) of each dimension.
        turns: Whether it is turn-based: one press, one step.
        words: Says the state; None for games that say nothing.
    """

    actions: tuple[Keys, ...] = ()
    axes: tuple[Axis, ...] = ()
    turns: bool = False
    words: Words | None = None


def atari_keys(meaning: str) -> Keys:
    """Return the keys of one of Atari's action meanings, such as "UPLEFTFIRE" or "NOOP"."""
    return tuple(key for word, key in _ATARI_KEYS.items() if word in meaning)


def find_game(env: object) -> Game | None:
    """Return the entry for a bare environment, None if its class has none."""
    names = (ancestor.__name__ for ancestor in type(env).__mro__)
    return next((GAMES[name] for name in names if name in GAMES), None)


def _place(index: int, rows: int, columns: int) -> str:
    row, column = divmod(int(index), columns)
    return f"row {row + 1} of {rows}, column {column + 1} of {columns}"


def _frozen_lake(env: Any, observation: Any) -> str:
    goal = int((env.desc == b"G").ravel().argmax())
    here, there = (_place(index, env.nrow, env.ncol) for index in (observation, goal))
    return f"You stand at {here}. The goal is at {there}."


def _cliff_walking(env: Any, observation: Any) -> str:
    rows, columns = env.shape
    here, there = (_place(index, rows, columns) for index in (observation, rows * columns - 1))
    return f"You stand at {here}. The goal is at {there}."


def _taxi(env: Any, observation: Any) -> str:
    row, column, passenger, destination = env.decode(int(observation))
    stops = ("Red", "Green", "Yellow", "Blue", "in the taxi")
    waiting = stops[passenger] if passenger == 4 else f"at {stops[passenger]}"
    here = _place(row * 5 + column, 5, 5)
    return f"The taxi is at {here}. The passenger is {waiting} and wants to {stops[destination]}."


def _blackjack(env: Any, observation: Any) -> str:
    total, dealer, ace = (int(number) for number in observation)
    return f"You hold {total}{' with a usable ace' if ace else ''}. The dealer shows {dealer}."


_MINIGRID = (LEFT, RIGHT, UP, ("p",), ("d",), ("space",), ("Return",))

GAMES: dict[str, Game] = {
    "CartPoleEnv": Game(actions=(LEFT, RIGHT)),
    "MountainCarEnv": Game(actions=(LEFT, NONE, RIGHT)),
    "AcrobotEnv": Game(actions=(LEFT, NONE, RIGHT)),
    "LunarLander": Game(actions=(NONE, LEFT, UP, RIGHT), axes=(DOWN + UP, LEFT + RIGHT)),
    "CarRacing": Game(
        axes=(LEFT + RIGHT, (None, "ArrowUp"), (None, "ArrowDown")),
    ),
    "PendulumEnv": Game(axes=(LEFT + RIGHT,)),
    "Continuous_MountainCarEnv": Game(axes=(LEFT + RIGHT,)),
    "BipedalWalker": Game(axes=PAIRED[:4]),
    "FrozenLakeEnv": Game(actions=(LEFT, DOWN, RIGHT, UP), turns=True, words=_frozen_lake),
    "CliffWalkingEnv": Game(actions=(UP, RIGHT, DOWN, LEFT), turns=True, words=_cliff_walking),
    "TaxiEnv": Game(actions=(DOWN, UP, RIGHT, LEFT, ("p",), ("d",)), turns=True, words=_taxi),
    "BlackjackEnv": Game(actions=(("s",), ("h",)), turns=True, words=_blackjack),
    "MiniGridEnv": Game(actions=_MINIGRID, turns=True),
}
