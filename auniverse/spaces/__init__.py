"""The vocabulary of actions and observations.

An action is a list of events: keys that go down or up, places of the pointer. `parse_events` reads
every spelling of them. For agents that want numbers instead, a *preset* turns a `Discrete`, a
`MultiBinary` or a `Box` action into events (`PRESETS`). An observation is the screen, with the
text of the task beside it where there is one (`observation_space`).

What needs Gymnasium is loaded when it is asked for: whoever only sends events has no use for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .events import Event, Held, JoystickEvent, parse_events

if TYPE_CHECKING:
    from .event_space import Events
    from .observations import (
        CHARACTERS,
        TEXT_LENGTH,
        clean_text,
        observation_space,
        screen_space,
        text_space,
    )
    from .presets import PRESETS, Controls, Preset, choose_preset

_HOMES = {
    "Events": ".event_space",
    "Controls": ".presets",
    "Preset": ".presets",
    "PRESETS": ".presets",
    "choose_preset": ".presets",
    "screen_space": ".observations",
    "text_space": ".observations",
    "observation_space": ".observations",
    "clean_text": ".observations",
    "CHARACTERS": ".observations",
    "TEXT_LENGTH": ".observations",
}

__all__ = [
    "Event",
    "parse_events",
    "Held",
    "JoystickEvent",
    "Events",
    "Controls",
    "Preset",
    "PRESETS",
    "choose_preset",
    "screen_space",
    "text_space",
    "observation_space",
    "clean_text",
    "CHARACTERS",
    "TEXT_LENGTH",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
