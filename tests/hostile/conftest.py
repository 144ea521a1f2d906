"""What is held against a hostile server holds for every decoder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auniverse.rfb.decoders import Decoder
from auniverse.rfb.native import NativeDecoder, available

KINDS = [Decoder, *([NativeDecoder] if available() else [])]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__, autouse=True, scope="module")
def decoder_type(request: pytest.FixtureRequest) -> Iterator[type[Decoder]]:
    patch = pytest.MonkeyPatch()
    patch.setattr("auniverse.rfb.connection.best_decoder", lambda: request.param)
    yield request.param
    patch.undo()
