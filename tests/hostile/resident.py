"""What streams of a server's bytes cost a process in memory, as the kernel counts it.

`python -m tests.hostile.resident DECODER WIDTH HEIGHT [STREAM...]` tells a client each of the worst
streams, or those, in a process of its own, and prints JSON: by stream, how many bytes were resident
at most beyond those before, and the fault. So what C takes is counted too.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from auniverse.rfb import Decoder, decoder_named
from tests.rfb.wire import opening

from .cost import EVERYTHING, PIECE, Connection, tell
from .worst import STREAMS

STATUS = Path("/proc/self/status")
#: Written there, it makes the kernel forget the peak.
FORGET = Path("/proc/self/clear_refs")


def resident(what: str) -> int:
    """Return `VmRSS` (now) or `VmHWM` (at most), in bytes."""
    found = re.search(rf"{what}:\s*(\d+) kB", STATUS.read_text())
    assert found
    return int(found[1]) << 10


def cost_of(file: BinaryIO, kind: type[Decoder], screen: bytes) -> tuple[int, str]:
    tell(opening(64, 64), connection=Connection(encodings=EVERYTHING, decoder=kind))  # warm up

    def pieces() -> Iterator[bytes]:
        yield screen
        while piece := file.read(PIECE):
            yield piece

    FORGET.write_text("5")
    before = resident("VmRSS")
    told = tell(pieces(), connection=Connection(encodings=EVERYTHING, decoder=kind))
    return resident("VmHWM") - before, str(told.fault or "")


def apart(work: object, *arguments: object) -> str:
    """Do `work` in a fork of this process; return what it says as JSON."""
    read_end, write_end = os.pipe()
    if not os.fork():
        os.close(read_end)
        with os.fdopen(write_end, "w") as answer:
            json.dump(work(*arguments), answer)  # type: ignore[operator]
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        said = answer.read()
    os.wait()
    return said


def main(name: str, width: int, height: int, wanted: list[str]) -> None:
    kind = decoder_named(name)
    assert kind is not None
    found = {}
    for stream in (each for each in STREAMS if not wanted or each.__name__ in wanted):
        with tempfile.TemporaryFile() as file:
            apart(lambda stream=stream, file=file: file.writelines(stream(width, height)))
            file.seek(0)
            found[stream.__name__] = json.loads(apart(cost_of, file, kind, opening(width, height)))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]), sys.argv[4:])
