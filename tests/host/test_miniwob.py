from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auniverse.errors import MissingDependencyError, UnknownEnvError
from auniverse.host import miniwob
from auniverse.host.live_host import LiveHost
from auniverse.host.miniwob import TOUR, MiniWoB, find_page, task_id, tour
from auniverse.host.program import ProgramCrashed
from auniverse.runtimes import envs
from auniverse.session import Session

CLICK_TEST = "wob.mini.ClickTest-v0"
#: The button that sends the form of the flight page.
GREEN = (72, 133, 11)
#: What a page shows besides its frame, in pixels.
PAGE = (slice(0, 210), slice(0, 330))


def test_the_catalogue_lists_every_page() -> None:
    listed = [env.env_id for env in envs("world-of-bits")]
    assert listed == [*tour(), TOUR, *list(miniwob._pages())[130:]]
    assert sorted(listed) == sorted([TOUR, *miniwob._pages()])


def test_names_are_those_of_the_pages() -> None:
    assert task_id("mini", "use-colorwheel-2") == "wob.mini.UseColorwheel2-v0"
    assert find_page("wob.mini.UseColorwheel2-v0").endswith("/miniwob/use-colorwheel-2.html")
    assert find_page("wob.flight.AA-v0") == "http://miniwob.localhost/flight/AA/wrapper.html"
    with pytest.raises(UnknownEnvError, match=r"near it are wob\.mini\.ClickTest-v0"):
        find_page("wob.mini.ClickTset-v0")


def test_only_the_package_s_files_are_read() -> None:
    kind, page = miniwob.read_file("/flight/AA/wrapper.html") or ("", b"")
    assert (kind, page[:15]) == ("text/html", b"<!DOCTYPE html>")
    for path in ("/", "/none", "/../__init__.py", "/%00", "//etc/passwd"):
        assert miniwob.read_file(path) is None


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miniwob.importlib.util, "find_spec", lambda name: None)
    for cached in (miniwob._pages, miniwob._folder):
        cached.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"auniverse\[world-of-bits\]"):
        find_page(CLICK_TEST)
    monkeypatch.undo()
    assert find_page(CLICK_TEST)


def click(x: int, y: int) -> list[tuple]:
    return [("PointerEvent", x, y, 0), ("PointerEvent", x, y, 1), ("PointerEvent", x, y, 0)]


async def until_over(session: Session, events: list[tuple]) -> tuple:
    result = await session.step(events)
    async with asyncio.timeout(30):
        while not (result[2] or result[3]):
            result = await session.step()
    return result


@pytest.mark.apt
@pytest.mark.xdist_group("browser")
def test_a_click_is_rewarded_and_seeds_are_honoured() -> None:
    async def main() -> None:
        async with LiveHost(MiniWoB(), env_id=CLICK_TEST) as host:
            running = asyncio.create_task(host.run())
            async with Session(host.remote, env_id=CLICK_TEST) as session:
                pictures = {}
                for seed in (1, 2, 1):
                    observation, info = await session.reset(seed=seed)
                    assert info["text"] == "Click the button."
                    picture = observation[60:210, :160]  # without the clock beside it
                    assert np.array_equal(pictures.setdefault(seed, picture), picture)
                assert not np.array_equal(pictures[1], pictures[2])

                ys, xs = np.nonzero((pictures[1] == (239, 239, 239)).all(axis=2))
                middle = int(xs.mean()), int(ys.mean()) + 60
                _, reward, terminated, truncated, info = await until_over(session, click(*middle))
                assert (terminated, truncated) == (True, False)
                assert 0.5 < reward < info["raw_reward"] == 1

                await session.step()  # the next episode, by itself; a page that dies ends it
                assert host._program._browser is not None
                await host._program._browser.page.close()
                *_, info = await until_over(session, [])
                assert "closed" in info["reason"]
                observation, *_ = await session.step()
                assert (observation[60:210, :160] == 239).any()

                # A page that holds another: nothing was filled in when its button is clicked.
                observation, info = await session.reset(seed=0, env_id="wob.flight.Alaska-v0")
                assert "Departure City" in json.loads(info["text"])
                ys, xs = np.nonzero((observation == GREEN).all(axis=2))
                middle = int(xs.mean()), int(ys.mean())
                *_, terminated, truncated, info = await until_over(session, click(*middle))
                assert (terminated, info["raw_reward"]) == (True, -1)
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.xdist_group("browser")
def test_the_tour_goes_on_with_every_episode() -> None:
    async def main() -> None:
        async with LiveHost(MiniWoB(limit=1.5), env_id=TOUR) as host:  # none is over unseen
            running = asyncio.create_task(host.run())
            async with Session(host.remote, env_id=TOUR) as session:
                seen, said = [], []
                for seed in (128, 5):
                    _, info = await session.reset(seed=seed)
                    said.append(info["text"])
                    for _ in range(3):
                        *_, info = await until_over(session, [])
                        seen.append(info["task"])
            running.cancel()
            await asyncio.wait((running,))
        assert seen == [*tour()[128:], tour()[0], *tour()[5:8]]
        assert all(said)
        assert said[0] != said[1]

    asyncio.run(main())


@pytest.mark.apt
def test_what_a_page_makes_up_is_no_reward() -> None:
    reports: list[object] = []
    program = MiniWoB()
    program._report = reports.append
    program._episode = 3
    for told in (None, "done", {"episode": 2, "reward": 1.0}, {"reward": 1.0}):
        program._ended(told)
    program._said({"episode": 2, "text": "old"})
    program._said({"episode": 3, "text": 5})
    assert reports == []
    for worth in (float("nan"), float("inf"), 10**400, "1", True, None):
        program._ended({"episode": 3, "reward": worth, "raw": 1})
        program._ended({"episode": 3, "reward": 1, "raw": worth})
    assert [type(report) for report in reports] == [ProgramCrashed] * 12


SHEET = os.environ.get("MINIWOB_SHEET")  # where to leave a picture of all tasks


@pytest.mark.apt
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("browser")
def test_every_task_shows_its_instruction_takes_a_click_and_ends(tmp_path: Path) -> None:
    async def main() -> dict[str, np.ndarray]:
        shots = {}
        tasks = [env.env_id for env in envs("world-of-bits") if env.env_id != TOUR]
        async with LiveHost(MiniWoB(limit=0.25), env_id=tasks[0]) as host:
            running = asyncio.create_task(host.run())
            async with Session(host.remote, env_id=tasks[0], reset_timeout=30) as session:
                for task in tasks:
                    observation, info = await session.reset(seed=0, env_id=task)
                    assert info["text"], task
                    shots[task] = observation[PAGE]
                    *_, terminated, truncated, info = await until_over(session, click(80, 130))
                    assert terminated or info["timed_out"], task
                    assert truncated == info["timed_out"], task
            running.cancel()
            await asyncio.wait((running,))
        return shots

    shots = asyncio.run(main())
    assert len(shots) == 134
    for task, shot in shots.items():
        assert len(np.unique(shot.reshape(-1, 3), axis=0)) > 3, task
    Image.fromarray(contact_sheet(list(shots.values()))).save(SHEET or tmp_path / "sheet.png")


def contact_sheet(shots: list[np.ndarray], columns: int = 10) -> np.ndarray:
    rows = -(-len(shots) // columns)
    sheet = np.zeros((rows * 220, columns * 170, 3), np.uint8)
    for index, shot in enumerate(shots):
        top, left = index // columns * 220, index % columns * 170
        sheet[top : top + 210, left : left + 160] = shot[:, :160]
    return sheet


EXAMPLE = Path(__file__).parents[2] / "examples" / "world_of_bits.py"


@pytest.mark.apt
@pytest.mark.timeout(180)
@pytest.mark.xdist_group("browser")
def test_the_example_solves_at_least_three_tasks() -> None:
    command = [sys.executable, str(EXAMPLE), "--remotes", "1", "--episodes", "3", "--json"]
    played = subprocess.run(command, capture_output=True, text=True, check=True)
    rates = [result["success_rate"] for result in json.loads(played.stdout).values()]
    assert sum(rate == 1.0 for rate in rates) >= 3, rates
