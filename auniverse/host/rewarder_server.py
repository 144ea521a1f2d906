"""The asyncio shell around `auniverse.rewarder.Server`: websockets, one writer a peer."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable

from websockets.asyncio.server import Server as Listener
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from auniverse.rewarder import Peer, Request, Server

_log = logging.getLogger(__name__)
# The library's own: a port that is tried and left is no reason for a traceback.
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.CRITICAL)

#: Bytes of one message; the core's own limit, in characters, is the same.
MAX_MESSAGE = 1 << 20
#: Characters that may wait for a peer that does not read; then it is dropped.
MAX_WAITING = 1 << 20
#: Peers at a time.
MAX_PEERS = 64
#: Seconds that a peer has to answer a close.
LINGER = 1.0

_TRY_AGAIN_LATER = 1013
_UNSUPPORTED_DATA = 1003


class PeerLink:
    """One peer's websocket, and what waits to be written to it."""

    def __init__(self, peer: Peer, socket: ServerConnection) -> None:
        self.peer = peer
        self._socket = socket
        self._texts: deque[str] = deque()
        self._waiting = 0
        self._news = asyncio.Event()

    def flush(self) -> None:
        """Queue what the peer's core has to say; a peer with too much in its queue is dropped."""
        texts = self.peer.data_to_send()
        if not texts and self.peer.close is None:
            return
        self._texts += texts
        self._waiting += sum(map(len, texts))
        self._news.set()
        if self._waiting > MAX_WAITING:
            _log.info("peer %s does not read: dropped", self._socket.remote_address)
            self._socket.transport.abort()

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._texts:
                    text = self._texts.popleft()
                    await self._socket.send(text)
                    self._waiting -= len(text)
                if self.peer.close is not None:
                    await self._socket.close(*self.peer.close)
                    return
        except ConnectionClosed:
            return


class RewarderServer:
    """Listens for the peers of one rewarder.

    Attributes:
        port: Where it listens, 0 before `listen`.
    """

    def __init__(
        self,
        core: Server,
        *,
        now: Callable[[], float],
        asked: Callable[[Request], None],
        changed: Callable[[], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Serve `core`.

        Args:
            core: The protocol, with all its peers.
            now: Gives unix seconds.
            asked: Called with every request of a peer.
            changed: Called when a peer came or went.
            tls: The server's certificate: it speaks wss then.
        """
        self._tls = tls
        self.port = 0
        self._core = core
        self._now = now
        self._asked = asked
        self._changed = changed
        self._links: set[PeerLink] = set()
        self._listener: Listener | None = None

    async def listen(self, bind: str, port: int) -> None:
        """Begin to accept peers; port 0 takes a free one."""
        self._listener = await serve(
            self._receive,
            bind,
            port,
            ssl=self._tls,
            max_size=MAX_MESSAGE,
            # It would cost more than a loopback or a LAN does.
            compression=None,
            close_timeout=LINGER,
            logger=_quiet,
            server_header=None,
        )
        self.port = next(iter(self._listener.sockets)).getsockname()[1]

    def flush(self) -> None:
        """Send every peer what there is for it."""
        for link in self._links:
            link.flush()

    async def close(self) -> None:
        """Stop listening and close all connections."""
        if self._listener is not None:
            self._listener.close()
            await self._listener.wait_closed()

    async def _receive(self, socket: ServerConnection) -> None:
        """Serve one peer until it is gone."""
        if len(self._links) >= MAX_PEERS:
            await socket.close(_TRY_AGAIN_LATER, f"there are {MAX_PEERS} peers already")
            return
        request = socket.request
        headers = request.headers.raw_items() if request is not None else ()
        peer = self._core.connect({name.lower(): value for name, value in headers}, self._now())
        link = PeerLink(peer, socket)
        self._links.add(link)
        self._changed()
        link.flush()
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(link.write())
                await self._listen_to(peer, socket)
                writer.cancel()
        except Exception:
            _log.exception("peer %s: failed", socket.remote_address)
        finally:
            self._links.remove(link)
            self._core.disconnect(peer)
            self._changed()

    async def _listen_to(self, peer: Peer, socket: ServerConnection) -> None:
        try:
            async for text in socket:
                if isinstance(text, bytes):
                    await socket.close(_UNSUPPORTED_DATA, "text only")
                    return
                for request in self._core.receive_text(peer, text, self._now()):
                    self._asked(request)
                self.flush()
        except ConnectionClosed as exc:
            _log.info("peer %s: %s", socket.remote_address, exc)
