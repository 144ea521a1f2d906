from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console

from auniverse.cli.film import Film
from auniverse.cli.play import Game, Plan, play
from auniverse.cli.show import GAMES, MOMENTS, Camera, captions, live_table, plain_line
from auniverse.runtimes import env

from .command import CARTPOLE


def test_the_games_are_four_and_known() -> None:
    assert len({env(env_id).title for env_id in GAMES}) == 4


def test_a_camera_takes_moments_and_a_film(tmp_path: Path) -> None:
    async def main() -> tuple[Camera, Game]:
        plan = Plan((CARTPOLE,) * 4, "4", seconds=1.0, fps=20.0, screen="160x120")
        with Film(tmp_path / "film.mp4", ["a", "b", "c", "d"]) as film:
            camera = Camera(film, 1.0)
            async with asyncio.TaskGroup() as group:
                group.create_task(camera.film())
                game = await play(plan, camera.watch)
                camera.stop()
        return camera, game

    camera, game = asyncio.run(main())
    assert len(camera.moments) == MOMENTS - 1
    assert [len(moment.pictures) for moment in camera.moments] == [4] * (MOMENTS - 1)
    times = [moment.seconds for moment in camera.moments]
    assert times == sorted(times)
    assert camera.now(game).pictures[0].shape == (120, 160, 3)
    assert (tmp_path / "film.mp4").stat().st_size > 1000

    console = Console(record=True, width=100)
    console.print(live_table(game))
    shown = console.export_text()
    assert all(env(env_id).title in shown for env_id in GAMES)
    assert "steps/s" in plain_line(game)
    assert len(captions(game)) == 4
