"""asyncvnc, decoding a recorded stream from memory: its own Client on a StreamReader."""

from __future__ import annotations

import asyncio
import time
import zlib
from typing import Any

import asyncvnc

from auniverse.rfb import Encoding

from .streams import Stream, rectangles

#: It knows no other encodings, and no pseudo-encodings.
KNOWN = {Encoding.RAW, Encoding.ZLIB}


def asyncvnc_can(stream: Stream) -> bool:
    """Whether it knows every rectangle of the stream."""
    return all(
        rectangle.encoding in KNOWN
        for update in stream.updates
        for rectangle, _ in rectangles(update)
    )


class Nowhere:
    """A StreamWriter for what no server will read."""

    def write(self, data: bytes) -> None: ...


async def asyncvnc_pass(stream: Stream, chunk: int | None) -> tuple[float, int]:
    """Decode a whole stream.

    Args:
        stream: What to decode.
        chunk: How many bytes come at a time; None: one update.

    Returns:
        The CPU seconds of its timed updates, and the CRC32 of the last picture.
    """
    reader = asyncio.StreamReader(limit=1 << 30)
    reader.feed_data(b"RFB 003.008\n\1\1\0\0\0\0" + stream.init)
    writer: Any = Nowhere()
    client = await asyncvnc.Client.create(reader, writer)
    for update in stream.untimed:
        reader.feed_data(update)
        await client.read()
    coming = iter(stream.chunks(chunk))
    started = time.process_time()
    end = fed = 0
    for update in stream.timed:
        end += len(update)
        while fed < end:  # as many pieces as it needs to read on
            client.video.refresh()
            piece = next(coming)
            reader.feed_data(piece)
            fed += len(piece)
        await client.read()
    seconds = time.process_time() - started
    client.video.data[..., 3] = 255  # where it thinks alpha is depends on the server's own format
    return seconds, zlib.crc32(client.video.data)
