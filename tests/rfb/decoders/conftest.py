from __future__ import annotations

import pytest

from auniverse.rfb.decoders import Decoder


@pytest.fixture(scope="module", autouse=True)
def every_decoder(decoder_type: type[Decoder]) -> type[Decoder]:
    """All tests here are run for every decoder."""
    return decoder_type
