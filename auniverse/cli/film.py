"""What a demo leaves behind: a film and a contact sheet of four screens at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MissingDependencyError

if TYPE_CHECKING:
    from PIL.Image import Image

#: One screen in the film, in pixels.
WIDTH, HEIGHT = 512, 384
#: The film's clock ticks a second: its pictures come when they came, not at an even pace.
CLOCK = 1000

INK = (235, 235, 235)
PAPER = (18, 18, 20)
MARGIN = 16
CAPTION = 22

Pictures = Sequence[NDArray[np.uint8]]


class Moment(NamedTuple):
    """What all screens showed at one time.

    Attributes:
        seconds: Time since the start.
        pictures: One uint8 (height, width, 3) RGB for each screen.
    """

    seconds: float
    pictures: Pictures


def require_video() -> None:
    """Make sure that pictures and films can be written.

    Raises:
        MissingDependencyError: The extra `video` is not installed.
    """
    try:
        import av  # noqa: F401
        import PIL  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"{error.name} is missing: pip install 'auniverse[video]'", name=error.name
        ) from error


def grid(count: int) -> tuple[int, int]:
    """Return the rows and columns of the squarest grid for `count` screens."""
    columns = math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns


def tile(pictures: Pictures, captions: Sequence[str]) -> Image:
    """Return one picture of all screens, each `WIDTH` by `HEIGHT`, with its caption."""
    from PIL import Image, ImageDraw

    rows, columns = grid(len(pictures))
    canvas = Image.new("RGB", (columns * WIDTH, rows * HEIGHT), PAPER)
    draw = ImageDraw.Draw(canvas)
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = index % columns * WIDTH, index // columns * HEIGHT
        canvas.paste(_scaled(picture, WIDTH, HEIGHT), (left, top))
        draw.text((left + 8, top + HEIGHT - CAPTION), caption, INK, _font(14), **_OUTLINE)
    return canvas


class Film:
    """An H.264 film in an MP4 file.

    Args:
        path: Where it goes; the folder is made.
        captions: One for each screen.
        fps: What the file says of itself; pictures keep their own times.
    """

    def __init__(self, path: Path, captions: Sequence[str], *, fps: int = 20) -> None:
        import av

        rows, columns = grid(len(captions))
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._captions = captions
        self._container = av.open(str(path), "w")
        self._stream = self._container.add_stream("libx264", rate=fps)
        self._stream.width, self._stream.height = columns * WIDTH, rows * HEIGHT
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, CLOCK)
        self._stream.options = {"preset": "veryfast", "crf": "23"}
        self._last = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, moment: Moment) -> None:
        """Append what all screens show; runs some milliseconds, so call it in a thread."""
        import av

        ticks = round(moment.seconds * CLOCK)
        if ticks <= self._last:
            return
        self._last = ticks
        frame = av.VideoFrame.from_ndarray(
            np.asarray(tile(moment.pictures, self._captions)), format="rgb24"
        )
        frame.pts, frame.time_base = ticks, Fraction(1, CLOCK)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def contact_sheet(path: Path, moments: Sequence[Moment], captions: Sequence[str]) -> None:
    """Write a PNG: for each screen its last moment large, and the moments before it in a strip.

    Args:
        path: Where it goes; the folder is made.
        moments: In the order of time, two or more.
        captions: One for each screen.
    """
    from PIL import Image, ImageDraw

    *earlier, last = moments
    rows, columns = grid(len(captions))
    strip_width = (WIDTH - (len(earlier) - 1) * 4) // len(earlier)
    strip_height = strip_width * HEIGHT // WIDTH
    cell_width = WIDTH + MARGIN
    cell_height = CAPTION + HEIGHT + 4 + strip_height + CAPTION + MARGIN
    size = (columns * cell_width + MARGIN, rows * cell_height + MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, caption in enumerate(captions):
        left = MARGIN + index % columns * cell_width
        top = MARGIN + index // columns * cell_height
        draw.text((left, top), caption, INK, _font(15))
        sheet.paste(_scaled(last.pictures[index], WIDTH, HEIGHT), (left, top + CAPTION))
        below = top + CAPTION + HEIGHT + 4
        for number, moment in enumerate(earlier):
            x = left + number * (strip_width + 4)
            sheet.paste(_scaled(moment.pictures[index], strip_width, strip_height), (x, below))
            draw.text((x, below + strip_height + 3), f"{moment.seconds:.1f} s", INK, _font(12))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


_OUTLINE: dict[str, Any] = {"stroke_width": 2, "stroke_fill": PAPER}


def _scaled(picture: NDArray[np.uint8], width: int, height: int) -> Image:
    from PIL import Image

    return Image.fromarray(picture).resize((width, height), Image.Resampling.BOX)


@cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
