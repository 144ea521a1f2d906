"""What a second core brings: to two threads, and to two processes, which share nothing.

What two processes gain is what the machine has to give in the same seconds: cores of a shared one
come and go.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

ALL_CORES = os.sched_getaffinity(0)
THREADS, PROCESSES = "threads", "processes"
#: Passes that are begun at the most, each with a screen of its own.
MOST = 100
#: Seconds within which both of a pair must have begun theirs.
PATIENCE = 60

#: Does of a pass what is not timed, and returns the rest.
Begin = Callable[[], Callable[[], object]]

# A process is forked with them.
_begin: Begin
_both: Barrier


def speedups(begin: Begin, rounds: int, seconds: float) -> dict[str, float]:
    """Return how much faster two of a kind do something twice than one; nothing on one core.

    Args:
        begin: Begins a pass. Passes are begun before the clock runs.
        rounds: Both kinds take turns in each; the medians count.
        seconds: That each of a pair has to do in a round, about.
    """
    global _begin, _both
    if len(ALL_CORES) < 2:
        return {}
    pinned, found = os.sched_getaffinity(0), {THREADS: [], PROCESSES: []}
    _begin, _both = begin, get_context("fork").Barrier(2)
    # They inherit where their maker may run, so they are made while all cores are allowed.
    os.sched_setaffinity(0, ALL_CORES)
    try:
        with (
            ProcessPoolExecutor(2, get_context("fork")) as processes,
            ThreadPoolExecutor(2) as threads,
        ):
            pools = {THREADS: threads, PROCESSES: processes}
            first = max(_wall(pool, 1, together=True) for pool in reversed(pools.values()))
            passes = max(1, min(MOST, int(seconds / first)))
            for _ in range(rounds):
                for kind, pool in pools.items():
                    alone = _wall(pool, passes, together=False)
                    found[kind].append(alone / _wall(pool, passes, together=True))
    finally:
        os.sched_setaffinity(0, pinned)
    return {kind: statistics.median(gains) for kind, gains in found.items()}


def _wall(pool: Executor, passes: int, *, together: bool) -> float:
    """Return the seconds that twice so many passes take, one half after the other or at once."""
    if not together:
        halves = [pool.submit(_repeat, passes, False).result() for _ in range(2)]
        return sum(ended - began for began, ended in halves)
    jobs = [pool.submit(_repeat, passes, True) for _ in range(2)]
    begins, ends = zip(*(job.result() for job in jobs), strict=True)
    return float(max(ends) - min(begins))


def _repeat(passes: int, together: bool) -> tuple[float, float]:
    """Do them; return when they began and ended, on the clock that all processes share."""
    begun = [_begin() for _ in range(passes)]
    if together:
        _both.wait(PATIENCE)
    began = time.perf_counter()
    for go_on in begun:
        go_on()
    return began, time.perf_counter()
