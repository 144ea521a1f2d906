"""How fast a recorded stream becomes pixels: ours, libvncclient, asyncvnc, and the floor.

All decode the same recordings from memory on one core, in turns within every round. Where a client
would call the kernel, it gets one copy of what it asks for: ours, of a chunk into the memory that
it hands out; libvncclient, of as much as it reads. asyncvnc gets chunks in its StreamReader.
'fields' is libvncclient without its own way of receiving: each field is copied to where it wants
it, so no chunk can be too small for it.
`--per-update` hands over one update at a time instead, as a server that waits for each request does
on a slow screen: all that Python costs a chunk falls on one update then.

The first of several updates (usually the whole screen) counts for nobody: it would drown what
follows. Before anything is timed, the picture after every update of every lossless recording is
compared with libvncclient's, update by update; a difference ends the benchmark.

    python benchmarks/decode.py [--quick] [--json] [--corpus DIR] [--chunk BYTES | --per-update]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from peers.asyncvnc_decode import asyncvnc_can, asyncvnc_pass
from peers.building import MissingError, build, present
from peers.memory_socket import preload
from peers.ours_decode import Refused, begun_pass, crcs, default_decoder, ours_pass
from peers.streams import Stream, UnreadableError, deflated_share, floor_operations, load
from peers.two_cores import ALL_CORES, PROCESSES, THREADS, speedups
from rich.console import Console
from rich.table import Table

import auniverse.rfb
from auniverse.rfb import Decoder

CORPUS = Path(__file__).parent.parent / "tests" / "streams"
#: CPU seconds that one contender measures in one round.
SHARE, QUICK_SHARE = 0.1, 0.02
#: A round of one contender may take so many times its share, what is not timed included.
UNTIMED = 4
#: Whose first pass takes as many seconds is not asked again.
SLOW = 0.3
#: Where this part of a stream's bytes is deflated, inflating is the floor, not moving memory.
DEFLATED = 0.5
#: Decode threads are for updates that take as many seconds; handing over smaller ones costs more.
HEAVY = 2e-4

OURS, NUMPY, LIBVNC, FIELDS = "ours", "numpy", "libvncclient", "fields"
ASYNCVNC, FLOOR = "asyncvnc", "floor"
#: The inflate libraries of the floor, and how floor.c is told.
INFLATERS = {"zlib": None, "isa-l": "USE_ISAL", "zlib-ng": "USE_ZLIB_NG"}

CAPTION = """\
CPU milliseconds per update, {fed}, and how often the others' time ours takes: below 1
we are faster.
'floor': inflating the same bytes with the best library here, decoding the same JPEG rectangles and
copying the changed pixels, nothing else. '-': cannot decode it. Ratios are medians over rounds in
which all take turns; believe them rather than the milliseconds. '2 threads': how much faster than
one they decode it twice; 'processes', which share nothing, show what the machine can give."""

#: Bytes at a time: as many as asyncio asks a socket for.
CHUNK = 256 * 1024

#: Does so many passes over a stream; returns the CPU seconds of what counts.
Passes = Callable[[int], float]


class Result(NamedTuple):
    """What came of one stream: by contender, seconds of an update in every round."""

    stream: Stream
    times: dict[str, list[float]]
    notes: list[str]
    two: dict[str, float]  # of a kind, how much faster than one

    def median(self, name: str) -> float | None:
        return statistics.median(self.times[name]) if name in self.times else None

    def ratio(self, name: str) -> float | None:
        """Ours over theirs, the median over the rounds that both took part in."""
        if name not in self.times or OURS not in self.times:
            return None
        pairs = zip(self.times[OURS], self.times[name], strict=False)
        return statistics.median(ours / theirs for ours, theirs in pairs)


class Peer:
    """A program in C that obeys lines."""

    def __init__(self, stack: ExitStack, program: Path, file: Path) -> None:
        self._process = stack.enter_context(
            subprocess.Popen(
                [str(program), str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        assert self._process.stdin is not None
        stack.callback(self._process.stdin.close)  # called before the wait

    def ask(self, line: str) -> str:
        """Return the answer.

        Raises:
            Refused: It is an error.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer or answer.startswith("error"):
            raise Refused(answer.removeprefix("error").strip() or "it crashed")
        return answer

    def passes(self, count: int) -> float:
        return float(self.ask(f"time {count}"))


def contenders(
    stack: ExitStack, stream: Stream, folder: Path, chunk: int | None
) -> dict[str, Passes]:
    """Start everybody who may know the stream."""
    plain, operations = folder / f"{stream.name}.stream", folder / f"{stream.name}.floor"
    stream.write(plain)
    operations.write_bytes(floor_operations(stream))
    found: dict[str, Passes] = {OURS: partial(repeat, partial(ours_pass, stream, chunk))}
    if default_decoder() is not Decoder:
        found[NUMPY] = partial(repeat, partial(ours_pass, stream, chunk, decoder=Decoder))
    for name, define in ((LIBVNC, None), (FIELDS, "FIELDS")):
        program = build("libvnc_decode.c", "libvncclient", "zlib", define=define)
        found[name] = Peer(stack, program, plain).passes
    if asyncvnc_can(stream):
        found[ASYNCVNC] = partial(repeat, lambda: asyncio.run(asyncvnc_pass(stream, chunk))[0])
    for library, define in INFLATERS.items():
        if present(library):
            program = build("floor.c", "libjpeg", library, define=define)
            found[f"{FLOOR} {library}"] = Peer(stack, program, operations).passes
    return found


def repeat(one_pass: Callable[[], float], count: int) -> float:
    return sum(one_pass() for _ in range(count))


def compare(stream: Stream, peer: Passes, notes: list[str]) -> None:
    """Hold our pictures against libvncclient's, and ours against one another.

    Raises:
        SystemExit: They differ, and the stream is lossless.
    """
    libvncclient: Peer = peer.__self__  # type: ignore[attr-defined]
    pictures = {OURS: crcs(stream)}
    if default_decoder() is not Decoder:
        pictures[NUMPY] = crcs(stream, decoder=Decoder)
    if asyncvnc_can(stream):
        pictures[ASYNCVNC] = [*pictures[OURS][:-1], asyncio.run(asyncvnc_pass(stream, None))[1]]
    wanted = [int(crc, 16) for crc in libvncclient.ask("crc").split()]
    for name, found in pictures.items():
        pairs = enumerate(zip(found, wanted, strict=True))
        wrong = [number for number, (ours, theirs) in pairs if ours != theirs]
        if wrong and stream.lossless:
            sys.exit(f"{stream.name}: {name} and libvncclient differ after updates {wrong[:10]}")
        if wrong:
            notes.append(f"{name} differs after {len(wrong)} of {len(wanted)} updates (lossy)")


def measure(stream: Stream, rounds: int, share: float, folder: Path, chunk: int | None) -> Result:
    """Compare everybody's pictures, then take everybody's time."""
    notes: list[str] = []
    with ExitStack() as stack:
        runners = contenders(stack, stream, folder, chunk)
        try:
            compare(stream, runners[LIBVNC], notes)
        except Refused as refusal:
            notes.append(f"not compared: {refusal}")
        first: dict[str, float] = {}
        counts: dict[str, int] = {}
        for name, passes in [*runners.items()]:
            started = time.perf_counter()
            try:
                first[name] = passes(1)
            except Refused as refusal:
                notes.append(f"{name}: {refusal}")
                del runners[name]
                continue
            # Opening and the first update are not timed, but they take their time.
            whole = time.perf_counter() - started
            counts[name] = max(1, int(min(share / max(first[name], 1e-6), UNTIMED * share / whole)))
        updates = len(stream.timed)
        slow = {name for name, seconds in first.items() if seconds >= SLOW}
        times = {name: [first[name] / updates] if name in slow else [] for name in runners}
        for _ in range(rounds):
            for name in (each for each in runners if each not in slow):
                times[name].append(runners[name](counts[name]) / counts[name] / updates)
    keep_best_floor(times)
    begin = partial(begun_pass, stream, chunk)
    two = speedups(begin, rounds, QUICK_SHARE) if OURS in times else {}
    return Result(stream, times, notes, two)


def keep_best_floor(times: dict[str, list[float]]) -> None:
    floors = {name: times.pop(name) for name in [*times] if name.startswith(FLOOR)}
    if floors:
        times[FLOOR] = min(floors.values(), key=statistics.median)


def geometric_mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value]
    return statistics.geometric_mean(known) if known else None


def against(peer: str, name: str, results: list[Result]) -> dict[str, float | None]:
    """Return how we stand to a peer on all streams, and on the one where we are worst."""
    ratios = [result.ratio(peer) for result in results]
    return {
        f"ratio_{name}_geomean": geometric_mean(ratios),
        f"ratio_{name}_worst": max(filter(None, ratios), default=None),
    }


def summary(results: list[Result]) -> dict[str, Any]:
    deflated = [result for result in results if deflated_share(result.stream) >= DEFLATED]
    heavy = [result for result in results if (result.median(OURS) or 0) >= HEAVY]
    return {
        **against(LIBVNC, "libvncclient", results),
        **against(FIELDS, "libvncclient_fields", results),
        "ratio_floor_geomean": geometric_mean(result.ratio(FLOOR) for result in deflated),
        "ratio_floor_all_geomean": geometric_mean(result.ratio(FLOOR) for result in results),
        "ratio_asyncvnc_geomean": geometric_mean(result.ratio(ASYNCVNC) for result in results),
        **{
            f"{kind}2_speedup": geometric_mean(result.two.get(kind) for result in heavy or results)
            for kind in (THREADS, PROCESSES)
        },
    }


def as_json(result: Result) -> dict[str, Any]:
    stream = result.stream
    names = (LIBVNC, FIELDS, FLOOR, ASYNCVNC, NUMPY)
    return {
        "updates": len(stream.updates),
        "bytes": sum(map(len, stream.updates)),
        "lossless": stream.lossless,
        "deflated_share": deflated_share(stream),
        "seconds": {name: result.median(name) for name in result.times},
        "ratios": {name: ratio for name in names if (ratio := result.ratio(name))},
        **{f"{kind}2_speedup": gain for kind, gain in result.two.items()},
        "notes": result.notes,
    }


def as_table(results: list[Result]) -> Table:
    names = (OURS, LIBVNC, FIELDS, FLOOR, ASYNCVNC, NUMPY)
    table = Table("", "KB", *names, "2 threads", "processes", box=None, pad_edge=False)
    for result in results:
        stream = result.stream
        row = [stream.name, f"{sum(map(len, stream.timed)) / len(stream.timed) / 1e3:.1f}"]
        for name in names:
            seconds, ratio = result.median(name), result.ratio(name)
            row.append("-" if seconds is None else f"{seconds * 1e3:.3f}")
            if name != OURS and ratio is not None:
                row[-1] += f" ({ratio:.2f})"
        row += [f"{result.two[kind]:.2f}x" if result.two else "-" for kind in (THREADS, PROCESSES)]
        table.add_row(*row)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument(
        "--corpus", type=Path, default=CORPUS, help="a folder of recordings (*.fbs)"
    )
    parser.add_argument("--chunk", type=int, default=CHUNK, help="bytes at a time (%(default)s)")
    parser.add_argument("--per-update", action="store_true", help="one update at a time")
    options = parser.parse_args()
    try:
        preload()
    except MissingError as error:
        sys.exit(str(error))
    chunk = None if options.per_update else options.chunk
    rounds, share = (3, QUICK_SHARE) if options.quick else (9, SHARE)
    os.sched_setaffinity(0, {max(ALL_CORES)})
    results: list[Result] = []
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(options.corpus.glob("*.fbs")):
            try:
                results.append(measure(load(path), rounds, share, Path(folder), chunk))
                print(f"{path.stem}: {results[-1].ratio(LIBVNC) or 0:.2f}", file=sys.stderr)
            except (UnreadableError, Refused) as error:
                skipped[path.stem] = str(error)
            except MissingError as error:
                sys.exit(str(error))
    if not results:
        sys.exit(f"no recording that we can decode in {options.corpus} {skipped or ''}")
    totals = summary(results)
    if options.json:
        libraries = getattr(auniverse.rfb, "native_libraries", dict)()
        streams = {result.stream.name: as_json(result) for result in results}
        answer = {"unit": "CPU seconds an update", "rounds": rounds, "chunk": chunk}
        answer |= {"skipped": skipped, **totals}
        answer |= {"decoder": default_decoder().__name__, "libraries": libraries}
        print(json.dumps({**answer, "streams": streams}))
        return
    Console(width=150).print(as_table(results))
    fed = "fed update by update" if chunk is None else f"fed {chunk} bytes at a time"
    print(CAPTION.format(fed=fed))
    for name, value in totals.items():
        print(f"{name:28}", "-" if value is None else f"{value:.3f}")
    for result in results:
        for note in result.notes:
            print(f"{result.stream.name}: {note}")
    for name, reason in skipped.items():
        print(f"{name}: skipped, {reason}")


if __name__ == "__main__":
    main()
