"""A program that shows what it does, and hosts of it in the test's own event loop."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np

from auniverse.errors import UnknownEnvError
from auniverse.host import Host, Metadata, Outcome
from auniverse.keysyms import keysym
from auniverse.rfb import KeyEvent

WIDTH, HEIGHT = 32, 24
ENV_ID = "meter.Meter-v0"
A, Q, T, X = (keysym(key) for key in "aqtx")


class Meter:
    """Pixels: red = frames of the episode, green = seed, blue = keys down.

    Each frame with `a` down is worth 1. `q` terminates, `t` truncates, `x` crashes.
    """

    def __init__(self, fps=200.0):
        self.fps = fps
        self.down = set()
        self.frames = self.seed = self.episodes = 0

    def load(self, env_id):
        if env_id != ENV_ID:
            raise UnknownEnvError(f"no {env_id!r} here")
        keys = ("a", "q", "t", "x")
        actions = ((), *((key,) for key in keys))
        return Metadata(env_id, self.fps, WIDTH, HEIGHT, actions, "hold", keys, False, True)

    def reset(self, seed):
        self.seed = self.seed if seed is None else seed
        self.frames = 0
        self.episodes += 1
        self.down.clear()
        return self._picture(), f"episode {self.episodes}"

    def press(self, event):
        if isinstance(event, KeyEvent):
            (self.down.add if event.down else self.down.discard)(event.keysym)

    def advance(self):
        self.frames += 1
        if X in self.down:
            raise RuntimeError("crashed as asked")
        reward = 1.0 if A in self.down else 0.0
        return self._picture(), Outcome(reward, Q in self.down, T in self.down, None, {})

    def close(self):
        self.down.clear()

    def _picture(self):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        picture[:] = self.frames % 256, self.seed % 256, len(self.down)
        return picture


@asynccontextmanager
async def meters(count, **options):
    """Hosts of `count` meters; yields the hosts."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                Host(Meter(), env_id=ENV_ID, screen="native", password="secret12", **options)
            )
            for _ in range(count)
        ]


def press(key):
    return [("KeyEvent", key, True)]


def lift(key):
    return [("KeyEvent", key, False)]
