"""What makes rewards of pictures, as a host sees it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

#: A picture: uint8, shape (height, width, 3), RGB.
Picture = NDArray[np.uint8]


class Sight(NamedTuple):
    """What one look brought."""

    #: What was earned since the look before.
    reward: float
    #: Whether the episode has ended.
    over: bool
    #: What was read just now, None if that was nothing.
    score: float | None
    #: Why the episode was ended although the program did not end it; "" if it did.
    reason: str = ""


class Scorer(Protocol):
    """Reads rewards off a program, one episode after the other.

    Whatever it is shown, `look` returns: what cannot be read is no score.
    """

    def begin(self) -> None:
        """Begin an episode: forget all of the last one."""

    def look(self, picture: Picture, now: float) -> Sight:
        """Look at what the program shows.

        Args:
            picture: All of it.
            now: Seconds on any clock that never goes back.
        """
