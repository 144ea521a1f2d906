"""The compiled decoder, where it was built: the same interface and errors as `decoders.Decoder`.

What it is for: one call takes all whole rectangles of what has arrived and paints them without
the interpreter. What it may not know: anything but bytes and pixels; pseudo-rectangles that come
once in a while, such as another size, are read by the table in `decoders`, and the compiled code
goes on behind them.

Whether it is there depends on a compiler and libraries being there when the package was
installed; nothing else may depend on it.
"""

from __future__ import annotations

from .decoder import NativeDecoder, available, libraries

__all__ = ["available", "libraries", "NativeDecoder"]
