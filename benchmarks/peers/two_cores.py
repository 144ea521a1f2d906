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

ALL_CORES = os.sched_getaffinity(0)
THREADS, PROCESSES = "threads", "processes"

_pass: Callable[[], object]  # what is repeated; a process is forked with it


def speedups(one_pass: Callable[[], object], rounds: int, seconds: float) -> dict[str, float]:
    """Return how much faster two of a kind do something twice than one; nothing on one core.

    Args:
        one_pass: What is repeated.
        rounds: Both kinds take turns in each; the medians count.
        seconds: That each of a pair has to do in a round, about.
    """
    global _pass
    if len(ALL_CORES) < 2:
        return {}
    _pass, pinned, found = one_pass, os.sched_getaffinity(0), {THREADS: [], PROCESSES: []}
    # They inherit where their maker may run, so they are made while all cores are allowed.
    os.sched_setaffinity(0, ALL_CORES)
    try:
        with (
            ProcessPoolExecutor(2, get_context("fork")) as processes,
            ThreadPoolExecutor(2) as threads,
        ):
            pools = {THREADS: threads, PROCESSES: processes}
            first = max(_wall(pool, 1, together=True) for pool in reversed(pools.values()))
            passes = max(1, min(100, int(seconds / first)))
            for _ in range(rounds):
                for kind, pool in pools.items():
                    alone = _wall(pool, passes, together=False)
                    found[kind].append(alone / _wall(pool, passes, together=True))
    finally:
        os.sched_setaffinity(0, pinned)
    return {kind: statistics.median(gains) for kind, gains in found.items()}


def _wall(pool: Executor, passes: int, *, together: bool) -> float:
    """Return the seconds that twice so many passes take."""
    started = time.perf_counter()
    jobs = []
    for _ in range(2):
        jobs.append(pool.submit(_repeat, passes))
        if not together:
            jobs[-1].result()
    for job in jobs:
        job.result()
    return time.perf_counter() - started


def _repeat(passes: int) -> None:
    for _ in range(passes):
        _pass()
