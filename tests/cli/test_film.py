from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from auniverse.cli.film import (
    HEIGHT,
    WIDTH,
    Film,
    Moment,
    Pictures,
    contact_sheet,
    grid,
    require_video,
    tile,
)
from auniverse.errors import MissingDependencyError

COLOURS = ((200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0))


def screens() -> Pictures:
    pictures = [np.zeros((HEIGHT * 2, WIDTH * 2, 3), np.uint8) for _ in COLOURS]
    for picture, colour in zip(pictures, COLOURS, strict=True):
        picture[:] = colour
    return pictures


def test_grids_are_square() -> None:
    assert [grid(count) for count in (1, 2, 3, 4, 5, 9)] == [
        (1, 1),
        (1, 2),
        (2, 2),
        (2, 2),
        (2, 3),
        (3, 3),
    ]


def test_each_screen_has_its_tile() -> None:
    canvas = tile(screens(), ["a", "b", "c", "d"])
    assert canvas.size == (2 * WIDTH, 2 * HEIGHT)
    middles = [(x, y) for y in (HEIGHT // 2, HEIGHT * 3 // 2) for x in (WIDTH // 2, WIDTH * 3 // 2)]
    assert tuple(canvas.getpixel(middle) for middle in middles) == COLOURS


def test_a_film_plays_at_the_pace_it_was_taken(tmp_path: Path) -> None:
    import av

    path = tmp_path / "deep" / "film.mp4"
    with Film(path, ["a", "b", "c", "d"]) as film:
        for seconds in (0.0, 0.1, 0.1, 0.5):
            film.add(Moment(seconds, screens()))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == (
            "h264",
            2 * WIDTH,
            2 * HEIGHT,
        )
        frames = list(container.decode(stream))
    assert [frame.time for frame in frames] == pytest.approx([0.0, 0.1, 0.5])
    middle = frames[0].to_ndarray(format="rgb24")[HEIGHT // 2, WIDTH // 2]
    assert np.abs(middle.astype(int) - COLOURS[0]).max() < 16


def test_a_contact_sheet_shows_the_last_moment_large(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "out" / "sheet.png"
    black = [np.zeros_like(picture) for picture in screens()]
    contact_sheet(path, [Moment(0, black), Moment(1, black), Moment(2, screens())], ["a"] * 4)
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet)
    for colour in COLOURS:
        assert (pixels == colour).all(axis=2).sum() == WIDTH * HEIGHT


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r"auniverse\[video\]"):
        require_video()
