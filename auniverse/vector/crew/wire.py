"""Objects on a byte stream between two processes of ours: a length of 4 bytes, then a pickle.

A pickle can make its reader do anything. So this is for pipes that one of our processes inherited
from another, never for anything that somebody else could write to.
"""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

_LENGTH = 4


def frame(message: object) -> bytes:
    """Return a message as it is on the wire."""
    data = pickle.dumps(message, protocol=5)
    return len(data).to_bytes(_LENGTH, "big") + data


async def read(stream: asyncio.StreamReader) -> Any:
    """Return the next message.

    Raises:
        EOFError: The other side is gone.
    """
    try:
        length = int.from_bytes(await stream.readexactly(_LENGTH), "big")
        return pickle.loads(await stream.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError("the other side is gone") from error
