"""A window on this machine's display that shows a screen."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MissingDependencyError

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")


class Window:
    """A window; it opens with the first picture and has its size.

    Args:
        title: Of the window.

    Raises:
        MissingDependencyError: There is no display, or pygame is not installed.
    """

    def __init__(self, title: str) -> None:
        if sys.platform == "linux" and not any(os.environ.get(name) for name in _DISPLAYS):
            raise MissingDependencyError("there is no display to open a window on")
        try:
            self._pygame: Any = importlib.import_module("pygame")
        except ImportError as error:
            raise MissingDependencyError("a window needs pygame: pip install pygame-ce") from error
        self._title = title
        self._surface: Any = None

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Show a picture, uint8 (height, width, 3) RGB."""
        height, width, _ = picture.shape
        display = self._pygame.display
        if self._surface is None or self._surface.get_size() != (width, height):
            display.init()
            display.set_caption(self._title)
            self._surface = display.set_mode((width, height))
        self._pygame.surfarray.blit_array(self._surface, picture.swapaxes(0, 1))
        self._pygame.event.pump()
        display.flip()

    def close(self) -> None:
        """Close the window. Twice is once."""
        if self._surface is not None:
            self._surface = None
            self._pygame.display.quit()
