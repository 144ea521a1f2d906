"""What the corpus shows: pictures that move in a known way and then stand still.

`python -m tests.streams.workloads game 60 640x480` draws 60 frames at `FPS` in a window at the
corner of the display, says "done" and leaves the last one standing until it is killed.
"""

from __future__ import annotations

import sys

import numpy as np
import pygame

FPS = 20


def game(frame, rng, canvas):
    """30 sprites over a backdrop."""
    height, width, _ = canvas.shape
    canvas[:] = backdrop(width, height)
    for number in range(30):
        size = 12 + number % 5 * 4
        x = (number * 97 + frame * (2 + number % 5)) % (width - size)
        y = (number * 61 + frame * (1 + number % 3)) % (height - size)
        rows, columns = np.mgrid[:size, :size] - size // 2
        ball = rows**2 + columns**2 < size**2 // 4
        shade = 255 - (rows**2 + columns**2) * 2
        colour = (number * 37 % 256, number * 91 % 256, number * 53 % 256)
        patch = canvas[y : y + size, x : x + size]
        patch[ball] = (np.clip(shade[ball], 60, 255)[:, None] * colour // 255).astype(np.uint8)


def scroll(frame, rng, canvas):
    """Lines of blocks like text, running upwards; a few colours."""
    height, width, _ = canvas.shape
    rows = (np.arange(height) + frame * 6)[:, None]
    columns = np.arange(width)[None, :]
    letter = (rows // 14) * 7919 + (columns // 8) * 104729
    dot = (letter * ((rows % 14) * 8 + columns % 8 + 3)) % 7 < 3
    ink = dot & (rows % 14 < 11) & (columns % 8 < 7) & (columns // 8 % 9 != 8)
    colours = np.array([(20, 20, 30), (220, 220, 220), (120, 200, 120)], np.uint8)
    canvas[:] = colours[ink * (1 + (rows // 14 % 5 == 0))]


def video(frame, rng, canvas):
    """Plasma, and a quarter of noise."""
    height, width, _ = canvas.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for plane in range(3):
        wave = np.sin(x / (31 + 7 * plane) + frame / 5) + np.sin(y / 23 - frame / (7 + plane))
        canvas[..., plane] = (wave + np.sin((x + y) / 47 + plane)) * 42 + 128
    noise = canvas[:, width * 3 // 4 :]
    noise[:] = rng.integers(0, 256, noise.shape, np.uint8)


def smooth(frame, rng, canvas):
    """Plasma alone, fine enough for filters that predict a pixel from its neighbours."""
    video(frame, rng, canvas)
    width = canvas.shape[1]
    canvas[:, width * 3 // 4 :] = canvas[:, : width - width * 3 // 4][:, ::-1]


WORKLOADS = {"game": game, "scroll": scroll, "video": video, "smooth": smooth}


def backdrop(width, height):
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 60 // width, y * 40 // height, (x // 32 + y // 32) % 2 * 24], axis=-1)


def main(name, frames, geometry):
    width, height = map(int, geometry.split("x"))
    pygame.display.init()
    window = pygame.display.set_mode((width, height), pygame.NOFRAME)
    pygame.display.set_window_position((0, 0))
    clock = pygame.time.Clock()
    rng = np.random.default_rng(1)
    canvas = np.zeros((height, width, 3), np.uint8)
    for frame in range(int(frames)):
        WORKLOADS[name](frame, rng, canvas)
        pygame.surfarray.blit_array(window, canvas.swapaxes(0, 1))
        pygame.display.flip()
        pygame.event.pump()
        clock.tick(FPS)
    sys.stdout.write("done\n")
    sys.stdout.flush()
    while pygame.event.wait().type != pygame.QUIT:  # SDL makes SIGTERM one
        pygame.display.flip()


if __name__ == "__main__":
    main(*sys.argv[1:])
