"""The part of a connection that has a decoder: how far that is, and on whose thread."""

from __future__ import annotations

from .conversation import Conversation
from .decoders import Decoder
from .types import Limits


class Painting(Conversation):
    """What a connection has painted, and who may go on.

    Attributes:
        lends: Whether another thread can be had, see `lend`. A rectangle of more pixels than a turn
            of `go_on` has work for then waits for it, if it cannot be painted in parts.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._decoder: Decoder | None = None  # from OPEN on
        self.lends = False

    @property
    def updates(self) -> int:
        """FramebufferUpdates that have ended."""
        return self._decoder.updates if self._decoder else 0

    @property
    def rectangles(self) -> int:
        """Rectangles read."""
        return self._decoder.rectangles if self._decoder else 0

    @property
    def pixels(self) -> int:
        """Pixels painted, each as often as it was."""
        return self._decoder.pixels if self._decoder else 0

    @property
    def plain(self) -> bool:
        """Whether what it painted last came as plain pixels, which are only copied."""
        return self._decoder is not None and self._decoder.plain

    @property
    def receives(self) -> bool:
        """Whether it can take bytes from a socket by itself: see `Connection.receive`."""
        return self._decoder is not None and self._decoder.receives

    @property
    def parallel(self) -> bool:
        """Whether other threads of Python run while an update is decoded."""
        return self._decoder is not None and self._decoder.parallel

    def lend(self, abroad: bool) -> None:
        """Say whether `go_on` is called by another thread than the one that owns the screen.

        Until it is back, nothing else may be called; what packs messages may, and what is told of
        the connection may be looked at. What takes more than painting then waits: see `blocked`.
        """
        assert self._decoder is not None
        self._decoder.abroad = abroad

    @property
    def blocked(self) -> bool:
        """Whether what comes next waits for the thread that owns the screen."""
        return self._decoder is not None and self._decoder.blocked

    @property
    def too_large(self) -> bool:
        """Whether what comes next waits to be read by another thread: see `lends`."""
        return self._decoder is not None and self._decoder.too_large
