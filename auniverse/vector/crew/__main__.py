"""`python -m auniverse.vector.crew FILE`: one worker of a pool, on a leash.

Orders come on stdin and answers go to stdout, as `wire` has them; FILE is the descriptor of the
shared memory. It ends as soon as stdin does: with its parent, however that died. All else goes to
stderr.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import Callable
from typing import Any

from auniverse.errors import AuniverseError
from auniverse.links import run

from .fleet import FarFleet
from .orders import Open, Order, Ping, Pong, Refused, Told
from .share import Share
from .wire import frame, read


def main() -> None:
    """Run the worker."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    # The real stdout is for answers; what libraries print must not come between.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    run(_work(int(sys.argv[1]), answers))


async def _work(file: int, answers: Any) -> None:
    """Work until stdin ends."""
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    stdout, _ = await loop.connect_write_pipe(asyncio.Protocol, answers)

    def say(message: object) -> None:
        stdout.write(frame(message))

    say(Pong())
    try:
        (order,) = await read(stdin)
        worker = Worker(order, file, say)
        tasks = [loop.create_task(worker.run()), loop.create_task(_read(stdin, worker.hear))]
        await asyncio.wait(tasks, return_when=FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()
    except EOFError:
        pass  # the leash was let go
    finally:
        stdout.close()


async def _read(stdin: asyncio.StreamReader, hear: Callable[[list[Order]], None]) -> None:
    while True:
        hear(await read(stdin))


class Worker:
    """A share, what it is told and what it says.

    Args:
        order: The first order.
        file: The descriptor of the shared memory.
        say: Sends a message to the parent.
    """

    def __init__(self, order: Open, file: int, say: Callable[[object], None]) -> None:
        self._say = say
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fleet = FarFleet(order.places, say)
        try:
            self._share = Share(self._fleet, order, file=file)
        except Exception as error:
            say(Refused(error))
            raise

    async def run(self) -> None:
        """Keep the pool open.

        Raises:
            AuniverseError: It could not be opened; the parent knows.
        """
        opened = False
        try:
            async with self._share:
                opened = True
                self._say(self._share.opened())
                await self._failed
        except AuniverseError as error:
            if not opened:
                self._say(Refused(error))
            raise

    def hear(self, orders: list[Order]) -> None:
        """Do what is ordered."""
        for order in orders:
            if isinstance(order, Told):
                self._fleet.hear(order)
            elif isinstance(order, Ping):
                self._say(Pong())
            elif (answer := self._share.obey(order)) is not None:
                answer.add_done_callback(self._answer)

    def _answer(self, answer: asyncio.Future[Any]) -> None:
        if answer.cancelled():
            return
        if error := answer.exception():  # ours: end, loudly
            self._failed.set_exception(error)
        else:
            self._say(answer.result())


if __name__ == "__main__":
    main()
