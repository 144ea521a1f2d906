"""Decoders and copies in C."""

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from ..buffer import Buffer
from ..messages import CursorChanged, Event, FenceReplied, FrameDrawn, PointerMoved, Updated
from ..types import Box, Frame

#: The library that it is linked with for JPEG; "" for none.
JPEG: str

class ReceiveBuffer:
    """See `buffer.ReceiveBuffer`."""

    #: Given what is raised about a message above the limit
    def __init__(self, refusal: type[Exception], size: int = ..., *, limit: int = ...) -> None: ...
    def __len__(self) -> int: ...

    waiting: int
    capacity: int
    front: int

    def get_buffer(self, needed: int = ..., /) -> memoryview: ...
    def buffer_updated(self, count: int, /) -> None: ...
    def view(self) -> memoryview: ...
    def consume(self, count: int, /) -> None: ...
    def holds(self, needed: int, /) -> bool: ...

class Decoder:
    #: Given the types of what it returns; what makes a pointer's shape of RGBA, width, height and
    #: hot spot; and the longest side of one, in pixels
    def __init__(
        self,
        box: type[Box],
        updated: type[Updated],
        drawn: type[FrameDrawn],
        frame: type[Frame],
        pointer: type[PointerMoved],
        replied: type[FenceReplied],
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
    #: of the last read: why it came back (`enum stop`), what is left of its allowance, and how many
    #: bytes must wait before another can help
    stop: int
    allowance: int
    needed: int
    #: by the last `receive`, in bytes
    received: int
    #: whether it painted plain pixels last
    plain: int
    #: whether fences between updates are read too
    fences: int
    #: bytes of the answers to them
    answered: int
    #: in all
    updates: int
    rectangles: int
    pixels: int

    #: RGBX, what waits in a ReceiveBuffer, allowance, largest rectangle in pixels; returns events,
    #: None for none
    def read(
        self, pixels: NDArray[Any], buffer: Buffer, allowance: int, largest: int, /
    ) -> list[Event] | None: ...
    #: The same, and how many bytes must wait to read on; from a descriptor, at most so many bytes;
    #: and how many that wait may be decoded, unless they are plain pixels; none of all that if < 0
    def receive(
        self,
        pixels: NDArray[Any],
        buffer: Buffer,
        allowance: int,
        largest: int,
        needed: int,
        file: int,
        most: int,
        at_once: int,
        /,
    ) -> list[Event] | None: ...
    def pass_(self, left: int, /) -> None: ...
    def take_damage(self) -> list[Box]: ...
    def take_answers(self) -> bytes: ...

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
