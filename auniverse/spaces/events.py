"""Events: what an agent does to a keyboard and a pointer, in any spelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import index
from typing import Any, NamedTuple

import numpy as np

from auniverse.errors import InvalidActionError
from auniverse.keysyms import keysym
from auniverse.rfb import KeyEvent, PointerEvent

#: The axes of a joystick, as Universe named them, by the name of their event.
AXES = {
    **{f"JoystickAxis{axis}Event": axis for axis in ("X", "Y", "Z", "Rx", "Ry", "Rz")},
    "JoystickSlider0Event": "Slider0",
    "JoystickSlider1Event": "Slider1",
}


class JoystickEvent(NamedTuple):
    """An axis of a joystick that is moved; remotes take it on the rewarder's connection."""

    #: The name of Universe's event, such as "JoystickAxisXEvent".
    kind: str
    #: From -1 to 1.
    value: float


Event = KeyEvent | PointerEvent | JoystickEvent

#: What is no list of events, though some of it can be iterated over.
_NO_LISTS = (KeyEvent, PointerEvent, JoystickEvent, str, bytes)
_FORMS = (
    "('KeyEvent', name or keysym, down), ('PointerEvent', x, y, button mask) "
    "or ('JoystickAxisXEvent', -1 to 1)"
)


def parse_events(events: Iterable[object]) -> list[Event]:
    """Read an action in any of its spellings.

    Args:
        events: `KeyEvent`, `PointerEvent`, `JoystickEvent`, or tuples (or lists) such as
            `("KeyEvent", "ArrowUp", True)`, `("PointerEvent", 512, 384, 1)` and
            `("JoystickAxisXEvent", 0.5)`. A key is a name of `auniverse.keysyms`, a single
            character or a keysym; coordinates are pixels, 0 to 65535; bit 0 of the mask is the
            left button, bit 1 the middle, bit 2 the right one.

    Raises:
        InvalidActionError: Something is no event, or an event is impossible.
    """
    if isinstance(events, _NO_LISTS):
        raise InvalidActionError(f"an action is a list of events, not {events!r} alone")
    try:
        found = list(events)
    except TypeError:
        raise InvalidActionError(f"an action is a list of events, not {events!r}") from None
    if found and isinstance(found[0], str) and found[0] in _PARSERS:
        raise InvalidActionError(f"an action is a list of events, not {events!r} alone")
    return [_parse_event(event) for event in found]


def _parse_event(event: object) -> Event:
    if isinstance(event, KeyEvent):
        return _parse_key(*event)
    if isinstance(event, PointerEvent):
        return _parse_pointer(*event)
    if isinstance(event, JoystickEvent):
        return _parse_axis(*event)
    if isinstance(event, tuple | list) and event and isinstance(event[0], str):
        if event[0] in AXES and len(event) == 2:
            return _parse_axis(*event)
        kind, *values = event
        parse, length = _PARSERS.get(kind, (None, 0))
        if parse and len(values) == length:
            return parse(*values)
    raise InvalidActionError(f"{event!r} is no event: {_FORMS}")


def _parse_key(key: Any, down: Any) -> KeyEvent:
    if isinstance(down, np.bool_):
        down = bool(down)
    return KeyEvent(keysym(key), bool(_parse_number(down, 1, "whether a key is down")))


def _parse_pointer(x: Any, y: Any, buttons: Any) -> PointerEvent:
    return PointerEvent(
        _parse_number(x, 0xFFFF, "x of a pointer"),
        _parse_number(y, 0xFFFF, "y of a pointer"),
        _parse_number(buttons, 0xFF, "button mask"),
    )


def _parse_axis(kind: Any, value: Any) -> JoystickEvent:
    if kind in AXES and isinstance(value, int | float | np.number) and -1 <= value <= 1:
        return JoystickEvent(kind, float(value))
    raise InvalidActionError(f"({kind!r}, {value!r}) is no event of a joystick: {_FORMS}")


def _parse_number(value: Any, highest: int, what: str) -> int:
    try:
        number = index(value)
    except TypeError:
        number = -1
    if not 0 <= number <= highest:
        raise InvalidActionError(f"{what} is a whole number from 0 to {highest}, not {value!r}")
    return number


_PARSERS: dict[str, tuple[Callable[..., Event], int]] = {
    "KeyEvent": (_parse_key, 2),
    "PointerEvent": (_parse_pointer, 3),
}


class Held:
    """What is pressed on one remote: the keys that are down, and the pointer.

    Attributes:
        keys: Keysyms that are down, oldest first.
        pointer: The last pointer event, None before there was one.
    """

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.pointer: PointerEvent | None = None

    def note(self, events: Iterable[Event]) -> None:
        """Take account of events that were sent."""
        for event in events:
            if isinstance(event, PointerEvent):
                self.pointer = event
            if not isinstance(event, KeyEvent):
                continue
            if event.keysym in self.keys:
                self.keys.remove(event.keysym)
            if event.down:
                self.keys.append(event.keysym)

    def clear(self) -> None:
        """Take account of a reset: all keys are up, and where the pointer is nobody knows."""
        self.keys.clear()
        self.pointer = None
