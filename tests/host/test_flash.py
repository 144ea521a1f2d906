from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest

from auniverse.errors import MissingDependencyError, ProvisionError, UsageError
from auniverse.host.desktop import Desktop
from auniverse.host.flash import LEFT, TOP, Flash
from auniverse.host.flash_game import OURS, find_game
from auniverse.host.live_host import LiveHost
from auniverse.host.lookout import Lookout
from auniverse.host.program import Outcome, ProgramCrashed
from auniverse.rfb import Box
from auniverse.session import Session
from auniverse.shelf import GAMES_VARIABLE, RUFFLE_VARIABLE, ruffle_files

from .swfs import swf

DUNE = "flashgames.DuneRun-v0"
STARS = "flashgames.StarCatch-v0"
ROAD = (96, 96, 104)


@pytest.fixture
def player() -> None:
    try:
        ruffle_files()
    except MissingDependencyError as reason:
        pytest.skip(str(reason))


@pytest.mark.apt
@pytest.mark.timeout(180)
@pytest.mark.usefixtures("player")
@pytest.mark.xdist_group("browser")
def test_what_is_read_off_the_screen_is_what_the_game_says() -> None:
    """A run through the dunes, steered by what is seen; then stars, until nobody catches them."""

    async def main() -> None:
        async with LiveHost(Flash(), env_id=DUNE) as host:
            running = asyncio.create_task(host.run())
            async with Session(host.remote, env_id=DUNE, reset_timeout=60) as session:
                observation, _ = await session.reset(seed=1)
                frames = "() => document.querySelector('ruffle-player').getFrames()"
                browser = host._program._browser
                total, seen = 0.0, {}
                assert await browser.evaluate(frames) > 0
                await session.step([("KeyEvent", "ArrowUp", True)])
                async with asyncio.timeout(40):
                    while total < 40:
                        road = (observation[TOP + 300, LEFT : LEFT + 640] == ROAD).all(axis=1)
                        wanted = np.flatnonzero(road).mean() if road.any() else 320.0
                        car = (observation[TOP + 420, LEFT : LEFT + 640] == (48, 160, 255)).all(1)
                        at = np.flatnonzero(car).mean() if car.any() else 320.0
                        keys = [
                            ("KeyEvent", "ArrowLeft", bool(wanted < at - 15)),
                            ("KeyEvent", "ArrowRight", bool(wanted > at + 15)),
                        ]
                        observation, reward, *_, info = await session.step(keys)
                        total += reward
                        seen = info if "score_screen" in info else seen
                assert total == seen["score_screen"]
                assert abs(seen["score_interface"] - total) <= 3  # it has driven on meanwhile

                await session.reset(seed=1, env_id=STARS)
                over, total = False, 0.0
                async with asyncio.timeout(60):
                    while not over:
                        _, reward, over, truncated, info = await session.step()
                        total += reward
                        assert not truncated
                assert total == info["score_screen"] == info["score_interface"]
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("player")
@pytest.mark.xdist_group("browser")
def test_a_menu_that_does_not_show_and_a_game_that_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GAMES_VARIABLE, str(tmp_path))
    shutil.copy(OURS / "PopRush.swf", tmp_path / "Lost.swf")
    (tmp_path / "Lost.yml").write_text(
        "menu:\n- {until: {region: 0 0 9 9, color: 1 2 3, tolerance: 0}, within: 0.3}\n"
    )
    (tmp_path / "Broken.swf").write_bytes(swf())  # a head, and nothing behind it
    (tmp_path / "Large.swf").write_bytes(swf())
    (tmp_path / "Large.yml").write_text("size: 1024x768")

    async def main() -> None:
        reports: list[Outcome | ProgramCrashed] = []
        async with Desktop() as desktop:
            program = Flash()
            try:
                await program.load("flashgames.Lost-v0", desktop, reports.append)
                with pytest.raises(
                    ProgramCrashed, match=r"did not show its colour \(1 2 3\) at \(0, 0\), 9x9"
                ):
                    await program.reset(None)
                monkeypatch.setattr("auniverse.host.flash.LOADING", 2.0)
                await program.load("flashgames.Broken-v0", desktop, reports.append)
                with pytest.raises(ProgramCrashed, match="the page"):
                    await program.reset(None)
                with pytest.raises(UsageError, match="needs a screen of 1042x852"):
                    await program.load("flashgames.Large-v0", desktop, reports.append)
                with pytest.raises(ProvisionError, match=r"put NeonRace\.swf into"):
                    await program.load("flashgames.NeonRace-v0", desktop, reports.append)
                monkeypatch.setenv(RUFFLE_VARIABLE, str(tmp_path))
                with pytest.raises(MissingDependencyError, match="auniverse fetch ruffle"):
                    await program.load(DUNE, desktop, reports.append)
            finally:
                await program.close()
        assert reports == []
        with pytest.raises(ProgramCrashed, match="there is no game"):
            await program.reset(None)

    asyncio.run(main())


async def hold(viewer: Lookout, buttons: int) -> None:
    viewer._connection.send_pointer(900, 700, buttons)
    await viewer._flush()


@pytest.mark.apt
@pytest.mark.usefixtures("player")
@pytest.mark.xdist_group("browser")
def test_a_menu_is_clicked_until_it_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GAMES_VARIABLE, str(tmp_path))
    monkeypatch.setattr("auniverse.host.flash.INSISTENCE", 0.3)
    shutil.copy(OURS / "PopRush.swf", tmp_path / "Held.swf")
    (tmp_path / "Held.yml").write_text(
        "menu:\n"
        "- until: {region: 130 150 380 20, color: 32 48 80, share: 0.9}\n"
        "- click: 320 240\n"
        "  until: {region: 130 150 380 20, color: 32 48 80, share: 0, at_most: 0.1}\n"
        "  within: 0.5\n"
    )

    async def main() -> None:
        async with Desktop() as desktop, Lookout(desktop, Box(0, 0, 1, 1)) as other:
            program = Flash()
            try:
                await program.load("flashgames.Held-v0", desktop, print)
                await hold(other, 1)  # while a button is held, nobody else can click
                with pytest.raises(ProgramCrashed, match=r"for all of clicks at \(320, 240\)"):
                    await program.reset(None)
                await hold(other, 0)
                await program.reset(None)
            finally:
                await program.close()

    asyncio.run(main())


def test_a_game_may_say_anything(caplog: pytest.LogCaptureFixture) -> None:
    program = Flash()
    for told in (None, 5, {}, {"over": False}):
        program._hear(told)
    assert not caplog.records
    for score in (float("nan"), float("inf"), "1", None, [1]):
        program._hear({"score": score})
    assert len(caplog.records) == 1  # it is asked ten times a second
    assert (program._score, program._over) == (None, False)
    program._hear({"score": 7})
    assert (program._score, program._over) == (7.0, False)
    program._hear({"score": 8, "over": True})
    assert (program._score, program._over) == (8.0, True)


def test_the_last_points_are_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The game says that it is over; the screen, which is told too, shows it a little later."""
    monkeypatch.setenv(GAMES_VARIABLE, str(tmp_path))
    (tmp_path / "Late.swf").write_bytes(swf())
    (tmp_path / "Late.yml").write_text(
        "reward: interface\ninterface: {over: onOver, score: onScore, initial_score: 0}\n"
        "screen: {over: [{region: 0 0 9 9, color: 255 255 255}]}"
    )
    game = find_game("flashgames.Late-v0")
    reports: list[Outcome] = []
    program = Flash()
    program._report = reports.append  # type: ignore[assignment]
    program._hear({"score": 4, "over": True})
    playing, over = np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)
    assert not program._judge(game, playing, 10.0)
    assert not program._judge(game, playing, 10.1)
    assert program._judge(game, over, 10.2)
    assert [outcome[:3] for outcome in reports] == [(4.0, False, False), (0.0, True, False)]


def test_what_the_game_says_is_judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(GAMES_VARIABLE, str(tmp_path))
    (tmp_path / "Told.swf").write_bytes(swf())
    (tmp_path / "Told.yml").write_text(
        "reward: interface\ninterface: {score: onScore, initial_score: 0, limit: 5}"
    )
    game = find_game("flashgames.Told-v0")
    reports: list[Outcome] = []
    program = Flash()
    program._report = reports.append  # type: ignore[assignment]
    picture = np.zeros((9, 9, 3), np.uint8)
    assert not program._judge(game, picture, 10.0)
    program._score = 4.0
    assert not program._judge(game, picture, 11.0)
    assert not program._judge(game, picture, 12.0)
    assert program._judge(game, picture, 15.0)
    assert [outcome[:3] for outcome in reports] == [(4.0, False, False), (0.0, False, True)]
    assert reports[1].info == {"score_interface": 4.0, "ended_by": "the episode has lasted for 5 s"}
