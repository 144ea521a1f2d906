"""A socket in memory, for a client that takes from it by itself: see memory_socket.c."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import lru_cache

from .building import build

#: Its descriptor.
THE_STREAM = 1 << 20

_held: ctypes.CDLL | None = None


def preload() -> None:
    """Have it in this process, which begins once more for that."""
    global _held
    library = str(build("memory_socket.c", shared=True))
    if library not in os.environ.get("LD_PRELOAD", ""):
        os.environ["LD_PRELOAD"] = library
        os.execv(sys.executable, [sys.executable, *sys.argv])
    _held = ctypes.CDLL(library)


def preloaded() -> bool:
    """Tell whether this process has it."""
    return _held is not None


class Chunks:
    """What the socket gives to this thread: one chunk after the other, from one piece of memory."""

    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self._data, self._sizes = _in_one_piece(chunks)
        self.size = len(self._data)
        assert _held is not None
        _held.hold(ctypes.c_char_p(self._data), self._sizes, ctypes.c_size_t(len(chunks)))


@lru_cache(maxsize=8)
def _in_one_piece(chunks: tuple[bytes, ...]) -> tuple[bytes, ctypes.Array[ctypes.c_size_t]]:
    return b"".join(chunks), (ctypes.c_size_t * len(chunks))(*map(len, chunks))
