"""What we hold down on a remote, and when the remote read what we sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from auniverse.rfb import Frame, KeyEvent, PointerEvent
from auniverse.spaces import Event, JoystickEvent

InputEvent = Event
#: What goes to the screen's connection; a joystick's axes go to the rewarder's.
ScreenEvent = KeyEvent | PointerEvent

#: How many sendings are remembered to measure when the host read them.
REMEMBERED = 1024


class Hands:
    """The keys and buttons that are down, and the sendings not yet read.

    Attributes:
        sent: Input events sent so far.
        lag: Seconds from sending to the host's reading, of the newest sending it has read; from
            servers that only confirm with a fence, seconds until that came back, which is a way
            more. NaN before there was one, and for servers that say neither.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.lag = float("nan")
        self._held: set[int] = set()
        self._pointer = PointerEvent(0, 0, 0)
        self._unread: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)

    @property
    def held(self) -> frozenset[int]:
        """The keysyms that are down."""
        return frozenset(self._held)

    def follow(self, events: Iterable[InputEvent]) -> list[ScreenEvent]:
        """Note what `events` press and release; return them, without those of a joystick."""
        followed = [event for event in events if not isinstance(event, JoystickEvent)]
        for event in followed:
            if isinstance(event, PointerEvent):
                self._pointer = event
            elif event.down:
                self._held.add(event.keysym)
            else:
                self._held.discard(event.keysym)
        return followed

    def note_sent(self, count: int, now: float) -> None:
        """`count` events left at `now` (unix seconds, our clock)."""
        if count:
            self.sent += count
            self._unread.append((self.sent, now))

    def note_read(self, frame: Frame, skew: float) -> None:
        """The host says how much it has read; `skew` turns its clock into ours."""
        self.note_confirmed(frame.inputs, frame.input_at + skew)

    def note_confirmed(self, inputs: int, at: float) -> None:
        """`inputs` events in all had been read at `at` (unix seconds, our clock)."""
        while self._unread and self._unread[0][0] <= inputs:
            number, sent_at = self._unread.popleft()
            if number == inputs:
                self.lag = at - sent_at

    def release(self) -> list[InputEvent]:
        """Return the events that let everything go, and count it as done."""
        events: list[InputEvent] = [KeyEvent(keysym, False) for keysym in sorted(self._held)]
        if self._pointer.buttons:
            self._pointer = self._pointer._replace(buttons=0)
            events.append(self._pointer)
        self._held.clear()
        return events
