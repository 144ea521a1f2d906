"""Play our Flash games by looking: no learning, and nothing but pixels.

    python examples/flash_games.py --remotes 1 --seconds 60

Drives through the dunes, catches stars and pops balloons with a few lines of vision each; prints
what was earned, read off the screen, what the games themselves say they gave, and how many pictures
came a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable

import numpy as np

import auniverse

#: Where a game's picture is on the screen, and the bar above its field.
LEFT, TOP, WIDTH, HEIGHT, BAR = 18, 84, 640, 480, 32

Events = list[tuple[str, str | int, bool | int] | tuple[str, int, int, int]]


def find(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return the (row, column) of all pixels of a colour, int (n, 2)."""
    return np.argwhere((np.abs(picture.astype(np.int16) - colour) < 12).all(axis=2))


def drive(field: np.ndarray, beat: int) -> Events:
    """Keep to the middle of the road ahead, and to the side of red cars."""
    car, road = find(field, (48, 160, 255)), find(field[230:232], (96, 96, 104))
    if not len(car) or not len(road):
        return []
    at, wanted = car[:, 1].mean(), (road[:, 1].min() + road[:, 1].max()) / 2
    ahead = find(field[120:370], (208, 32, 32))
    if len(ahead):
        other = ahead[ahead[:, 0] == ahead[:, 0].max()][:, 1].mean()
        wanted += 55 if other < wanted else -55
    return [
        ("KeyEvent", "ArrowUp", True),
        ("KeyEvent", "ArrowLeft", bool(wanted < at - 12)),
        ("KeyEvent", "ArrowRight", bool(wanted > at + 12)),
    ]


def catch(field: np.ndarray, beat: int) -> Events:
    """Be below the lowest star, but not below a stone that is about to land."""
    stars, stones = find(field[:420], (255, 208, 32)), find(field[330:420], (128, 128, 128))
    low = stars[stars[:, 0] == stars[:, 0].max()] if len(stars) else np.array([[0, 320]])
    x = float(low[:, 1].mean())
    if len(stones) and abs((stone := float(stones[:, 1].mean())) - x) < 75:
        x = stone + (80 if stone < 320 else -80)
    return [("PointerEvent", LEFT + int(np.clip(x, 0, WIDTH - 1)), TOP + BAR + 400, 0)]


def pop(field: np.ndarray, beat: int) -> Events:
    """Click the highest balloon, one beat down, one beat up."""
    balloons = np.concatenate([find(field, (224, 32, 96)), find(field, (96, 32, 192))])
    if not len(balloons):
        return []
    top = balloons[balloons[:, 0].argmin()]
    near = balloons[np.abs(balloons - top).max(axis=1) < 60]
    y, x = near.mean(axis=0)
    return [("PointerEvent", LEFT + round(x), TOP + BAR + round(y) - 2, beat % 2)]


GAMES: dict[str, Callable[[np.ndarray, int], Events]] = {
    "flashgames.DuneRun-v0": drive,
    "flashgames.StarCatch-v0": catch,
    "flashgames.PopRush-v0": pop,
}


async def play(session: auniverse.Session, game: str, seconds: float) -> dict[str, float]:
    """Play a game for so long, the last episode to its end; return how it went."""
    loop = asyncio.get_running_loop()
    observation, _ = await session.reset(seed=0, env_id=game)
    end, beat, over = loop.time() + seconds, 0, False
    earned, told, episodes = 0.0, 0.0, 0
    playing, pictures = 0.0, 0
    while loop.time() < end or not over:
        field = observation[TOP + BAR : TOP + HEIGHT, LEFT : LEFT + WIDTH]
        loading, at, seen = over, loop.time(), session.traffic[0]
        observation, reward, terminated, truncated, info = await session.step(
            GAMES[game](field, beat)
        )
        beat, over = beat + 1, terminated or truncated
        earned += reward
        if not loading:
            playing += loop.time() - at
            pictures += session.traffic[0] - seen
        if over:
            told += info.get("score_interface") or 0.0
            episodes += 1
    fps = pictures / playing
    return {"reward": earned, "told": told, "episodes": episodes, "fps": fps}


async def run(remotes: int, seconds: float, games: list[str]) -> dict[str, dict[str, float]]:
    """Play all games; return how they went."""
    waiting, results = list(games), {}

    async def work(remote: auniverse.Remote) -> None:
        async with auniverse.connect(remote, env_id=games[0], reset_timeout=60) as session:
            while waiting:
                game = waiting.pop(0)
                results[game] = await play(session, game, seconds)

    async with (
        auniverse.launch("flashgames", n=remotes, env_id=games[0], timeout=120) as fleet,
        asyncio.TaskGroup() as crew,
    ):
        for remote in fleet:
            crew.create_task(work(remote))
    return results


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--remotes", type=int, default=1, help="browsers at a time")
    parser.add_argument(
        "--seconds", type=float, default=60, help="of each game, and until its episode is over"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("games", nargs="*", help="some of: " + ", ".join(GAMES))
    options = parser.parse_args()
    if unknown := set(options.games) - GAMES.keys():
        parser.error(f"no eyes for {', '.join(unknown)}")
    results = asyncio.run(run(options.remotes, options.seconds, options.games or list(GAMES)))
    if options.json:
        print(json.dumps(results))
        return
    print("| game | episodes | reward | the game says | pictures a second |\n|" + " --- |" * 5)
    for game, result in results.items():
        print(
            f"| {game} | {result['episodes']:.0f} | {result['reward']:.0f} "
            f"| {result['told']:.0f} | {result['fps']:.1f} |"
        )


if __name__ == "__main__":
    main()
