"""What a client can say to a server, and what it has learned of what that server can do."""

from __future__ import annotations

from abc import ABC, abstractmethod

from auniverse.errors import UsageError

from .clipboard import Clipboard, ClipboardMessage
from .extensions import (
    DONE_BEFORE,
    LONGEST_FENCE,
    Fence,
    enable_continuous_updates,
    extended_key,
    set_desktop_size,
)
from .framebuffer import Framebuffer
from .incoming import Message
from .messages import (
    ContinuousUpdatesEnded,
    ContinuousUpdatesOffered,
    CutText,
    Event,
    FenceReplied,
    FrameDrawn,
    KeyEvent,
    KeysExtended,
    LayoutChanged,
    PointerEvent,
    Renamed,
    Resized,
    client_cut_text,
    update_request,
)
from .scancodes import SCANCODES
from .types import Box, Frame, Limits, Monitor


class Conversation(ABC):
    """The messages of an open connection, without how they travel.

    Attributes:
        name: The desktop's name, "" until it is known.
        framebuffer: The screen, None until its size is known.
        frame: The newest frame that a finished update has announced.
        monitors: What the screen is made of. The server can be asked for another size if this is
            not empty.
        fences: Whether the server knows fences.
        continuous: Whether updates come without requests; None: the server has not offered it.
        extended_keys: Whether the server takes keys by their place too.
    """

    def __init__(self, limits: Limits) -> None:
        self.name = ""
        self.framebuffer: Framebuffer | None = None
        self.frame: Frame | None = None
        self.monitors: tuple[Monitor, ...] = ()
        self.fences = False
        self.continuous: bool | None = None
        self.extended_keys = False
        self._clipboard = Clipboard(limits)
        self._events: list[Event] = []

    @abstractmethod
    def _send(self, message: bytes) -> None:
        """Queue bytes for the server."""

    # What we say.

    def send_key(self, keysym: int, down: bool) -> None:
        """Press or release a key.

        Raises:
            InvalidActionError: There can be no such keysym.
            ConnectionLostError: The connection is closed.
            UsageError: It is not open yet.
        """
        self._send(self.key_message(keysym, down))

    def key_message(self, keysym: int, down: bool) -> bytes:
        """Return what `send_key` would send, for who sends it himself.

        Raises:
            InvalidActionError: There can be no such keysym.
        """
        return self.input_message(KeyEvent(keysym, down))

    def input_message(self, event: KeyEvent | PointerEvent) -> bytes:
        """Return what tells the server of a key or the pointer; raises as `key_message`."""
        if self.extended_keys and type(event) is KeyEvent and event.keysym in SCANCODES:
            return extended_key(event.keysym, event.down, SCANCODES[event.keysym])
        return event.pack()

    def send_pointer(self, x: int, y: int, buttons: int) -> None:
        """Move the pointer to a pixel, with a mask of pressed buttons; raises as `send_key`."""
        self._send(PointerEvent(x, y, buttons).pack())

    def send_cut_text(self, text: str) -> None:
        """Hand over text for the remote's cut buffer; raises as `send_key`.

        It must be Latin-1, unless the server speaks the extended clipboard.
        """
        extended = self._clipboard.ready
        self._send(self._clipboard.offer(text) if extended else client_cut_text(text))

    def send_fence(self, payload: bytes = b"") -> None:
        """Ask for `FenceReplied` once the server has read all that was sent before.

        Raises:
            UsageError: The server knows no fences, or the payload has more than 64 bytes.
            ConnectionLostError: The connection is closed.
        """
        self._send(self.fence_message(payload))

    def fence_message(self, payload: bytes) -> bytes:
        """Return what `send_fence` would send; UsageError as there."""
        if not self.fences or len(payload) > LONGEST_FENCE:
            raise UsageError(
                f"a fence of {len(payload)} bytes to a server with fences={self.fences}"
            )
        return Fence(DONE_BEFORE, payload).pack()

    def update_continuously(self, on: bool = True) -> None:
        """Have updates of the whole screen sent without requests, or only on request again.

        After a resize this must be said again. It is over when `ContinuousUpdatesEnded` says so.

        Raises:
            UsageError: The server has not offered it.
            ConnectionLostError: The connection is closed.
        """
        if self.continuous is None:
            raise UsageError("the server has not offered continuous updates")
        self.continuous = on or self.continuous
        self._send(enable_continuous_updates(on, self._screen()))

    def request_size(self, width: int, height: int) -> None:
        """Ask for a screen of another size in pixels; `Resized` or `LayoutChanged` will tell.

        Raises:
            UsageError: The server has not said that it can be asked, or there is no such size.
            ConnectionLostError: The connection is closed.
        """
        if not self.monitors:
            raise UsageError("the server cannot be asked for another size")
        if not (0 < width <= 0xFFFF and 0 < height <= 0xFFFF):
            raise UsageError(f"a screen of {width}x{height} pixels")
        only = self.monitors[0]._replace(x=0, y=0, width=width, height=height)
        self._send(set_desktop_size(width, height, [only]))

    def request_update(self, incremental: bool = True, box: Box | None = None) -> None:
        """Ask for an update of a region (all: None): what changed in it, or all of it.

        Raises:
            ConnectionLostError: The connection is closed.
            UsageError: It is not open yet, or the region is not on the screen.
        """
        self._send(self.update_message(incremental, box))
        assert self.framebuffer is not None
        self.framebuffer.allow_resizes()

    def update_message(self, incremental: bool = True, box: Box | None = None) -> bytes:
        """Return what `request_update` would send; UsageError as there.

        Who sends it himself says so by `Framebuffer.allow_resizes`.
        """
        screen, framebuffer = self._screen(), self.framebuffer
        if box is None:
            return update_request(incremental, screen)
        assert framebuffer is not None
        if not framebuffer.contains(box):
            raise UsageError(f"a request for {box} of a screen of {screen[2:]} pixels")
        return update_request(incremental, box)

    def _screen(self) -> Box:
        if self.framebuffer is None:
            raise UsageError("the connection is not open yet")
        return self.framebuffer.box

    # What we hear.

    def _hear(self, message: Message) -> None:
        """Answer a message, or turn it into an event."""
        if isinstance(message, Fence):
            self._hear_fence(message)
        elif isinstance(message, ClipboardMessage):
            text, answer = self._clipboard.receive(message.payload)
            self._send(answer)
            if text is not None:
                self._events.append(CutText(text))
        elif isinstance(message, ContinuousUpdatesEnded):
            self._hear_continuous()
        else:
            self._events.append(message)

    def _hear_fence(self, fence: Fence) -> None:
        """Return it if that is asked for. We do one thing after the other, so it is due now."""
        self.fences = True
        answer = fence.answer()
        if answer is None:
            self._events.append(FenceReplied(fence.payload))
        else:
            self._send(answer.pack())

    def _hear_continuous(self) -> None:
        """The first time it is an offer, later the end of what was on."""
        if self.continuous is None:
            self._events.append(ContinuousUpdatesOffered())
        elif self.continuous:
            self._events.append(ContinuousUpdatesEnded())
        self.continuous = False

    def _heed(self, event: Event) -> None:
        """Keep what an update has said of the server."""
        match event:
            case FrameDrawn(frame):
                self.frame = frame
            case Renamed(name):
                self.name = name
            case KeysExtended():
                self.extended_keys = True
            case FenceReplied():
                self.fences = True
            case Resized(monitors=monitors) | LayoutChanged(status=0, monitors=monitors):
                self.monitors = monitors
