from __future__ import annotations

import random
from collections.abc import Callable

import pytest

Shred = Callable[[bytes], list[bytes]]


def whole(data: bytes) -> list[bytes]:
    return [data]


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def shreds(data: bytes) -> list[bytes]:
    chance = random.Random(len(data))
    cuts = sorted({chance.randrange(1, len(data) + 1) for _ in range(1 + len(data) // 7)})
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]


@pytest.fixture(params=[whole, byte_by_byte, shreds])
def shred(request: pytest.FixtureRequest) -> Shred:
    """A way to cut bytes into the pieces in which they arrive."""
    way: Shred = request.param
    return way
