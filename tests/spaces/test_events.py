from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import InvalidActionError
from auniverse.rfb import KeyEvent, PointerEvent
from auniverse.spaces import Held, parse_events


@pytest.mark.parametrize(
    ("spelling", "event"),
    [
        (("KeyEvent", "ArrowUp", True), KeyEvent(0xFF52, True)),
        (("KeyEvent", "a", False), KeyEvent(0x61, False)),
        (("KeyEvent", 0xFF52, 1), KeyEvent(0xFF52, True)),
        (["KeyEvent", "up", np.False_], KeyEvent(0xFF52, False)),
        (KeyEvent(0x20, True), KeyEvent(0x20, True)),
        (("PointerEvent", 10, 20, 1), PointerEvent(10, 20, 1)),
        (["PointerEvent", np.int64(10), np.uint16(20), np.uint8(255)], PointerEvent(10, 20, 255)),
        (PointerEvent(0, 65535, 0), PointerEvent(0, 65535, 0)),
    ],
)
def test_every_spelling_is_read(spelling: object, event: object) -> None:
    (parsed,) = parse_events([spelling])
    assert parsed == event
    assert type(parsed) is type(event)
    assert all(type(value) in (int, bool) for value in parsed)


def test_an_action_is_any_iterable_of_events_in_order() -> None:
    events = [("KeyEvent", "a", True), ("KeyEvent", "a", False)]
    expected = [KeyEvent(0x61, True), KeyEvent(0x61, False)]
    assert parse_events(events) == expected
    assert parse_events(tuple(events)) == expected
    assert parse_events(event for event in events) == expected
    assert parse_events([]) == []


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        (3, "a list of events, not 3"),
        (None, "a list of events, not None"),
        ("KeyEvent", "alone"),
        (("KeyEvent", "ArrowUp", True), "alone"),
        (KeyEvent(0x61, True), "alone"),
        ([("KeyEvent", "ArrowUp")], "no event"),
        ([("KeyEvent", "ArrowUp", True, 1)], "no event"),
        ([("JoystickAxisXEvent", 1.5)], "no event of a joystick"),
        ([("JoystickAxisQEvent", 0.5)], "no event"),
        ([()], "no event"),
        ([[[]]], "no event"),
        ([None], "no event"),
        ([b"KeyEvent"], "no event"),
        ([("KeyEvent", "Arrow", True)], "no key 'Arrow'"),
        ([("KeyEvent", -1, True)], "keysym"),
        ([("KeyEvent", 1.5, True)], "keysym"),
        ([("KeyEvent", "a", "down")], "whether a key is down"),
        ([("KeyEvent", "a", 2)], "whether a key is down"),
        ([("KeyEvent", "a", np.array([0, 1]))], "whether a key is down"),
        ([("PointerEvent", -1, 0, 0)], "x of a pointer"),
        ([("PointerEvent", 0, 65536, 0)], "y of a pointer"),
        ([("PointerEvent", 0, 0.5, 0)], "y of a pointer"),
        ([("PointerEvent", 0, 0, 256)], "button mask"),
        ([PointerEvent(0, 0, -1)], "button mask"),
    ],
)
def test_what_is_no_action_is_refused(action: Any, complaint: str) -> None:
    with pytest.raises(InvalidActionError, match=complaint):
        parse_events(action)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(st.just("KeyEvent"), inner, inner),
)


@given(st.lists(anything) | anything)
def test_anything_is_read_or_refused(action: Any) -> None:
    try:
        events = parse_events(action)
    except InvalidActionError:
        return
    for event in events:
        event.pack()


def test_held_follows_the_events() -> None:
    held = Held()
    assert (held.keys, held.pointer) == ([], None)
    held.note([KeyEvent(1, True), KeyEvent(2, True), PointerEvent(3, 4, 1), KeyEvent(1, True)])
    assert (held.keys, held.pointer) == ([2, 1], PointerEvent(3, 4, 1))
    held.note([KeyEvent(2, False), KeyEvent(9, False)])
    assert held.keys == [1]
    held.clear()
    assert (held.keys, held.pointer) == ([], None)
