from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

from auniverse.errors import InvalidActionError, UsageError
from auniverse.rfb import KeyEvent, PointerEvent
from auniverse.spaces import (
    PRESETS,
    Controls,
    Event,
    Events,
    Held,
    JoystickEvent,
    Preset,
    choose_preset,
    parse_events,
)

UP, DOWN, FIRE = 0xFF52, 0xFF54, 0x20
GAME = Controls(
    actions=((), ("space",), ("ArrowUp",), ("ArrowUp", "space")),
    keys=("space", "ArrowUp", "ArrowDown"),
    pointer=False,
    width=100,
    height=50,
)
TURNS = Controls(actions=GAME.actions, press="tap", keys=GAME.keys)


def play(preset: Preset, *actions: Any) -> list[list[Event]]:
    held = Held()
    done = []
    for action in actions:
        events = preset.events(action, held)
        held.note(events)
        done.append(events)
    return done


def press(*keys: int) -> list[KeyEvent]:
    return [KeyEvent(key, True) for key in keys]


def release(*keys: int) -> list[KeyEvent]:
    return [KeyEvent(key, False) for key in keys]


@pytest.mark.parametrize(
    ("controls", "name", "space"),
    [
        (GAME, "discrete", Discrete(4)),
        (GAME, "keys", MultiBinary(3)),
        (GAME, "pointer", Box(-1, 1, (3,), np.float32)),
        (GAME, "switches", MultiDiscrete([3, 2])),
        (TURNS, "switches", MultiDiscrete([3, 2, 16, 16, 2])),
        (Controls(), "switches", MultiDiscrete([16, 16, 2])),
        (GAME, "events", Events(GAME.keys, pointer=False)),
        (GAME, "default", Discrete(4)),
        (Controls(keys=("a", "b")), "default", MultiBinary(2)),
        (Controls(width=7, height=5), "default", Events(width=7, height=5)),
        (Controls(pointer=False), "default", Events()),
    ],
)
def test_each_preset_has_its_space(controls: Controls, name: str, space: object) -> None:
    assert choose_preset(name, controls).space == space


def test_a_preset_of_your_own_is_taken_as_it_is() -> None:
    mine = PRESETS["keys"](GAME)
    assert choose_preset(mine, Controls()) is mine


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("discrete", "no choice"),
        ("keys", "no choice"),
        ("joystick", "no joystick with such axes"),
        ("wheel", "one of discrete, keys"),
    ],
)
def test_a_preset_that_cannot_be_is_refused(name: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        choose_preset(name, Controls())


def test_discrete_keys_are_held_from_step_to_step() -> None:
    assert play(PRESETS["discrete"](GAME), 2, 2, 3, 1, 0, 0, np.int64(3)) == [
        press(UP),
        [],
        press(FIRE),
        release(UP),
        release(FIRE),
        [],
        press(UP, FIRE),
    ]


def test_discrete_keys_are_tapped() -> None:
    assert play(PRESETS["discrete"](TURNS), 2, 2, 0, 3) == [
        press(UP) + release(UP),
        press(UP) + release(UP),
        [],
        press(UP, FIRE) + release(FIRE, UP),
    ]


def test_keys() -> None:
    assert play(PRESETS["keys"](GAME), [0, 1, 0], np.array([1, 1, 0], np.int8), [0, 0, 1]) == [
        press(UP),
        press(FIRE),
        release(UP, FIRE) + press(DOWN),
    ]
    assert play(PRESETS["keys"](TURNS), [1, 0, 1]) == [press(FIRE, DOWN) + release(DOWN, FIRE)]


def test_after_a_reset_the_keys_are_pressed_anew() -> None:
    preset, held = PRESETS["discrete"](GAME), Held()
    held.note(preset.events(2, held))
    assert preset.events(2, held) == []
    held.clear()
    assert preset.events(2, held) == press(UP)


def test_the_pointer_goes_from_edge_to_edge() -> None:
    preset = PRESETS["pointer"](GAME)
    assert play(
        preset, [-1, -1, -1], [1, 1, 1], np.float32([0, 0, 0.1]), [0, 0, 1], [9, -9, 0]
    ) == [
        [PointerEvent(0, 0, 0)],
        [PointerEvent(99, 49, 1)],
        [PointerEvent(50, 24, 1)],
        [],
        [PointerEvent(99, 0, 0)],
    ]


def test_switches_exclude_what_excludes_each_other() -> None:
    preset = PRESETS["switches"](GAME)
    assert play(preset, [1, 0], [2, 1], np.array([2, 1]), (0, 0)) == [
        press(UP),
        [*release(UP), *press(DOWN, FIRE)],
        [],
        release(DOWN, FIRE),
    ]


def test_switches_put_the_pointer_into_a_cell() -> None:
    controls = Controls(width=160, height=320)
    first, same, down, last = play(
        PRESETS["switches"](controls), [0, 0, 0], [0, 0, 0], [0, 0, 1], [15, 15, 0]
    )
    assert first == [PointerEvent(5, 10, 0)]
    assert same == []
    assert down == [PointerEvent(5, 10, 1)]
    assert last == [PointerEvent(155, 310, 0)]
    with pytest.raises(UsageError, match="nothing to switch"):
        choose_preset("switches", Controls(pointer=False))


def test_raw_events_are_parsed_and_checked() -> None:
    preset = PRESETS["events"](GAME)
    assert play(preset, [("KeyEvent", "up", True)], []) == [press(UP), []]
    with pytest.raises(InvalidActionError, match="key 'q' is not in"):
        preset.events([("KeyEvent", "q", True)], Held())


@pytest.mark.parametrize("name", sorted({*PRESETS} - {"joystick"}))
@pytest.mark.parametrize("press", ["hold", "tap"])
def test_samples_make_events_that_the_screen_takes(name: str, press: str) -> None:
    controls = Controls(GAME.actions, press, GAME.keys, True, 100, 50)
    preset = PRESETS[name](controls)
    preset.space.seed(3)
    everything = Events(GAME.keys, width=100, height=50)
    for events in play(preset, *(preset.space.sample() for _ in range(100))):
        assert events in everything


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("discrete", 4),
        ("discrete", -1),
        ("discrete", 1.0),
        ("discrete", "up"),
        ("discrete", [1, 2]),
        ("keys", [0, 1]),
        ("keys", [0, 1, 2]),
        ("keys", 1),
        ("pointer", [0, 0]),
        ("pointer", [0, 0, float("nan")]),
        ("switches", [3, 0]),
        ("switches", [0, -1]),
        ("switches", [0.0, 1.0]),
        ("switches", 1),
        ("events", 3),
    ],
)
def test_an_action_from_elsewhere_is_refused(name: str, action: Any) -> None:
    with pytest.raises(InvalidActionError):
        PRESETS[name](GAME).events(action, Held())


def test_a_joystick_is_a_box_of_its_axes() -> None:
    preset = choose_preset("default", Controls(joystick=("X", "Slider1")))
    assert preset.space == Box(-1.0, 1.0, (2,), np.float32)
    moved = preset.events(np.array([0.5, 7.0]), Held())
    assert moved == [
        JoystickEvent("JoystickAxisXEvent", 0.5),
        JoystickEvent("JoystickSlider1Event", 1.0),
    ]
    assert parse_events(moved) == moved
    assert parse_events([("JoystickAxisXEvent", 0.5)]) == moved[:1]
    with pytest.raises(InvalidActionError):
        preset.events([0.5], Held())
    with pytest.raises(InvalidActionError, match="no joystick"):
        Events().parse(moved)
    with pytest.raises(UsageError, match="no joystick with such axes here: Q"):
        choose_preset("joystick", Controls(joystick=("X", "Q")))
