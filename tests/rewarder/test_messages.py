from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from auniverse.rewarder import messages

from . import examples


def test_messages_are_values() -> None:
    for _, _, body in examples.FROM_SERVER + examples.FROM_CLIENT:
        assert not hasattr(body, "__dict__")
        assert body == type(body)(*(getattr(body, field.name) for field in fields(body)))
        with pytest.raises((FrozenInstanceError, TypeError)):
            body.episode_id = "9"


def test_optional_headers_are_absent_by_default() -> None:
    assert messages.Headers(0, 1.0)[2:] == (None, None)


def test_the_states_are_those_of_universe() -> None:
    assert messages.ENV_STATES == ("resetting", "running")
