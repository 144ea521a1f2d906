"""A host whose program writes down, outside of any protocol, what it gave to whom.

Run as `python -m tests.chaos.host`, with the arguments that `auniverse.remotes.process` gives. Each
process has a ledger of its own in the directory `CHAOS_LEDGERS`: one line for each episode's start
("episode N"), each reward ("reward R") and each end ("over"). A line is with the kernel before the
reward is with the rewarder, so that not even SIGKILL can make one that was sent be missing.
"""

import os
import random
import sys
import uuid
from pathlib import Path

import numpy as np

from auniverse.host import Host, Metadata, Outcome, serving
from auniverse.host.__main__ import main

ENV_ID = "chaos.Ledger-v0"
WIDTH, HEIGHT, FPS = 64, 48, 20.0
LEDGERS = "CHAOS_LEDGERS"


class Bookkeeper:
    """A moving bar. A few frames in ten are worth something, an odd number of 1/1024 each time.

    Its text names the episode: the ledger's name and the episode's number in it.
    """

    def __init__(self):
        self.name = uuid.uuid4().hex
        path = Path(os.environ[LEDGERS]) / self.name
        self.ledger = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self.random = random.Random()
        self.episode = self.frame = self.length = 0
        self.picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    def write(self, line):
        os.write(self.ledger, f"{line}\n".encode())

    def load(self, env_id):
        return Metadata(env_id, FPS, WIDTH, HEIGHT, ((), ("a",)), "hold", ("a",), False, True)

    def reset(self, seed):
        if self.frame < self.length:
            self.write("cut short")
        self.episode += 1
        self.frame, self.length = 0, self.random.randint(40, 120)
        self.write(f"episode {self.episode}")
        return self.draw(), f"{self.name} {self.episode}"

    def press(self, event):
        pass

    def advance(self):
        self.frame += 1
        reward = 0.0
        if self.random.random() < 0.3:
            reward = self.random.randrange(1, 1 << 20, 2) / 1024
            self.write(f"reward {reward}")
        over = self.frame >= self.length
        if over:
            self.write("over")
        return self.draw(), Outcome(reward, over and self.episode % 2 == 0, over, None, {})

    def close(self):
        os.close(self.ledger)

    def draw(self):
        self.picture[:] = 0
        self.picture[:, self.frame % WIDTH] = 255
        return self.picture


if __name__ == "__main__":
    serving._host = lambda runtime: lambda **options: Host(Bookkeeper(), **options)
    sys.exit(main())
