"""A worker, as the pool's process sees it: somebody who does what orders say."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

from auniverse.errors import WorkerLostError

from .orders import Opened, Order, Ping, Pong, Refused


class Worker(ABC):
    """One worker; it works inside the context.

    Args:
        name: For logs and errors.
        hear: Is called with each message but the first.

    Attributes:
        opened: What it answers to `Open`, or the error for which it refuses.
        spoke: Set by its first word, whatever that is.
        heard_at: `loop.time()` of its newest word.
        mute: It was asked whether it lives, and has had time to answer.
        frozen: It was mute for too long: there is no use in asking it to end.
        boot: Seconds that it has to say its first word; None: as long as it takes.
    """

    boot: ClassVar[float | None] = None

    def __init__(self, name: str, hear: Callable[[Any], None]) -> None:
        self.name = name
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[Opened] = self._loop.create_future()
        self.spoke = asyncio.Event()
        self.heard_at = self._loop.time()
        self.mute = self.frozen = False
        self._hear = hear
        self._orders: list[Order] = []

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Start it; raises a WorkerLostError if that cannot be done."""

    @abstractmethod
    async def __aexit__(self, *failure: object) -> None:
        """End it, gracefully if it lets itself be ended so."""

    @abstractmethod
    async def lost(self) -> WorkerLostError:
        """Wait until it is gone; return why."""

    def tell(self, order: Order) -> None:
        """Send an order, without waiting; all of one turn of the loop go together."""
        if not self._orders:
            self._loop.call_soon(self._flush)
        self._orders.append(order)

    def probe(self) -> None:
        """Ask whether it lives."""
        self.tell(Ping())

    def _flush(self) -> None:
        orders, self._orders = self._orders, []
        self._send(orders)

    @abstractmethod
    def _send(self, orders: list[Order]) -> None:
        """Have these orders done, after those that went before."""

    def _take(self, message: object) -> None:
        self.heard_at = self._loop.time()
        self.mute = False
        self.spoke.set()
        if isinstance(message, Opened):
            self.opened.set_result(message)
        elif isinstance(message, Refused):
            self.opened.set_exception(message.error)
        elif not isinstance(message, Pong):
            self._hear(message)
