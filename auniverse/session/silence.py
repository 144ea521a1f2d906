"""A remote that answers nothing, told from one that has nothing to say.

Theory of operation. A screen that does not change sends nothing, and so does an environment without
rewards; TCP keeps a connection for as long as the far side's kernel lives. So whoever is quiet is
asked for something that it must answer at once (`probe`), and only who leaves that unanswered is
silent. Silence is counted in beats of this process, not by the clock: if the event loop was held up
for a minute, nobody was heard in that minute either, and it counts as one beat.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from auniverse.errors import UsageError

#: Beats in the time that a link may be silent. A quiet one is probed from its first beat on, so
#: that it has three beats at least for the answer; with the fourth it is silent.
BEATS = 5


class Voice(Protocol):
    """What must answer: a link."""

    @property
    def heard_at(self) -> float:
        """When the newest bytes came."""

    def probe(self) -> None:
        """Ask for something that is answered at once."""


class Silence:
    """Listens to some links, beat by beat.

    Args:
        limit: Seconds that one may be silent.

    Attributes:
        beat: Seconds between two calls of `listen`.

    Raises:
        UsageError: The limit is not more than 0.
    """

    def __init__(self, limit: float) -> None:
        if not limit > 0:
            raise UsageError(f"silence={limit!r}: more than 0 seconds, or None")
        self.limit = limit
        self.beat = limit / BEATS
        self._quiet: dict[Voice, tuple[float, int]] = {}

    def left_unanswered(self, voice: Voice) -> bool:
        """Tell whether a voice was probed a whole beat ago or more, and not heard since."""
        return self._quiet.get(voice, (0.0, 0))[1] > 1

    def forget(self) -> None:
        """Begin anew: what was not heard so far has a good reason."""
        self._quiet.clear()

    def listen(self, voices: Iterable[Voice]) -> Voice | None:
        """Note who was heard since the last beat, probe who was not; return one that is silent."""
        for voice in voices:
            heard_at, quiet = self._quiet.get(voice, (float("nan"), 0))
            quiet = quiet + 1 if voice.heard_at == heard_at else 0
            self._quiet[voice] = voice.heard_at, quiet
            if quiet >= BEATS - 1:
                return voice
            if quiet:
                voice.probe()
        return None
