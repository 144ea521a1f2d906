"""Whose turn it is to decode: on the event loop while that is quick, else on worker threads.

Theory of operation. A loop that reads many sessions comes round to each of them in turn, and a
timer, or a session with little to read, waits until all others were served. So what is decoded on
the loop itself is bounded for every round; a link with more to read pauses its socket, hands its
connection to a worker and has it back once that has read what there was (`Turns.send_away`).
Nothing is locked: a connection belongs to the loop or to one worker, never to both.

Workers are threads of the loop's own executor, which whoever ends the loop shuts down. They stay
only as long as there is something to decode, and tell of what they have done in one wake-up of the
loop for as many links as were finished meanwhile.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import Protocol
from weakref import WeakKeyDictionary

#: What may be decoded on the loop in one of its rounds, in compressed bytes.
ROUND = 64 * 1024
#: As many pixels that were decoded count as one byte.
PIXELS = 4
#: So many bytes of plain pixels are copied on the loop; copies are as fast as handing them over.
PLAIN = 1 << 20
#: Less than this is decoded at once whatever else there is: handing it over would take longer.
SMALL = 2 * 1024
#: What all sockets together may bring at a time, in bytes, shared by the links; 8 or more of them.
INTAKE = 8 << 20
#: What they may bring in one round before each must wait for the next: it is moved in 2 ms or so.
FULL = 4 << 20
#: The least that one of them may bring.
LEAST_INTAKE = 64 * 1024
#: Work that one callback may do, in pixels painted; then it is the turn of the other sessions.
SLICE = 256 * 1024
#: The same for a callback that has little to read, which goes before all turns.
SMALL_SLICE = SLICE // 4
#: The same for a worker.
WORKER_SLICE = 8 * SLICE
MOST_WORKERS = 4
#: After so many links a worker asks the executor anew: it may be closing.
SHIFT = 64


class Traveller(Protocol):
    """What is sent to a worker."""

    def work(self) -> None:
        """Decode a while, on a worker's thread. It must not raise."""

    def come_home(self) -> None:
        """Take over again, on the loop."""


class Turns:
    """The turns of all links of one loop.

    Attributes:
        intake: How many bytes one link may take from its socket at a time.
    """

    def __init__(self) -> None:  # the loop itself is not kept: it owns us
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self._most = min(cores or 1, MOST_WORKERS)
        self._waiting: deque[Traveller] = deque()
        self._finished: deque[Traveller] = deque()
        self._running = 0
        self._told = False
        self._spent = 0
        self._taken = 0
        self._links = 0
        self.intake = 0
        self.joined(0)

    def joined(self, links: int) -> None:
        """So many links more share the loop, or fewer."""
        self._links += links
        self.intake = max(LEAST_INTAKE, INTAKE // max(self._links, 8))

    def took(self, size: int) -> bool:
        """Count so many bytes from a socket; tell whether it may bring more in this round.

        A loop that finds a socket full may read it on and on (uvloop does so 32 times), while all
        others wait.
        """
        self._begin()
        self._taken += size
        return self._taken <= FULL

    def has_time(self, size: int, plain: bool) -> bool:
        """Tell whether so many bytes may still be decoded in this round; count them.

        Args:
            size: How many.
            plain: Whether they are pixels as they are, not compressed.
        """
        if plain:
            return size <= PLAIN
        self._spend(size)
        return self._spent <= ROUND

    def painted(self, pixels: int) -> None:
        """Count so many pixels that were decoded in this round: few bytes may hold many."""
        self._spend(pixels // PIXELS)

    def _spend(self, size: int) -> None:
        self._begin()
        self._spent += size

    def _begin(self) -> None:
        """Have the round end that something is counted in."""
        if not self._spent and not self._taken:
            asyncio.get_running_loop().call_soon(self._end_round)

    def _end_round(self) -> None:
        self._spent = self._taken = 0

    def send_away(self, link: Traveller, *, first: bool = False) -> bool:
        """Have a worker call `link.work`, then the loop `link.come_home`.

        Args:
            link: Who; it must not be away already.
            first: Whether it goes before those that wait.

        Returns:
            Whether there are workers; the loop that ends has none any more.
        """
        if first:
            self._waiting.appendleft(link)
        else:
            self._waiting.append(link)
        wanted = min(len(self._waiting), self._most)
        if self._running < wanted and not self._call_worker() and not self._running:
            self._waiting.remove(link)
            return False
        return True

    def _call_worker(self) -> bool:
        loop = asyncio.get_running_loop()
        try:
            worker = loop.run_in_executor(None, self._work, loop)
        except RuntimeError:  # it has been shut down
            return False
        self._running += 1
        worker.add_done_callback(self._worker_left)
        return True

    def _worker_left(self, worker: asyncio.Future[None]) -> None:
        self._running -= 1
        if not self._waiting or self._running or self._call_worker():
            return
        while self._waiting:  # nobody will come for them
            self._waiting.popleft().come_home()

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Decode for whoever waits, until nobody does. On a worker's thread."""
        for _ in range(SHIFT):
            try:
                link = self._waiting.popleft()
            except IndexError:
                return
            link.work()
            self._finished.append(link)
            if not self._told:
                self._told = True
                loop.call_soon_threadsafe(self._welcome)

    def _welcome(self) -> None:
        """Take back those that are finished."""
        self._told = False  # before looking: who finishes from here on tells again
        for _ in range(len(self._finished)):
            self._finished.popleft().come_home()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns_of(loop: asyncio.AbstractEventLoop) -> Turns:
    """Return the turns of a loop, the same for all its links."""
    if loop not in _turns:
        _turns[loop] = Turns()
    return _turns[loop]
