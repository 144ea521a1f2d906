"""Decoders and copies in C."""

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from ..decoders import Fed
from ..messages import CursorChanged, FrameDrawn, PointerMoved, Updated
from ..types import Box, Frame

#: The library that it is linked with for JPEG; "" for none.
JPEG: str

class Decoder:
    #: Given the types of what it returns; what makes a pointer's shape of RGBA, width, height and
    #: hot spot; and the longest side of one, in pixels
    def __init__(
        self,
        box: type[Box],
        fed: type[Fed],
        updated: type[Updated],
        drawn: type[FrameDrawn],
        frame: type[Frame],
        pointer: type[PointerMoved],
        make_shape: Callable[[bytearray, int, int, int, int], CursorChanged],
        largest_cursor: int,
        /,
    ) -> None: ...

    inside: bool
    left: int
    reason: str
    #: of the rectangle that was refused: x, y, width, height, encoding; bytes of it consumed before
    rectangle: tuple[int, int, int, int, int]
    taken: int
    #: of the last feed: why it came back (`enum stop`), and what is left of its allowance
    stop: int
    allowance: int
    #: bytes of a rectangle that may be received on the screen itself, and where in it they belong
    missing: int
    missing_at: int

    #: RGBX, data, position, allowance, largest rectangle in pixels; what is consumed is counted
    #: from the front of the data
    def feed(
        self,
        pixels: NDArray[Any],
        data: memoryview,
        position: int,
        allowance: int,
        largest: int,
        /,
    ) -> Fed: ...
    def pass_(self, left: int, /) -> None: ...
    def placed(self, count: int, /) -> None: ...
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
