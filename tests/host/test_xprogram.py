from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from auniverse.errors import MissingDependencyError
from auniverse.host import xprogram
from auniverse.host.desktop import Desktop
from auniverse.host.program import Outcome, ProgramCrashed
from auniverse.host.xprogram import XProgram
from auniverse.runtimes import env, read_sections

pytestmark = pytest.mark.apt

News = Outcome | ProgramCrashed
# It shows a window, and does what it is told by a file.
SHOWS = "xterm -geometry 20x5+0+0 -e "


@asynccontextmanager
async def running(
    monkeypatch: pytest.MonkeyPatch, settings: str
) -> AsyncIterator[tuple[XProgram, asyncio.Queue[News]]]:
    text = f"program:\n{settings}"
    found = dataclasses.replace(
        env("desktop.Arithmetic-v0"), program=read_sections(text, "test.yml").section("program")
    )
    monkeypatch.setattr(xprogram, "find_env", lambda env_id: found)
    news: asyncio.Queue[News] = asyncio.Queue()
    program = XProgram()
    async with Desktop((320, 240)) as desktop:
        try:
            await program.load("desktop.Arithmetic-v0", desktop, news.put_nowait)
            await program.reset(7)
            yield program, news
        finally:
            await program.close()


async def heard(news: asyncio.Queue[News]) -> Any:
    async with asyncio.timeout(20):
        return await news.get()


LOGS = f"""\
  command: sh -c '{SHOWS} "sleep 60" & sleep 1; echo hit; echo seed {{seed}}; sleep 1; exit 3'
  reward: {{log: output, rules: {{hit: 2, seed 7: 1}}}}
"""
FILES = f"""\
  command: >-
    sh -c '{SHOWS} "sleep 60" & sleep 1; echo 5 >score; sleep 1; echo 9 >score; sleep 1; exit 4'
  reward: {{file: "{{folder}}/score", score: "(.+)", exit: {{4: 10}}}}
"""
RESETS = f"""\
  command: {SHOWS} "sleep 60"
  limit: 0.2
  reset: sh -c 'echo {{seed}} >>RESETS'
"""


def test_a_log_earns_and_a_crash_has_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with running(monkeypatch, LOGS) as (program, news):
            earned = 0.0
            while isinstance(outcome := await heard(news), Outcome):
                earned += outcome.reward
            assert earned == 3.0
            assert "sh ended with exit code 3; its log ends with:\nhit\nseed 7" in str(outcome)
            await program.reset(8)  # a new one
            while isinstance(outcome := await heard(news), Outcome):
                assert outcome.reward == 2.0

    asyncio.run(main())


def test_a_file_and_an_exit_code_earn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with running(monkeypatch, FILES) as (_, news):
            first = await heard(news)
            assert (first.reward, first.info) == (4.0, {"score": 9.0})
            assert await heard(news) == Outcome(10.0, True, False, None, {"exit_code": 4})

    asyncio.run(main())


def test_the_limit_truncates_and_a_command_resets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = RESETS.replace("RESETS", f"{tmp_path}/resets")

    async def main() -> None:
        async with running(monkeypatch, settings) as (program, news):
            assert await heard(news) == Outcome(0.0, False, True, None, {})
            before = program._process
            await program.reset(8)
            assert program._process is before
            assert (tmp_path / "resets").read_text() == "8\n"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("  command: sleep 60\n  ready: 0.3\n", "sleep shows nothing within 0.3 s"),
        ("  command: sh -c 'echo sorry; exit 2'\n", "sh ended with exit code 2; .*\nsorry"),
    ],
)
def test_a_program_that_does_not_come_up(
    monkeypatch: pytest.MonkeyPatch, settings: str, complaint: str
) -> None:
    async def main() -> None:
        with pytest.raises(ProgramCrashed, match=complaint):
            async with running(monkeypatch, settings):
                pass

    asyncio.run(main())


def test_a_program_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        settings = "  command: nosuchgame\n  debian: fun-games\n"
        with pytest.raises(MissingDependencyError, match="apt-get install fun-games"):
            async with running(monkeypatch, settings):
                pass

    asyncio.run(main())


def test_nothing_of_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        settings = f"  command: sh -c '{SHOWS} \"sleep 60\" & echo $! >pid; wait'\n"
        async with running(monkeypatch, settings) as (program, _):
            pid = int((program._folder / "pid").read_text())
            assert _runs(pid)
        async with asyncio.timeout(10):
            while _runs(pid):  # noqa: ASYNC110 (nothing tells of it)
                await asyncio.sleep(0)

    asyncio.run(main())


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
