"""Action presets: from an agent's numbers to events.

All have one contract. `space` is what the agent acts in. `events(action, held)` returns the events
that bring keyboard and pointer from what is held to what the action says; whoever sends them tells
`held` (`Held.note`), and tells it of every reset (`Held.clear`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

from auniverse.errors import InvalidActionError, UsageError
from auniverse.keysyms import keysym
from auniverse.rfb import KeyEvent, PointerEvent

from .event_space import Events
from .events import AXES, Event, Held, JoystickEvent


@dataclass(frozen=True, slots=True)
class Controls:
    """What a program on a remote is played with.

    Attributes:
        actions: The key combinations that mean something, each a tuple of key names; () is none.
        press: "hold": keys stay down from step to step; "tap": down and up again within a step.
        keys: The names of all keys that mean something; (): unknown, any may.
        pointer: Whether the pointer means something.
        width: Of the screen, in pixels.
        height: Of the screen, in pixels.
        joystick: The axes of a joystick that mean something, such as "X" and "Rz".
    """

    actions: tuple[tuple[str, ...], ...] = ()
    press: str = "hold"
    keys: tuple[str, ...] = ()
    pointer: bool = True
    width: int = 1024
    height: int = 768
    joystick: tuple[str, ...] = ()


class Preset(Protocol):
    """Turns actions into events."""

    @property
    def space(self) -> gymnasium.Space[Any]:
        """Where actions are from."""
        ...

    def events(self, action: Any, held: Held) -> list[Event]:
        """Return the events that bring the remote from `held` to what `action` says.

        Raises:
            InvalidActionError: `action` is not from `space`.
        """
        ...


class DiscretePreset:
    """`Discrete(k)`: one of the program's own key combinations."""

    def __init__(self, controls: Controls) -> None:
        if not controls.actions:
            raise UsageError("no key combinations are known here: actions='discrete' has no choice")
        self.space = Discrete(len(controls.actions))
        self._press = _PRESSES[controls.press]
        self._combinations = [[keysym(key) for key in keys] for keys in controls.actions]

    def events(self, action: Any, held: Held) -> list[Event]:
        """Press the combination of that number; see `Preset`."""
        try:
            number = index(action)
        except TypeError:
            number = -1
        if not 0 <= number < len(self._combinations):
            raise InvalidActionError(f"{action!r} is not in {self.space}")
        return self._press(self._combinations[number], held)


class KeysPreset:
    """`MultiBinary(k)`: for each key whether it is pressed."""

    def __init__(self, controls: Controls) -> None:
        if not controls.keys:
            raise UsageError("which keys matter is not known here: actions='keys' has no choice")
        self.space = MultiBinary(len(controls.keys))
        self._press = _PRESSES[controls.press]
        self._keys = [keysym(key) for key in controls.keys]

    def events(self, action: Any, held: Held) -> list[Event]:
        """Press the keys that are 1; see `Preset`."""
        pressed = np.asarray(action)
        if pressed.shape != self.space.shape or not np.isin(pressed, (0, 1)).all():
            raise InvalidActionError(f"{action!r} is not in {self.space}")
        return self._press(
            [key for key, down in zip(self._keys, pressed, strict=True) if down], held
        )


class PointerPreset:
    """`Box(-1, 1, (3,))`: where the pointer is, and whether its left button is down.

    x from -1 (left edge) to 1 (right edge), y from -1 (top) to 1 (bottom), and the button: down if
    above 0. One flat, symmetric Box, because policies that know nothing else can act in it.
    """

    def __init__(self, controls: Controls) -> None:
        self.space = Box(-1.0, 1.0, (3,), np.float32)
        self._scale = np.array([controls.width - 1, controls.height - 1]) / 2

    def events(self, action: Any, held: Held) -> list[Event]:
        """Go there; nothing happens if the pointer is there already. See `Preset`."""
        values = np.asarray(action, np.float64)
        if values.shape != (3,) or not np.isfinite(values).all():
            raise InvalidActionError(f"{action!r} is not in {self.space}")
        x, y = np.rint((np.clip(values[:2], -1, 1) + 1) * self._scale)
        event = PointerEvent(int(x), int(y), int(values[2] > 0))
        return [] if event == held.pointer else [event]


class SwitchesPreset:
    """`MultiDiscrete`: a switch for each key, one for keys that exclude each other, and a pointer.

    Left and right are one switch, up and down another: 0 is neither, 1 the first, 2 the second. Any
    other key is 0 or 1. Where the pointer means something, three switches follow: the column and
    the row, of `GRID` each, in the middle of which it is put, and whether its left button is down.
    """

    GRID = 16
    _PAIRS = (("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))

    def __init__(self, controls: Controls) -> None:
        keys = set(controls.keys)
        pairs = [pair for pair in self._PAIRS if keys.issuperset(pair)]
        paired = {key for pair in pairs for key in pair}
        single = [(key,) for key in controls.keys if key not in paired]
        self._switches = [[keysym(key) for key in switch] for switch in (*pairs, *single)]
        self._pointer = controls.pointer
        if not self._switches and not self._pointer:
            raise UsageError("neither keys nor a pointer are known here: nothing to switch")
        sizes = [1 + len(switch) for switch in self._switches]
        self.space = MultiDiscrete(sizes + [self.GRID, self.GRID, 2] * self._pointer)
        self._press = _PRESSES[controls.press]
        self._screen = np.array([controls.width, controls.height])

    def events(self, action: Any, held: Held) -> list[Event]:
        """Set all switches; see `Preset`."""
        numbers = np.asarray(action)
        if numbers.dtype.kind not in "iu" or numbers.astype(np.int64) not in self.space:
            raise InvalidActionError(f"{action!r} is not in {self.space}")
        set_to = numbers.tolist()
        keys = [
            switch[number - 1]
            for switch, number in zip(self._switches, set_to, strict=False)
            if number
        ]
        events = self._press(keys, held)
        if self._pointer:
            *_, column, row, button = set_to
            x, y = (2 * np.array([column, row]) + 1) * self._screen // (2 * self.GRID)
            event = PointerEvent(int(x), int(y), button)
            events += [] if event == held.pointer else [event]
        return events


class JoystickPreset:
    """`Box(-1, 1, (k,))`: where the axes of the joystick are."""

    def __init__(self, controls: Controls) -> None:
        kinds = {axis: kind for kind, axis in AXES.items()}
        unknown = [axis for axis in controls.joystick if axis not in kinds]
        if not controls.joystick or unknown:
            raise UsageError(f"no joystick with such axes here: {', '.join(unknown) or 'none'}")
        self._kinds = [kinds[axis] for axis in controls.joystick]
        self.space = Box(-1.0, 1.0, (len(self._kinds),), np.float32)

    def events(self, action: Any, held: Held) -> list[Event]:
        """Move the axes there; see `Preset`."""
        values = np.asarray(action, np.float64)
        if values.shape != self.space.shape or not np.isfinite(values).all():
            raise InvalidActionError(f"{action!r} is not in {self.space}")
        values = np.clip(values, -1, 1)
        return list(map(JoystickEvent, self._kinds, values.tolist()))


class EventsPreset:
    """`Events`: raw lists of events."""

    def __init__(self, controls: Controls) -> None:
        self.space = Events(
            controls.keys or None,
            width=controls.width,
            height=controls.height,
            pointer=controls.pointer or not controls.keys,
        )

    def events(self, action: Any, held: Held) -> list[Event]:
        """Return the action's events; see `Preset`."""
        return self.space.parse(action)


def _hold(wanted: Sequence[int], held: Held) -> list[Event]:
    released = [KeyEvent(key, False) for key in held.keys if key not in wanted]
    return [*released, *(KeyEvent(key, True) for key in wanted if key not in held.keys)]


def _tap(wanted: Sequence[int], held: Held) -> list[Event]:
    down = [KeyEvent(key, True) for key in wanted]
    return [*down, *(KeyEvent(key, False) for key in reversed(wanted))]


_PRESSES: Mapping[str, Callable[[Sequence[int], Held], list[Event]]] = {"hold": _hold, "tap": _tap}

#: The presets by the names that `actions=` takes.
PRESETS: Mapping[str, Callable[[Controls], Preset]] = {
    "discrete": DiscretePreset,
    "keys": KeysPreset,
    "pointer": PointerPreset,
    "switches": SwitchesPreset,
    "joystick": JoystickPreset,
    "events": EventsPreset,
}


def choose_preset(actions: str | Preset, controls: Controls) -> Preset:
    """Return the preset of that name for a program with those controls.

    Args:
        actions: A name of `PRESETS`; "default": `discrete` where key combinations are known, else
            `keys` where the keys are, `joystick` where its axes are, else `events`; or a preset
            of your own, returned as it is.
        controls: What the program is played with.

    Raises:
        UsageError: There is no such preset, or it has nothing to choose from here.
    """
    if not isinstance(actions, str):
        return actions
    if actions == "default":
        known = {
            "discrete": controls.actions,
            "keys": controls.keys,
            "joystick": controls.joystick,
        }
        actions = next((name for name, meant in known.items() if meant), "events")
    if actions not in PRESETS:
        raise UsageError(f"actions={actions!r}: one of {', '.join(PRESETS)}, default")
    return PRESETS[actions](controls)
