"""One environment of the package miniwob (selenium), clicked at random: a process of its own.

python benchmarks/peers/miniwob_clicks.py TASK SEED

It prints a line when it is ready, begins at the first line on stdin, ends at the second, and prints
how many steps and episodes it did, as JSON.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import threading

import gymnasium
import miniwob  # noqa: F401 (registers its environments)
from miniwob.action import ActionTypes


def main() -> None:
    task, seed = sys.argv[1], int(sys.argv[2])
    dice = random.Random(seed)
    env = gymnasium.make(f"miniwob/{task}-v1", disable_env_checker=True)
    env.reset(seed=seed)
    print("ready", flush=True)
    sys.stdin.readline()
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), daemon=True).start()
    steps = episodes = 0
    while not over.is_set():
        coords = [dice.randrange(160), dice.randrange(50, 210)]
        action = env.unwrapped.create_action(ActionTypes.CLICK_COORDS, coords=coords)
        *_, terminated, truncated, _ = env.step(action)
        steps += 1
        if terminated or truncated:
            episodes += 1
            env.reset(seed=seed + episodes)
    print(json.dumps({"steps": steps, "episodes": episodes}), flush=True)
    env.close()


if __name__ == "__main__":
    if shutil.which("chromedriver") is None:
        sys.exit("chromedriver is not installed")
    main()
