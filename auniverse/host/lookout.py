"""Eyes and hands on our own desktop: one viewer more of the X server that serves the others.

It looks at a part of the screen, on loopback and without compression. It asks for what has changed
only when somebody looks, so that a look costs what changed, and waiting costs nothing.
"""

from __future__ import annotations

import asyncio
from typing import Self

from auniverse.errors import RemoteError
from auniverse.rfb import (
    Box,
    Connection,
    Encoding,
    Opened,
    SecurityType,
    StartTLS,
    Updated,
    snapshot,
)

from .desktop import Desktop
from .program import Picture, ProgramCrashed

#: Seconds for the X server to answer at all.
PATIENCE = 10.0
#: Seconds that a button or a key stays down: some frames of a program.
PRESS = 0.05
_CHUNK = 1 << 18
_PLAIN = (SecurityType.VNC_AUTHENTICATION, SecurityType.NONE)
_INSIDE_TLS = (SecurityType.X509_VNC, SecurityType.X509_NONE)


class Lookout:
    """Looks at a part of a desktop, with the pointer left out.

    Used as an asynchronous context manager.

    Args:
        desktop: What is looked at.
        box: Which part of it: x, y, width and height.
    """

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    def __init__(self, desktop: Desktop, box: Box) -> None:
        self._desktop = desktop
        self._box = box
        self._connection = Connection(
            password=desktop.password,
            security=_INSIDE_TLS if desktop.certificate else _PLAIN,
            encodings=(Encoding.RAW, Encoding.CURSOR),
        )
        self._asked = False

    async def __aenter__(self) -> Self:
        """Connect, and wait for the first picture.

        Raises:
            ProgramCrashed: The X server does not answer.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                self._reader, self._writer = await asyncio.open_connection(*self._desktop.address)
                try:
                    await self._read(Opened)
                    self._connection.request_update(False, self._box)
                    await self._read(Updated)
                except BaseException:
                    self._writer.close()
                    raise
        except (OSError, TimeoutError) as error:
            raise ProgramCrashed(f"the X server does not answer: {error}") from error
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Disconnect."""
        self._writer.close()

    async def look(self, patience: float) -> Picture:
        """Return what is there now.

        Args:
            patience: Seconds to wait for a change if there has been none since the last look.

        Raises:
            ProgramCrashed: The X server is gone.
        """
        if not self._asked:
            self._connection.request_update(True, self._box)
            self._asked = True
        try:
            async with asyncio.timeout(patience):
                await self._read(Updated)
            self._asked = False
        except TimeoutError:
            pass  # nothing has changed; what was asked for comes when something does
        except OSError as error:
            raise ProgramCrashed(f"the X server is gone: {error}") from error
        framebuffer = self._connection.framebuffer
        assert framebuffer is not None
        return snapshot(framebuffer.pixels, crop=self._box)

    async def click(self, x: int, y: int) -> None:
        """Click somewhere on the desktop; the pointer stays there.

        A desktop without a window manager gives the keyboard to a browser that was clicked.
        """
        for buttons in (0, 1, 0):
            self._connection.send_pointer(x, y, buttons)
            await self._flush()

    async def press(self, key: int) -> None:
        """Press a key, by its keysym, and release it."""
        for down in (True, False):
            self._connection.send_key(key, down)
            await self._flush()

    async def _flush(self) -> None:
        self._writer.write(self._connection.data_to_send())
        await asyncio.sleep(PRESS)

    async def _read(self, awaited: type) -> None:
        """Read until something has happened."""
        while True:
            self._writer.write(self._connection.data_to_send())
            data = await self._reader.read(_CHUNK)
            try:
                if not data:
                    self._connection.receive_eof()
                self._connection.receive_data(data)
            except RemoteError as error:
                raise ProgramCrashed(f"the X server is gone: {error}") from error
            for event in self._connection.events():
                if isinstance(event, StartTLS):
                    await self._start_tls()
                elif isinstance(event, awaited):
                    return

    async def _start_tls(self) -> None:
        assert self._desktop.certificate is not None
        await self._writer.start_tls(self._desktop.certificate.client_context())
        self._connection.tls_started()
