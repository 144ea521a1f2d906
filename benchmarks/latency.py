"""How long a key takes to become a pixel: ours, a minimal libvncclient client, and asyncvnc.

A real Xtigervnc shows a window that changes its colour with every key; it sends what changed half a
frame later, so its frame rate makes most of every figure and the difference between the clients is
what counts. One client is connected at a time; they take turns in every round. 'busy': 16 other
sessions are fed with desktops at 60 fps meanwhile, ours in the same event loop, the C client's in a
C epoll client beside it.

    python benchmarks/latency.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from peers.building import MissingError, build, require
from peers.workloads import WORKLOADS
from rich.console import Console
from rich.table import Table

PRESSES = Path(__file__).parent / "peers" / "presses.py"
#: A pixel in the window of flip.c.
X, Y = 200, 200
#: Presses of every run that do not count: caches, and the server's first frames.
WARM_UP = 3
BUSY, FPS = 16, 60

C, OURS, ASYNCVNC, C_BUSY, OURS_BUSY = "C", "ours", "asyncvnc", "C busy", "ours busy"
#: Against whom each is held.
BASELINE = {OURS: C, ASYNCVNC: C, OURS_BUSY: C_BUSY}

CAPTION = """\
Milliseconds from writing the key to seeing the pixel, p50 / p99, and in brackets what that adds to
the C client in the same condition."""

Seconds = dict[str, list[float]]


@contextmanager
def running(command: list[str], order: str = "", **options: object) -> Iterator[str]:
    """Run a program until the end of the block, told an order; yield the first line it says."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    with process:
        try:
            line = process.stdout.readline().strip()
            if not line:
                sys.exit(f"{command[0]} does not start")
            process.stdin.write(order)
            process.stdin.flush()
            yield line
        finally:
            process.kill()


@contextmanager
def screen(frame_rate: int) -> Iterator[int]:
    """Run an Xtigervnc with the window on it; yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = [
        *("Xtigervnc", "-displayfd", "1", "-rfbport", str(port), "-interface", "127.0.0.1"),
        *("-geometry", "1024x768", "-depth", "24", "-SecurityTypes", "None", "-AlwaysShared"),
        *("-FrameRate", str(frame_rate), "-nolisten", "tcp", "-noreset"),
    ]
    with running(server) as display:
        window = [str(build("flip.c", "libX11"))]
        with running(window, env={**os.environ, "DISPLAY": f":{display}"}):
            yield port


@contextmanager
def replayer() -> Iterator[str]:
    """Run a replayer of desktops at 60 fps; yield its port."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "desktop.stream"
        WORKLOADS["desktop"]().write(file)
        with running([str(build("replayer.c")), str(file), str(FPS)], "stats\n") as port:
            yield port


def press(client: str, port: int, presses: int, seed: int) -> list[float]:
    """Let one client connect and press; return the seconds of each press."""
    place = [str(number) for number in (port, X, Y, presses + WARM_UP, seed)]
    with ExitStack() as stack:
        busy = [stack.enter_context(replayer())] if client in (C_BUSY, OURS_BUSY) else []
        if client in (C, C_BUSY):
            command = [str(build("libvnc_press.c", "libvncclient")), *place]
        else:
            name = ASYNCVNC if client == ASYNCVNC else OURS
            command = [sys.executable, str(PRESSES), name, *place, *busy]
        if client == C_BUSY:
            beside = [str(build("epoll_client.c", "zlib")), *busy, str(BUSY)]
            stack.enter_context(running(beside))
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{client} failed {done.stdout}")
    return [float(word) for word in done.stdout.split()[WARM_UP:]]


def measure(frame_rate: int, rounds: int, presses: int) -> Seconds:
    """Return the seconds of every press, by client."""
    seconds: Seconds = {client: [] for client in (C, OURS, ASYNCVNC, C_BUSY, OURS_BUSY)}
    print(f"-FrameRate {frame_rate} ...", file=sys.stderr, flush=True)
    with screen(frame_rate) as port:
        for number in range(rounds):
            for client, found in seconds.items():
                found += press(client, port, presses, number)
    return seconds


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """Return p50 and p99."""
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1) + 0.5)]


def added(seconds: Seconds, client: str) -> tuple[float, float]:
    """Return what a client adds to the p50 and the p99 of its baseline."""
    pairs = zip(percentiles(seconds[client]), percentiles(seconds[BASELINE[client]]), strict=True)
    p50, p99 = (mine - theirs for mine, theirs in pairs)
    return p50, p99


def cell(seconds: Seconds, client: str) -> str:
    text = " / ".join(f"{1e3 * each:.2f}" for each in percentiles(seconds[client]))
    if client in BASELINE:
        text += " (" + " / ".join(f"{1e3 * each:+.2f}" for each in added(seconds, client)) + ")"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer frame rates and presses")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    rates, rounds, presses = (
        ((60, 1000), 1, 25) if options.quick else ((60, 120, 250, 1000), 5, 100)
    )
    try:
        require("Xtigervnc")
        results = {rate: measure(rate, rounds, presses) for rate in rates}
    except MissingError as error:
        sys.exit(str(error))
    worst = {
        f"{client.replace(' ', '_')}_adds_{name}_worst_s": max(
            added(seconds, client)[index] for seconds in results.values()
        )
        for client in BASELINE
        for index, name in enumerate(("p50", "p99"))
    }
    if options.json:
        details = {
            rate: {client: percentiles(each) for client, each in seconds.items()}
            for rate, seconds in results.items()
        }
        answer = {"unit": "seconds, [p50, p99]", "rounds": rounds, "presses": presses, **worst}
        print(json.dumps({**answer, "results": details}))
        return
    clients = (C, OURS, ASYNCVNC, C_BUSY, OURS_BUSY)
    table = Table("", *clients, box=None, pad_edge=False)
    for rate, seconds in results.items():
        table.add_row(f"-FrameRate {rate}", *(cell(seconds, client) for client in clients))
    Console(width=160).print(table)
    print(CAPTION)
    for name, value in worst.items():
        print(f"{name:32} {value * 1e3:+.2f} ms")


if __name__ == "__main__":
    main()
