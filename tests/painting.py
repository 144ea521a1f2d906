"""A picture of smooth colours, noise and flat areas, in a window beside an xterm."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager

from .tigervnc import end

_PROGRAM = """
import numpy, pygame, sys
pygame.display.init()
window = pygame.display.set_mode((300, 200), pygame.NOFRAME)
picture = numpy.zeros((300, 200, 3), numpy.uint8)
picture[..., 0] = numpy.linspace(0, 255, 300)[:, None]
picture[..., 1] = numpy.linspace(255, 0, 200)
picture[100:200, 100:] = 77, 0, 200
picture[220:280, 20:80] = numpy.random.default_rng(0).integers(0, 256, (60, 60, 3))
picture[20:60:4, 20:60] = 255
pygame.surfarray.blit_array(window, picture)
pygame.display.flip()
print("shown", flush=True)
while pygame.event.wait().type != pygame.QUIT:
    pygame.display.flip()
"""


@asynccontextmanager
async def painting(display):
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", _PROGRAM),
        env={
            **os.environ,
            "DISPLAY": display,
            "SDL_VIDEODRIVER": "x11",
            "SDL_VIDEO_WINDOW_POS": "300,200",
            "PYGAME_HIDE_SUPPORT_PROMPT": "1",
        },
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert await program.stdout.readline() == b"shown\n"
        # It took the keyboard; there is no window manager to give it back.
        focus = ("search", "--class", "xterm", "windowfocus")
        environment = {**os.environ, "DISPLAY": display}
        giver = await asyncio.create_subprocess_exec("xdotool", *focus, env=environment)
        await giver.wait()
        yield
    finally:
        await end(program)
