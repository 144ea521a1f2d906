"""From keys and the pointer to an environment's actions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from auniverse.keysyms import keysym
from auniverse.rfb import KeyEvent, PointerEvent

#: Presses of a turn-based game that wait for their frame; more are dropped.
MAX_TURNS = 16

Keys = tuple[str, ...]
#: The keys that drive a dimension to its low end and to its high end.
Axis = tuple[str | None, str | None]


class Controls(Protocol):
    """Collects inputs between two frames and makes one action of them."""

    @property
    def actions(self) -> tuple[Keys, ...]:
        """The keys of each discrete action; empty if the actions are no list."""

    @property
    def keys(self) -> Keys:
        """All keys that mean something."""

    @property
    def press_mode(self) -> Literal["hold", "tap"]:
        """Whether a key counts while it is down, or each press once."""

    @property
    def pointer(self) -> bool:
        """Whether the pointer means something."""

    def press(self, event: KeyEvent | PointerEvent) -> None:
        """Take an input."""

    def take(self) -> int | NDArray[np.float32] | None:
        """Return the action of this frame; None: the game waits."""

    def forget(self) -> None:
        """All keys and buttons are up."""


class Held:
    """Which of some keys are down; one that came and went between two looks is seen once."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._known = {keysym(key): key for key in keys}
        self._presses = 0
        self._down: dict[str, int] = {}
        self._since_look: dict[str, int] = {}

    def press(self, event: KeyEvent) -> str | None:
        """Note the event; return the key's name if it has just gone down.

        A viewer's auto-repeat sends a held key again and again; it goes down once.
        """
        key = self._known.get(event.keysym)
        if key is None:
            return None
        if not event.down:
            self._down.pop(key, None)
            return None
        if key in self._down:
            return None
        self._presses += 1
        self._down[key] = self._since_look[key] = self._presses
        return key

    def look(self) -> dict[str, int]:
        """Return the keys of this frame; the greater the number, the later the press."""
        seen = self._since_look | self._down
        self._since_look.clear()
        return seen

    def clear(self) -> None:
        """Let all keys go."""
        self._down.clear()
        self._since_look.clear()


class HeldActions:
    """Discrete actions by held combinations: the largest wins, of equals the latest pressed.

    Where no combination is held (only possible if none of them is empty) `idle` decides: an action,
    or None for the last one.
    """

    press_mode: Literal["hold"] = "hold"
    pointer = False

    def __init__(self, actions: Sequence[Keys], *, start: int = 0, idle: int | None = None) -> None:
        self.actions = tuple(actions)
        self.keys = _in_order(actions)
        self._start = start
        self._idle = idle
        self._last = 0
        self._held = Held(self.keys)

    def press(self, event: KeyEvent | PointerEvent) -> None:
        """Take a key; the pointer means nothing."""
        if isinstance(event, KeyEvent):
            self._held.press(event)

    def take(self) -> int:
        """Return the action of this frame."""
        held = self._held.look()
        fitting = [k for k, combination in enumerate(self.actions) if held.keys() >= {*combination}]
        if fitting:
            self._last = max(fitting, key=lambda k: self._weight(self.actions[k], held))
        elif self._idle is not None:
            self._last = self._idle
        return self._start + self._last

    def forget(self) -> None:
        """Let all keys go."""
        self._held.clear()
        self._last = 0

    @staticmethod
    def _weight(combination: Keys, held: dict[str, int]) -> tuple[int, int]:
        return len(combination), max((held[key] for key in combination), default=0)


class TappedActions:
    """Discrete actions by single keys, each press one turn."""

    press_mode: Literal["tap"] = "tap"
    pointer = False

    def __init__(self, actions: Sequence[Keys], *, start: int = 0) -> None:
        self.actions = tuple(actions)
        self.keys = _in_order(actions)
        self._turn_of = {key: start + k for k, (key,) in enumerate(actions)}
        self._held = Held(self.keys)
        self._turns: deque[int] = deque()

    def press(self, event: KeyEvent | PointerEvent) -> None:
        """Take a key; the pointer means nothing."""
        key = self._held.press(event) if isinstance(event, KeyEvent) else None
        if key is not None and len(self._turns) < MAX_TURNS:
            self._turns.append(self._turn_of[key])

    def take(self) -> int | None:
        """Return the next turn, None if nobody has pressed a key."""
        return self._turns.popleft() if self._turns else None

    def forget(self) -> None:
        """Let all keys go and forget the turns not yet taken."""
        self._held.clear()
        self._turns.clear()


class HeldAxes:
    """A vector of numbers: two keys for each dimension (full low, full high), and the pointer.

    While button 1 is down the pointer sets dimension 0 by its column (left edge: low, right edge:
    high) and dimension 1 by its row (bottom: low, top: high); keys do not count for these then.
    """

    press_mode: Literal["hold"] = "hold"
    pointer = True
    actions: tuple[Keys, ...] = ()

    def __init__(
        self,
        axes: Sequence[Axis],
        low: NDArray[np.float32],
        high: NDArray[np.float32],
        size: tuple[int, int],
    ) -> None:
        self.keys = tuple(key for axis in axes for key in axis if key is not None)
        self._axes = tuple(axes)
        self._low, self._high = low, high
        self._rest = np.clip(np.zeros_like(low), low, high)
        self._reach = max(size[0] - 1, 1), max(size[1] - 1, 1)
        self._held = Held(self.keys)
        self._dragged: tuple[int, int] | None = None
        self._let_go = False

    def press(self, event: KeyEvent | PointerEvent) -> None:
        """Take a key, or the pointer in pixels of the picture."""
        if isinstance(event, KeyEvent):
            self._held.press(event)
        elif event.buttons & 1:
            self._dragged = event.x, event.y
            self._let_go = False
        else:
            self._let_go = True

    def take(self) -> NDArray[np.float32]:
        """Return the action of this frame, float32, as long as the axes."""
        held = self._held.look()
        action = self._rest.copy()
        for dimension, ends in enumerate(self._axes):
            down = [(held[key], end) for end, key in enumerate(ends) if key in held]
            if down:
                action[dimension] = (self._low, self._high)[max(down)[1]][dimension]
        if self._dragged is not None:
            x, y = self._dragged
            share = np.array([x / self._reach[0], 1 - y / self._reach[1]][: len(action)])
            span = slice(0, len(share))
            action[span] = self._low[span] + share * (self._high[span] - self._low[span])
        if self._let_go:
            self._dragged = None
        return action

    def forget(self) -> None:
        """Let all keys and the button go."""
        self._held.clear()
        self._dragged = None


def _in_order(actions: Sequence[Keys]) -> Keys:
    return tuple(dict.fromkeys(key for combination in actions for key in combination))
