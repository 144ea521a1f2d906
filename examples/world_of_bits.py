"""Solve tasks of World of Bits by looking: no learning, no look into the page.

    python examples/world_of_bits.py --remotes 2 --episodes 50

For each task a few lines read the instruction and find in the pixels where to click.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Callable, Iterator

import numpy as np

import auniverse

Point = tuple[float, float]

BUTTON, BORDER, DOT = (239, 239, 239), (118, 118, 118), (0, 0, 255)
COLOURS = {
    "red": (255, 0, 0),
    "blue": (0, 0, 255),
    "green": (0, 128, 0),
    "yellow": (255, 255, 0),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "gray": (128, 128, 128),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "lime": (0, 255, 0),
    "orange": (255, 165, 0),
    "pink": (255, 192, 203),
    "purple": (128, 0, 128),
    "olive": (128, 128, 0),
}


def find(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return the (x, y) of all pixels of a colour below the instruction, float64 (n, 2)."""
    return np.argwhere((picture[51:210, :160] == colour).all(axis=2))[:, ::-1] + (0.0, 51.0)


def middle(points: np.ndarray) -> Point:
    """Return the middle of what surrounds the points."""
    x, y = (points.min(axis=0) + points.max(axis=0)) / 2
    return float(x), float(y)


def submit(picture: np.ndarray) -> Point:
    """Return where the lowest button is."""
    points = find(picture, BUTTON)
    return middle(points[points[:, 1] > points[:, 1].max() - 12])


def click_test(picture: np.ndarray, text: str) -> list[Point]:
    """Click the button."""
    return [middle(find(picture, BUTTON))]


def click_color(picture: np.ndarray, text: str) -> list[Point]:
    """Click on the <colour> colored box: a pixel that has only its colour around it."""
    colour = next(word for word in re.findall("[a-z]+", text.lower()) if word in COLOURS)
    same = np.zeros((210, 160), bool)
    xs, ys = find(picture, COLOURS[colour]).astype(int).T
    same[ys, xs] = True
    inside = same.copy()
    for shift in range(-12, 13):
        inside &= np.roll(same, shift, 0) & np.roll(same, shift, 1)
    if colour == "white":  # so is the page: a box has a border
        inside &= ~np.roll(same, 24, 0) | ~np.roll(same, -24, 0)
    y, x = np.argwhere(inside)[0]
    return [(float(x), float(y))]


def grid_coordinate(picture: np.ndarray, text: str) -> list[Point]:
    """Click on the grid coordinate (x,y): the dots stand from -2 to 2 in both directions."""
    x, y = map(int, re.findall(r"-?\d", text))
    dots = find(picture, DOT)
    low, high = dots.min(axis=0), dots.max(axis=0)
    step = (high - low - 6) / 4  # a dot is some 6 pixels wide
    centre = (low + high) / 2
    return [(float(centre[0] + x * step[0]), float(centre[1] - y * step[1]))]


def focus_text(picture: np.ndarray, text: str) -> list[Point]:
    """Focus into the textbox."""
    return [middle(find(picture, BORDER))]


def circle_center(picture: np.ndarray, text: str) -> list[Point]:
    """Find and click on the center of the circle, then press submit."""
    button = submit(picture)
    dark = np.argwhere(picture[51 : int(button[1]) - 14, :160].max(axis=2) < 100)[:, ::-1]
    return [middle(np.add(dark, (0.0, 51.0))), button]


TASKS: dict[str, Callable[[np.ndarray, str], list[Point]]] = {
    "wob.mini.ClickTest-v0": click_test,
    "wob.mini.ClickColor-v0": click_color,
    "wob.mini.GridCoordinate-v0": grid_coordinate,
    "wob.mini.FocusText-v0": focus_text,
    "wob.mini.CircleCenter-v0": circle_center,
}


def click(x: float, y: float) -> Iterator[tuple[str, int, int, int]]:
    """Yield the events of a click."""
    for buttons in (0, 1, 0):
        yield ("PointerEvent", round(x), round(y), buttons)


async def episode(session: auniverse.Session, task: str, seed: int) -> float:
    """Play one episode; return what it earned before the clock took its share."""
    observation, info = await session.reset(seed=seed, env_id=task)
    # Our own pointer is on the screen too: out of the way with it.
    observation, *_ = await session.step([("PointerEvent", 400, 400, 0)])
    try:
        points = TASKS[task](observation, info["text"])
    except (IndexError, StopIteration, ValueError):
        points = []
    over = False
    while not over:  # where nothing was found, time runs out
        events = click(*points.pop(0)) if points else ()
        *_, terminated, truncated, info = await session.step(events)
        over = terminated or truncated
    return float(info.get("raw_reward") or 0.0)


async def play(remotes: int, episodes: int, tasks: list[str]) -> dict[str, dict[str, float]]:
    """Play so many episodes of each task; return how it went."""
    jobs = [(task, seed) for task in tasks for seed in range(episodes)]
    rewards: dict[str, list[float]] = {task: [] for task in tasks}

    async def work(remote: auniverse.Remote) -> None:
        async with auniverse.connect(remote, env_id=tasks[0]) as session:
            while jobs:
                task, seed = jobs.pop(0)
                rewards[task].append(await episode(session, task, seed))

    async with auniverse.launch("world-of-bits", n=remotes) as fleet, asyncio.TaskGroup() as crew:
        for remote in fleet:
            crew.create_task(work(remote))
    return {
        task: {"episodes": len(earned), "success_rate": float(np.mean(np.array(earned) > 0))}
        for task, earned in rewards.items()
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--remotes", type=int, default=2, help="browsers at a time")
    parser.add_argument("--episodes", type=int, default=50, help="episodes of each task")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("tasks", nargs="*", help="some of: " + ", ".join(TASKS))
    options = parser.parse_args()
    if unknown := set(options.tasks) - TASKS.keys():
        parser.error(f"no rule for {', '.join(unknown)}")
    results = asyncio.run(play(options.remotes, options.episodes, options.tasks or list(TASKS)))
    if options.json:
        print(json.dumps(results))
        return
    for task, result in results.items():
        print(f"{task:28} {result['success_rate']:6.0%} of {result['episodes']} episodes")


if __name__ == "__main__":
    main()
