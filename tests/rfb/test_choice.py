from __future__ import annotations

import pytest

from auniverse.errors import UsageError
from auniverse.rfb import choice
from auniverse.rfb.choice import best_decoder, decoder_named
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.native import NativeDecoder


@pytest.mark.parametrize("name", [None, ""])
@pytest.mark.parametrize(("built", "best"), [(True, NativeDecoder), (False, Decoder)])
def test_the_compiled_one_where_it_was_built(
    name: str | None, built: bool, best: type[Decoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "available", lambda: built)
    assert best_decoder() is best
    assert decoder_named(name) is best
    assert decoder_named("numpy") is Decoder


def test_a_decoder_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "available", lambda: False)
    with pytest.raises(UsageError, match="not built: see `auniverse doctor`"):
        decoder_named("native")
    with pytest.raises(UsageError, match="called 'cobol', only numpy and native"):
        decoder_named("cobol")
