from __future__ import annotations

import sys

import numpy as np
import pygame
import pytest

from auniverse.errors import MissingDependencyError
from auniverse.window import Window

PICTURE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_it_shows_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = Window("a title")
    for picture in (PICTURE, PICTURE.repeat(2, axis=1)):
        window.show(picture)
        shown = pygame.surfarray.array3d(pygame.display.get_surface())
        assert np.array_equal(shown.swapaxes(0, 1), picture)
    assert pygame.display.get_caption()[0] == "a title"
    window.close()
    window.close()
    assert not pygame.display.get_init()
    window.show(PICTURE)
    assert pygame.display.get_surface().get_size() == (6, 4)
    window.close()


def test_without_a_display_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingDependencyError, match="no display"):
        Window("nowhere")


def test_without_pygame_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingDependencyError, match="pip install pygame-ce"):
        Window("nowhere")
