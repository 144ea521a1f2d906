"""What is known of an environment: from the catalogue, or where that is silent, from the remote."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from auniverse.runtimes import Env
from auniverse.spaces import Controls
from auniverse.vector import SessionPool


class Description(NamedTuple):
    """What is known of an environment.

    Attributes:
        controls: What it is played with, and the size of its screen.
        text: Whether it says its state in words, too.
        fps: Frames per second.
    """

    controls: Controls
    text: bool
    fps: float


def describe(
    env: Env | None, size: tuple[int, int] | None, ask: Callable[[], SessionPool]
) -> Description:
    """Describe an environment.

    Args:
        env: What the catalogue has on it; None: nothing.
        size: Width and height of the screen; None: the remote's own.
        ask: Gives the remotes; not called if everything is known without them.
    """
    if env is not None and env.described:
        width, height = size or ask().screen_size
        pressed = env.actions, env.press, env.keys, env.pointer
        controls = Controls(*pressed, width, height, env.joystick)
        return Description(controls, env.text, env.fps)
    pool = ask()
    width, height = pool.screen_size
    v1, fps = pool.v1, 60.0 if env is None else env.fps
    if v1 is None:
        return Description(Controls(width=width, height=height), False, fps)
    controls = Controls(v1.actions, v1.press, v1.keys, v1.pointer, width, height)
    return Description(controls, v1.text, fps)
