"""One child, its end and its pauses. How children boot is tested where they are launched."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from auniverse.remotes.child import Child

READY = """
import sys
print('{"vnc_port": 1, "rewarder_port": 2}', flush=True)
sys.stdin.readline()
"""


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", READY + script)


async def ended(child: Child) -> None:
    async with asyncio.timeout(30):
        while child.alive:  # noqa: ASYNC110 (a child is asked, it does not call)
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("sys.exit(3)", "ended with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9"),
    ],
)
def test_how_one_ended_by_itself(script: str, cause: str) -> None:
    async def main() -> None:
        child = Child("it")
        assert not child.alive
        assert child.cause_of_death == ""
        await child.boot(python(script), 30.0)
        await ended(child)
        assert child.cause_of_death == cause
        child.signal(signal.SIGSTOP)  # nobody there to hear it
        await child.stop()

    asyncio.run(main())


def test_one_whose_end_is_news_to_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of asyncio's took note of it, and the loop has not run since."""
    told = []

    def nobody_there(pid: int, number: int) -> None:
        told.append(number)
        raise ProcessLookupError

    async def main() -> None:
        child = Child("it")
        await child.boot(python("sys.stdin.read()"), 30.0)
        monkeypatch.setattr(os, "killpg", nobody_there)
        await child.stop(patiently=False)
        assert told == [signal.SIGKILL]
        assert child.cause_of_death == "ended with exit code 0"

    asyncio.run(main())


def state(pid: int) -> str:
    """What a process does; Z if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


async def until_state(pid: int, wanted: str) -> None:
    async with asyncio.timeout(30):
        while state(pid) not in wanted:  # noqa: ASYNC110 (the kernel does not call)
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("patiently", [True, False])
def test_one_that_stands_still_lives_and_can_be_ended(patiently: bool) -> None:
    """With a child of its own, which stands still and ends with it."""
    script = """
import subprocess
grandchild = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
print(os.getpid(), grandchild.pid, file=sys.stderr, flush=True)
sys.stdin.read()
"""

    async def main() -> None:
        child = Child("it")
        await child.boot(python("import os" + script), 30.0)
        async with asyncio.timeout(30):
            while not child.log_tail:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        pids = [int(pid) for pid in child.log_tail.split()]
        child.signal(signal.SIGSTOP)
        for pid in pids:
            await until_state(pid, "T")
        assert child.alive
        assert child.cause_of_death == ""
        child.signal(signal.SIGCONT)
        for pid in pids:
            await until_state(pid, "SR")
        child.signal(signal.SIGSTOP)
        await child.stop(patiently=patiently)
        assert child.cause_of_death == (
            "ended with exit code 0" if patiently else "killed by signal 9"
        )
        for pid in pids:
            await until_state(pid, "Z")

    asyncio.run(main())
