"""Recordings: what a VNC server sent, byte for byte and with its times, in a file.

What it is for: streams of real servers that tests and benchmarks can have again, and demonstrations
that can be looked at later. `capture` records, `read` and `Writer` know the file's form (FBS
001.002, as Universe wrote it), `play` feeds a recording to a decoder, `Replayer` is a VNC server
that sends it once more.

What it may not know: environments, episodes, rewards; how rectangles are encoded. A recording may
hold encodings that nothing here can decode.
"""

from __future__ import annotations

from .capture import Captured, capture
from .encodings import is_lossless, parse_encodings
from .fbs import Chunk, Header, Recording, Writer, read, write
from .replay import Replayer, play, rounds, viewer

__all__ = [
    "Captured",
    "Chunk",
    "Header",
    "Recording",
    "Replayer",
    "Writer",
    "capture",
    "is_lossless",
    "parse_encodings",
    "play",
    "read",
    "rounds",
    "viewer",
    "write",
]
