"""What N sessions at once cost: ours, asyncvnc, and a C client on epoll, on loopback.

A replayer in C, a process and a core of its own, sends every session one stream in a loop. First as
fast as each asks (updates/s, CPU, lag of the event loop), then at 60 fps (how many ticks are missed
because the client had not asked again in time). Contenders take turns in every round; each has a
process and the other core. The replayer's own load is measured too: at 0.95 and more of a core the
updates/s say how fast *it* is, and only the CPU per update counts.

    python benchmarks/throughput.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from peers.building import MissingError, build
from peers.streams import Stream
from peers.workloads import WORKLOADS, fraction
from rich.console import Console
from rich.table import Table

OURS, ASYNCVNC, EPOLL = "ours", "asyncvnc", "C epoll"
SESSIONS = Path(__file__).parent / "peers" / "sessions.py"
CORES = sorted(os.sched_getaffinity(0))
FPS = 60
#: Above this part of a core the replayer is the bottleneck.
SATURATED = 0.95
#: A rate is held when fewer of its ticks are missed.
HELD = 0.01
#: How many sessions show which part of a changing screen, one after the other until it breaks.
CROWD, SHARES, QUICK_SHARES = 20, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0), (0.1, 0.3)

CAPTION = """\
Updates/s · client CPU microseconds per update (ours in units of theirs) · p99 lag of the event loop
in ms · fps held of 60. '*': the replayer was the bottleneck for updates/s."""

Measured = dict[str, Any]


@contextmanager
def talking(
    command: list[str], cores: set[int] | None, answers: list[str]
) -> Iterator[subprocess.Popen[str]]:
    """Run a program on some cores, its first line read; it ends when its stdin does."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores or before)
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    finally:
        os.sched_setaffinity(0, before)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            answers.append(process.stdout.readline().strip())
            if not answers[-1] or answers[-1].startswith("error"):
                sys.exit(f"{' '.join(command)}: {answers[-1] or 'it crashed'}")
            yield process
        except BaseException:
            process.kill()
            raise
        process.stdin.close()


def say(process: subprocess.Popen[str], line: str) -> Measured:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    answer: Measured = json.loads(process.stdout.readline())
    return answer


def client_command(client: str, port: str, number: int) -> list[str]:
    if client == EPOLL:
        return [str(build("epoll_client.c", "zlib")), port, str(number)]
    return [sys.executable, str(SESSIONS), client, port, str(number)]


def session_run(
    client: str, number: int, file: Path, seconds: float, fps: int = 0, apart: bool = True
) -> Measured:
    """Replay a stream to N sessions of a client; return what both sides have measured.

    Args:
        client: Whose sessions.
        number: How many.
        file: The stream.
        seconds: How long to measure.
        fps: Updates a second for each session; 0: as fast as they ask.
        apart: Whether both sides get one core each; else all cores are anybody's.
    """
    server_core, client_core = ({CORES[0]}, {CORES[-1]}) if apart else (None, None)
    answers: list[str] = []
    replay = [str(build("replayer.c")), str(file), *([str(fps)] if fps else [])]
    with talking(replay, server_core, answers) as replayer:
        command = client_command(client, answers[0], number)
        with talking(command, client_core, answers) as process:
            say(replayer, "stats")
            measured = say(process, f"go {seconds}")
            server = say(replayer, "stats")
    updates = max(1, measured["updates"])
    return {
        "updates_per_s": measured["updates"] / measured["wall"],
        "cpu_per_update": measured["cpu"] / updates,
        "client_load": measured["cpu"] / measured["wall"],
        "lag_p99": measured["lag_p99"],
        "missed": server["missed"] / max(1, server["due"]) if fps else None,
        "bytes_per_s": server["bytes"] / server["wall"],
        "replayer_load": server["cpu"] / server["wall"],
    }


def median(runs: list[Measured]) -> Measured:
    """Return the median of every figure that all runs have."""
    return {
        key: None if value is None else statistics.median(run[key] for run in runs)
        for key, value in runs[0].items()
    }


class Bench:
    """The streams, written once, and what is measured with them."""

    def __init__(self, folder: Path, rounds: int, seconds: float) -> None:
        self._folder = folder
        self._rounds = rounds
        self._seconds = seconds
        self.file = cache(self.file)  # type: ignore[method-assign]

    def file(self, name: str | float) -> tuple[Stream, Path]:
        stream = WORKLOADS[name]() if isinstance(name, str) else fraction(name)
        path = self._folder / f"{name}.stream"
        stream.write(path)
        return stream, path

    def compare(self, name: str, number: int) -> dict[str, Measured]:
        """Measure all contenders in turns, at full speed and at 60 fps."""
        _, path = self.file(name)
        print(f"{name}, {number} sessions ...", file=sys.stderr, flush=True)
        runs: dict[str, list[Measured]] = {OURS: [], ASYNCVNC: [], EPOLL: []}
        for _ in range(self._rounds):
            for client, measured in runs.items():
                run = session_run(client, number, path, self._seconds)
                paced = session_run(client, number, path, self._seconds, FPS)
                fps = paced["updates_per_s"] / number
                measured.append({**run, "missed": paced["missed"], "fps": fps})
        return {client: median(measured) for client, measured in runs.items()}

    def paced(self, name: str | float, number: int, *, apart: bool) -> Measured:
        """Measure ours at 60 fps."""
        path = self.file(name)[1]
        print(f"{name}, {number} sessions at {FPS} fps ...", file=sys.stderr, flush=True)
        runs = [
            session_run(OURS, number, path, self._seconds, FPS, apart) for _ in range(self._rounds)
        ]
        return median(runs)


def ratios(results: dict[str, dict[int, dict[str, Measured]]]) -> Measured:
    """Return what the aims are about."""

    def cpu(name: str) -> float:
        return statistics.geometric_mean(
            run[OURS]["cpu_per_update"] / run[EPOLL]["cpu_per_update"]
            for run in results[name].values()
        )

    def speed(name: str) -> float:
        run = results[name].get(32) or results[name][max(results[name])]
        return float(run[OURS]["updates_per_s"] / run[ASYNCVNC]["updates_per_s"])

    saturated = [run[max(run)][OURS]["lag_p99"] for run in results.values()]
    return {
        "cpu_over_epoll_large_geomean": statistics.geometric_mean([cpu("raw"), cpu("zlib")]),
        "cpu_over_epoll_tiny_geomean": cpu("tiny"),
        "updates_over_asyncvnc_raw": speed("raw"),
        "updates_over_asyncvnc_zlib": speed("zlib"),
        "lag_p99_saturated_worst_s": max(saturated),
    }


def crowd(bench: Bench, shares: tuple[float, ...]) -> Measured:
    """Find out how many changing pixels 20 sessions bear at 60 fps on all cores."""
    found: Measured = {"sessions": CROWD, "runs": {}, "breaks_at_share": None}
    for share in shares:
        run = found["runs"][share] = bench.paced(share, CROWD, apart=False)
        if run["missed"] >= HELD:
            found["breaks_at_share"] = share
            found["breaks_at_bytes_per_s"] = CROWD * FPS * share * 4 * 1024 * 768
            break
    return found


def cell(run: dict[str, Measured], client: str) -> str:
    one = run[client]
    star = "*" if one["replayer_load"] >= SATURATED else ""
    text = f"{one['updates_per_s']:.0f}{star} · {one['cpu_per_update'] * 1e6:.0f}"
    if client != OURS:
        text += f" ({run[OURS]['cpu_per_update'] / one['cpu_per_update']:.2f})"
    if one["lag_p99"] is not None:
        text += f" · {one['lag_p99'] * 1e3:.1f}"
    return f"{text} · {one['fps']:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer sessions, one short round")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    numbers, rounds, seconds = ((1, 8), 1, 0.4) if options.quick else ((1, 8, 32, 64, 128), 3, 0.8)
    shares = QUICK_SHARES if options.quick else SHARES
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), rounds, seconds)
        try:
            results = {
                name: {number: bench.compare(name, number) for number in numbers}
                for name in WORKLOADS
            }
        except MissingError as error:
            sys.exit(str(error))
        desks = bench.paced("desktop", 64, apart=True)
        crowded = crowd(bench, shares)
        sizes = {name: sum(map(len, bench.file(name)[0].updates[1:])) for name in WORKLOADS}
        sizes = {
            name: size / (len(bench.file(name)[0].updates) - 1) for name, size in sizes.items()
        }
    totals = ratios(results)
    if options.json:
        answer = {"rounds": rounds, "seconds": seconds, "cores": len(CORES), **totals}
        answer |= {"desktop_64_at_60": desks, "crowd_at_60": crowded, "bytes_per_update": sizes}
        print(json.dumps({**answer, "results": results}))
        return
    table = Table("", "KB", "N", OURS, ASYNCVNC, EPOLL, box=None, pad_edge=False)
    for name, by_number in results.items():
        for number, run in by_number.items():
            cells = (cell(run, client) for client in (OURS, ASYNCVNC, EPOLL))
            table.add_row(name, f"{sizes[name] / 1e3:.1f}", str(number), *cells)
    Console(width=130).print(table)
    print(CAPTION)
    for name, value in totals.items():
        print(f"{name:30} {value:.3f}")
    print(f"64 desktops at 60 fps, one core: {desks['missed']:.2%} of the ticks missed")
    for share, run in crowded["runs"].items():
        traffic = f"{run['bytes_per_s'] / 1e9:.2f} GB/s"
        print(f"{CROWD} sessions at 60 fps, {share:.0%} raw: {run['missed']:.2%} missed, {traffic}")


if __name__ == "__main__":
    main()
