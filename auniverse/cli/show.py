"""The demo's show: four games at once, watched by a table, a film and a contact sheet."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.live import Live
from rich.table import Table

from auniverse.runtimes import env
from auniverse.vector import Batch

from .film import Film, Moment, contact_sheet
from .play import Game, Plan, play
from .tally import SlotTally

#: Games that look different, move at once, and are light enough for two processors.
GAMES = (
    "gym-core.Pong-v5",
    "gym-core.Breakout-v5",
    "gym-core.LunarLander-v3",
    "gym-core.Seaquest-v5",
)
FPS = 30.0
#: Steps for which an action is kept, so that something comes of it.
REPEAT = 4
#: Pictures a second in the film.
FILM_FPS = 15
#: Moments on the contact sheet.
MOMENTS = 5
#: Moments that may wait for the film; what comes when so many wait is left out of it.
WAITING = 2
#: Seconds between two looks at the table, and between two plain lines where there is no terminal.
REFRESH, PLAIN_REFRESH = 0.25, 2.0


async def show(seconds: float, out: Path, *, live: bool) -> tuple[Path, Path]:
    """Play the demo and return the paths of the contact sheet and the film.

    Args:
        seconds: How long to play.
        out: The folder for both; it is made.
        live: Draw a live table; else print a line now and then.

    Raises:
        AuniverseError: The games could not be played.
    """
    plan = Plan(GAMES, str(len(GAMES)), "random", seconds=seconds, fps=FPS, seed=0, repeat=REPEAT)
    sheet_path, film_path = out / "demo.png", out / "demo.mp4"
    titles = [env(env_id).title for env_id in GAMES]
    typer.echo(f"{len(GAMES)} remotes play {', '.join(titles)} for {seconds:g} s")
    with Film(film_path, titles, fps=FILM_FPS) as film:
        camera = Camera(film, seconds)
        table = Live(auto_refresh=False) if live else None
        refresh = REFRESH if live else PLAIN_REFRESH
        next_refresh = refresh

        def watch(game: Game, batch: Batch) -> None:
            nonlocal next_refresh
            camera.watch(game, batch)
            if game.seconds < next_refresh:
                return
            next_refresh = game.seconds + refresh
            if table:
                table.update(live_table(game), refresh=True)
            else:
                typer.echo(plain_line(game))

        with table or nullcontext():
            async with asyncio.TaskGroup() as group:
                group.create_task(camera.film())
                game = await play(plan, watch)
                camera.stop()
    moments = [*camera.moments, camera.now(game)]
    contact_sheet(sheet_path, moments, captions(game))
    return sheet_path, film_path


class Camera:
    """Takes moments while a game is played: many for the film, a few for the contact sheet.

    Attributes:
        moments: Those for the contact sheet.
    """

    def __init__(self, film: Film, seconds: float) -> None:
        self.moments: list[Moment] = []
        self._film = film
        self._queue: asyncio.Queue[Moment | None] = asyncio.Queue()
        self._next_picture = 0.0
        self._sheet_times = [seconds * (number + 0.5) / MOMENTS for number in range(MOMENTS - 1)]
        self._newest: dict[int, NDArray[np.uint8]] = {}

    def watch(self, game: Game, batch: Batch) -> None:
        """Take a moment if it is time for one; see `play`."""
        self._newest.update(zip(batch.env_ids.tolist(), batch.observations, strict=True))
        if len(self._newest) < game.pool.num_envs:
            return
        if self._sheet_times and game.seconds >= self._sheet_times[0]:
            del self._sheet_times[0]
            self.moments.append(self.now(game))
        if game.seconds >= self._next_picture and self._queue.qsize() < WAITING:
            self._next_picture = game.seconds + 0.9 / FILM_FPS
            self._queue.put_nowait(self.now(game))

    def now(self, game: Game) -> Moment:
        """Return what all screens show."""
        return Moment(game.seconds, [self._newest[slot] for slot in sorted(self._newest)])

    def stop(self) -> None:
        """Let `film` end."""
        self._queue.put_nowait(None)

    async def film(self) -> None:
        """Put moments into the film until `stop`; a thread does the work."""
        while (moment := await self._queue.get()) is not None:
            await asyncio.to_thread(self._film.add, moment)


def live_table(game: Game) -> Table:
    """Return what happens in each slot."""
    table = Table(
        "game", "steps/s", "updates/s", "MB/s", "reward", "episodes", "frame age", box=None
    )
    for env_id, slot in zip(GAMES, game.tally.slots, strict=True):
        measured = figures(slot, game.seconds)
        table.add_row(
            env(env_id).title,
            f"{measured['fps']:.1f}",
            f"{measured['updates']:.1f}",
            f"{measured['megabytes']:.1f}",
            f"{slot.reward:g}",
            str(slot.episodes),
            f"{slot.frame_age * 1e3:.0f} ms",
        )
    table.caption = f"{game.seconds:.1f} s"
    return table


def plain_line(game: Game) -> str:
    """Return what happens in all slots together, for a log."""
    slots = game.tally.slots
    measured = [figures(slot, game.seconds) for slot in slots]
    return (
        f"{game.seconds:5.1f} s  {sum(each['fps'] for each in measured):6.1f} steps/s"
        f"  {sum(each['updates'] for each in measured):6.1f} updates/s"
        f"  {sum(each['megabytes'] for each in measured):6.1f} MB/s"
        f"  reward {sum(slot.reward for slot in slots):g}"
        f"  episodes {sum(slot.episodes for slot in slots)}"
    )


def figures(slot: SlotTally, seconds: float) -> dict[str, float]:
    """Return a slot's rates so far, per second."""
    per_second = 1 / seconds if seconds else 0.0
    return {
        "fps": slot.results * per_second,
        "updates": slot.updates * per_second,
        "megabytes": slot.bytes * per_second / 1e6,
    }


def captions(game: Game) -> list[str]:
    """Return what each slot played and how it went, in a line."""
    found: list[Any] = []
    for env_id, slot in zip(GAMES, game.tally.slots, strict=True):
        fps = figures(slot, game.seconds)["fps"]
        episodes = f"{slot.episodes} episode{'s' * (slot.episodes != 1)}"
        found.append(f"{env(env_id).title}: reward {slot.reward:g}, {episodes}, {fps:.0f} steps/s")
    return found
