"""What streams of a server's bytes cost this process in memory as the kernel counts it.

`python -m tests.hostile.resident DECODER` tells the client each of the worst streams, in a process
of its own that has done nothing else, and prints JSON: by stream, how many bytes were resident at
most beyond those before. So what C takes is counted too.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from auniverse.rfb import Decoder, decoder_named
from tests.rfb.wire import opening

from . import cost
from .worst import HEIGHT, STREAMS, WIDTH

STATUS = Path("/proc/self/status")
#: Written there, it makes the kernel forget the peak.
FORGET = Path("/proc/self/clear_refs")


def resident(what: str) -> int:
    """Return `VmRSS` (now) or `VmHWM` (at most), in bytes."""
    found = re.search(rf"{what}:\s*(\d+) kB", STATUS.read_text())
    assert found
    return int(found[1]) << 10


def cost_of(parts: list[bytes], kind: type[Decoder]) -> int:
    client = cost.Connection(encodings=cost.EVERYTHING, decoder=kind)
    cost.tell(opening(64, 64), connection=cost.Connection(encodings=cost.EVERYTHING, decoder=kind))
    FORGET.write_text("5")
    before = resident("VmRSS")
    cost.tell(parts, connection=client, piece=256 * 1024)
    return resident("VmHWM") - before


def main(name: str) -> None:
    kind = decoder_named(name)
    assert kind is not None
    found = {}
    for stream in STREAMS:
        parts = [opening(WIDTH, HEIGHT), *stream()]
        read_end, write_end = os.pipe()
        if not os.fork():
            os.write(write_end, str(cost_of(parts, kind)).encode())
            os._exit(0)
        os.wait()
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            found[stream.__name__] = int(answer.read())
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
