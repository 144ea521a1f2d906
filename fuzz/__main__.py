"""Run all fuzz targets, each for $FUZZ_SECONDS, and print what came of it.

`python -m fuzz [TARGET ...]` fuzzes; `python -m fuzz --keep [TARGET ...]` also puts what is new and
small into the kept corpus, minimised. Ends with 1 if there was a crash.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from fuzz.seeds import seeds
from fuzz.targets import TARGETS

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


def keep(target: str, folder: Path) -> None:
    """Put the least of `folder` that covers as much into the kept corpus, the smallest first."""
    with tempfile.TemporaryDirectory() as name:
        least = Path(name)
        command = [sys.executable, "-m", "fuzz.run", target, "-merge=1", name, str(folder)]
        subprocess.run(command, cwd=HERE.parent, capture_output=True, check=False)
        room = KEPT_BYTES
        for old in (CORPUS / target).iterdir():
            old.unlink()
        for path in sorted(least.iterdir(), key=lambda path: path.stat().st_size):
            data = path.read_bytes()
            room -= len(data)
            if room >= 0 and len(data) <= KEPT_INPUT:
                (CORPUS / target / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def main() -> int:
    """Do it."""
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or [*TARGETS]
    made = seeds()
    print(f"{'target':<24} {'executions':>12} {'exec/s':>8} {'corpus':>8} {'crashes':>8}")
    rows = []
    for target in wanted:
        with tempfile.TemporaryDirectory() as name:
            row = fuzz(target, Path(name), made[target])
            if "--keep" in sys.argv:
                for path in (CORPUS / target).iterdir():
                    (Path(name) / path.name).write_bytes(path.read_bytes())
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
