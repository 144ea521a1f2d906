"""The space of raw event lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium
import numpy as np

from auniverse.errors import InvalidActionError
from auniverse.keysyms import KEYSYMS, key_name, keysym
from auniverse.rfb import KeyEvent, PointerEvent

from .events import Event, JoystickEvent, parse_events

_ALL_KEYS = sorted({*KEYSYMS.values(), *range(0x20, 0x7F)})


class Events(gymnasium.Space[list[Event]]):
    """Lists of key and pointer events, for a set of keys and a screen.

    A sample is one random event, as in Universe; an element may hold any number of them, in any
    spelling that `parse_events` reads.

    Args:
        keys: The keys there are, names or keysyms; None: every key with a name and every printable
            ASCII character.
        width: Of the screen, in pixels.
        height: Of the screen, in pixels.
        pointer: Whether there is a pointer.
        seed: Seeds `sample`.

    Raises:
        InvalidActionError: There is no such key, or neither keys nor a pointer.
    """

    def __init__(
        self,
        keys: Iterable[str | int] | None = None,
        *,
        width: int = 1024,
        height: int = 768,
        pointer: bool = True,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.keys = tuple(_ALL_KEYS if keys is None else sorted({keysym(key) for key in keys}))
        self.width = width
        self.height = height
        self.pointer = pointer
        self._known = frozenset(self.keys)
        if not self.keys and not pointer:
            raise InvalidActionError("a space of events needs keys or a pointer")
        super().__init__(seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """False: the lists have any length."""
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> list[Event]:
        """Return one random event: as often a key as a place of the pointer, if there are both.

        Raises:
            InvalidActionError: A mask or probabilities are given; events have none.
        """
        if mask is not None or probability is not None:
            raise InvalidActionError("a space of events takes no mask and no probabilities")
        draw = self.np_random.integers
        if not self.pointer or (self.keys and draw(2)):
            return [KeyEvent(self.keys[draw(len(self.keys))], bool(draw(2)))]
        return [PointerEvent(int(draw(self.width)), int(draw(self.height)), int(draw(8)))]

    def contains(self, x: Any) -> bool:
        """Tell whether `x` is a list (or tuple) of events that this keyboard and screen have."""
        if not isinstance(x, list | tuple):
            return False
        try:
            self.parse(x)
        except InvalidActionError:
            return False
        return True

    def parse(self, events: Iterable[object]) -> list[Event]:
        """Read an element of the space (see `parse_events`).

        Raises:
            InvalidActionError: It is none; the message says why.
        """
        parsed = parse_events(events)
        for event in parsed:
            if isinstance(event, PointerEvent):
                self._check_pointer(event)
            elif isinstance(event, JoystickEvent):
                raise InvalidActionError(f"{event} where there is no joystick")
            elif event.keysym not in self._known:
                raise InvalidActionError(f"the key {key_name(event.keysym)!r} is not in {self}")
        return parsed

    def _check_pointer(self, event: PointerEvent) -> None:
        if not self.pointer:
            raise InvalidActionError(f"{event} where there is no pointer")
        if event.x >= self.width or event.y >= self.height:
            raise InvalidActionError(f"{event} is off the screen of {self.width}x{self.height}")

    def to_jsonable(self, sample_n: Iterable[list[Event]]) -> list[Any]:
        """Return elements as lists, an event as `["KeyEvent", keysym, down]` for example."""
        return [
            [[type(event).__name__, *event] for event in parse_events(sample)]
            for sample in sample_n
        ]

    def from_jsonable(self, sample_n: list[Any]) -> list[list[Event]]:
        """Read what `to_jsonable` wrote.

        Raises:
            InvalidActionError: It is something else.
        """
        return [self.parse(sample) for sample in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Events) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return self.keys, self.pointer and (self.width, self.height)

    def __repr__(self) -> str:
        screen = f", {self.width}x{self.height}" if self.pointer else ", no pointer"
        return f"Events({len(self.keys)} keys{screen})"
