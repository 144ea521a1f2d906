"""Decoders and copies in C."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from ..types import Box

#: The library that it is linked with for JPEG; "" for none.
JPEG: str

class Decoder:
    #: Given the type of the boxes that take_damage returns
    def __init__(self, box: type[Box], /) -> None: ...

    inside: bool
    left: int
    reason: str

    #: RGBX, data, position, allowance -> stop, position, updates, rectangles, needed, allowance,
    #: and of updates that ended: rectangles, updates, and the frame if there was one
    def feed(
        self, pixels: NDArray[Any], data: memoryview, position: int, allowance: int, /
    ) -> tuple[
        int,
        int,
        int,
        int,
        int,
        int,
        list[tuple[int, int, tuple[int, float, int, float] | None]],
    ]: ...
    def pass_(self, left: int, /) -> None: ...
    def take_damage(self) -> list[Box]: ...

def copy_rgb(
    source: NDArray[Any], target: NDArray[Any], x: int, y: int, width: int, height: int, /
) -> None: ...
def copy_all(
    jobs: Sequence[tuple[NDArray[Any], NDArray[Any], list[Box]]],
    /,
) -> None: ...
def shrink(
    source: NDArray[Any],
    target: NDArray[Any],
    region: tuple[int, int, int, int],
    damage: list[Box],
    /,
) -> list[tuple[int, int, int, int]]: ...
