"""Remotes that play scripts (`tests.fakes.FakePool`) under a real `RemoteVectorEnv`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from auniverse.env import Slots
from tests.fakes import FakePool

#: What makes a `RemoteVectorEnv` of any library stand on the scripts.
SCRIPTED: dict[str, Any] = {"env_id": "gym-core.CartPole-v1", "screen": "3x2"}


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakePool]:
    """Return what takes scripts, and lets the next environment play them."""

    def script(*scripts: str) -> FakePool:
        pool = FakePool(*scripts)
        slots = partial(Slots, open_pool=pool.opener())
        monkeypatch.setattr("auniverse.env.vectorized.Slots", slots)
        return pool

    return script
