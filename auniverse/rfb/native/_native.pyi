"""Decoders and copies in C."""

from typing import Any

from numpy.typing import NDArray

from ..types import Box

#: The libraries it is linked with, by name and version; "" for none.
INFLATE: str
JPEG: str

class Decoder:
    inside: bool
    left: int
    reason: str
    allowance: int

    #: RGBX, data, position -> stop, position, updates, rectangles, needed, boxes, events
    def feed(
        self, pixels: NDArray[Any], data: memoryview, position: int, /
    ) -> tuple[
        int,
        int,
        int,
        int,
        int,
        list[tuple[int, int, int, int]],
        list[tuple[int, tuple[int, float, int, float] | None]],
    ]: ...
    def pass_(self, left: int, /) -> None: ...

def copy_rgb(
    source: NDArray[Any], target: NDArray[Any], x: int, y: int, width: int, height: int, /
) -> None: ...
def shrink(
    source: NDArray[Any],
    target: NDArray[Any],
    region: tuple[int, int, int, int],
    damage: list[Box],
    /,
) -> list[tuple[int, int, int, int]]: ...
