"""What holds for tests that count an engine's containers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .real import engine, own


@pytest.fixture
def nothing_is_left(image: str, alone: None, state: None) -> Iterator[None]:
    """The test has the engine to itself, and leaves no container of ours."""
    yield
    names = own()
    for name in names:
        engine("rm", "-f", name)
    assert names == []
