from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from auniverse.rfb import native
from auniverse.rfb.decoders import Decoder

from .wire import Subject

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


@pytest.fixture(params=["numpy", "native"], scope="module")
def decoder_type(request: pytest.FixtureRequest) -> Iterator[type[Decoder]]:
    """Each decoder in turn, as `wire.Subject`: every one must do what the tests say."""
    if request.param == "native" and not native.available():
        pytest.skip("the compiled decoder was not built")
    Subject.kind = native.NativeDecoder if request.param == "native" else Decoder
    yield Subject.kind
    Subject.kind = Decoder
