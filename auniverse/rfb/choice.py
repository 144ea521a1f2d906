"""Which decoder to use."""

from __future__ import annotations

from auniverse.errors import UsageError

from .decoders import Decoder
from .native import NativeDecoder, available

#: By the names that AUNIVERSE_DECODER takes.
_NAMED: dict[str, type[Decoder]] = {"numpy": Decoder, "native": NativeDecoder}


def best_decoder() -> type[Decoder]:
    """Return the compiled decoder where it was built, else the one in numpy."""
    return NativeDecoder if available() else Decoder


def decoder_named(name: str | None) -> type[Decoder]:
    """Return the decoder called "native" or "numpy"; the best for None or "".

    Raises:
        UsageError: There is none of that name, or it was not built.
    """
    if not name:
        return best_decoder()
    if name not in _NAMED:
        raise UsageError(f"no decoder is called {name!r}, only {' and '.join(_NAMED)}")
    if name == "native" and not available():
        raise UsageError("the compiled decoder was not built: see `auniverse doctor`")
    return _NAMED[name]
