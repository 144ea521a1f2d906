"""Run all fuzz targets, each for $FUZZ_SECONDS, and print what came of it.

Ends with 1 if there was a crash.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from fuzz.seeds import seeds
from fuzz.targets import TARGETS, Target

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
CRASHES = HERE / "crashes"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))
#: What is kept: the smallest first, until it is as much; all targets together stay below 1 MB.
KEPT_BYTES = 32 * 1024
KEPT_INPUT = 2048
LIMITS = ("-rss_limit_mb=1024", "-timeout=10", "-max_len=8192")


class Row(NamedTuple):
    """One line of the table."""

    target: str
    executions: int
    per_second: int
    corpus: int
    crashes: int


def fuzz(target: str, folder: Path, made: list[bytes]) -> Row:
    """Fuzz one target, with a fresh folder for what it finds."""
    for seed in made:
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    kept = CORPUS / target
    crashes = CRASHES / target
    for path in (kept, crashes):
        path.mkdir(parents=True, exist_ok=True)
    before = set(crashes.iterdir())
    command = [sys.executable, "-m", "fuzz.run", target, *LIMITS, f"-artifact_prefix={crashes}/"]
    command += [f"-max_total_time={SECONDS}", "-print_final_stats=1", str(folder), str(kept)]
    ran = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
    crashed = len(set(crashes.iterdir()) - before)
    if ran.returncode:
        sys.stderr.write(ran.stderr[-4000:])
        crashed = max(crashed, 1)
    done = re.search(r"number_of_executed_units: *(\d+)", ran.stderr)
    executions = int(done[1]) if done else 0
    corpus = re.findall(r"corp: (\d+)/", ran.stderr)
    found = int(corpus[-1]) if corpus else 0
    return Row(target, executions, executions // max(SECONDS, 1), found, crashed)


def lines_of(target: Target, data: bytes) -> set[tuple[str, int, int]]:
    """Return the steps from line to line of auniverse that one input takes."""
    seen: set[tuple[str, int, int]] = set()
    last = 0

    def step(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal last
        if "auniverse" not in frame.f_code.co_filename:
            return None
        seen.add((frame.f_code.co_filename, last, frame.f_lineno))
        last = frame.f_lineno
        return step

    sys.settrace(step)
    try:
        target(data)
    finally:
        sys.settrace(None)
    return seen


def keep(target: str, folder: Path) -> None:
    """Keep the least of what was found: the smallest of those that go a way of their own.

    (libFuzzer's own merge starts itself again, which it cannot do as a module of Python.)
    """
    kept = CORPUS / target
    found = {path.read_bytes() for path in (*folder.iterdir(), *kept.iterdir())}
    for old in kept.iterdir():
        old.unlink()
    seen: set[tuple[str, int, int]] = set()
    room = KEPT_BYTES
    for data in sorted(found, key=lambda data: (len(data), data)):
        ways = lines_of(TARGETS[target], data) if len(data) <= min(KEPT_INPUT, room) else seen
        if not ways <= seen:
            seen |= ways
            room -= len(data)
            (kept / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def main() -> int:
    """Do it."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"{', '.join(TARGETS)} (default: all)")
    parser.add_argument("--keep", action="store_true", help="keep what is new and small, minimised")
    options = parser.parse_args()
    if unknown := set(options.target) - TARGETS.keys():
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    wanted = options.target or [*TARGETS]
    made = seeds()
    print(f"{'target':<24} {'executions':>12} {'exec/s':>8} {'corpus':>8} {'crashes':>8}")
    rows = []
    for target in wanted:
        with tempfile.TemporaryDirectory() as name:
            row = fuzz(target, Path(name), made[target])
            if options.keep:
                keep(target, Path(name))
        rows.append(row)
        executions, speed = f"{row.executions:,}", f"{row.per_second:,}"
        print(f"{row.target:<24} {executions:>12} {speed:>8} {row.corpus:>8} {row.crashes:>8}")
    crashes = sum(row.crashes for row in rows)
    print(f"{len(rows)} targets, {sum(row.executions for row in rows):,} executions,", end=" ")
    print(f"{crashes} crashes" + (f", in {CRASHES}" if crashes else ""))
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
