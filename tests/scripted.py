"""Servers that say what they are told to: the peers that no real program wants to be."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

#: An RFB 3.8 server without security, up to the end of ServerInit: 4x4 pixels, named "x".
PIXEL_FORMAT = bytes.fromhex("20180001 00ff00ff00ff 000810 000000".replace(" ", ""))
BANNER = b"RFB 003.008\n"
NO_SECURITY = b"\x01\x01"
SECURITY_OK = b"\x00\x00\x00\x00"
SERVER_INIT = b"\x00\x04\x00\x04" + PIXEL_FORMAT + b"\x00\x00\x00\x01x"
OPENING = BANNER + NO_SECURITY + SECURITY_OK + SERVER_INIT


@asynccontextmanager
async def says(*chunks: bytes, then: str = "stall"):
    """Listen; tell every client `chunks`, then "stall" or "close". Yields the port."""

    async def serve(reader, writer):
        try:
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
            if then == "close":
                writer.write_eof()  # closed with something unread, it would take back what it said
            while await reader.read(65536):
                pass
        except ConnectionError:
            return  # the client had enough
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
