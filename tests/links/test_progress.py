"""Drops do not count, whatever they belong to; anything whole does, however small."""

from __future__ import annotations

import pytest

from auniverse.links.progress import DRIP, Progress
from auniverse.rfb import Connection
from tests.rfb.wire import BELL, RAW, opening, rectangle, update

PICTURE = update(rectangle(0, 0, 64, 64, RAW, bytes(4 * 64 * 64)))


class Listener:
    """A connection, past its opening, that is looked at every second."""

    def __init__(self) -> None:
        self.connection = Connection(encodings=(RAW,))
        self.progress = Progress(self.connection, 0.0)
        self.now = 0.0
        self.hears(opening(64, 64))

    def hears(self, data: bytes) -> bool:
        """Take `data`; tell whether that was heard."""
        self.now += 1.0
        self.connection.receive_data(data)
        return self.progress.heard_at(self.now) == self.now


@pytest.mark.parametrize(
    "data",
    [
        PICTURE,
        update(*[rectangle(0, 0, 0, 0, RAW)] * 9000),
        b"\3\0\0\0\0\0\x40\0" + bytes(0x4000),  # a cut text
        b"\3\0\0\0\x0f\0\0\0" + bytes(0x4000),  # one that is too long and not kept
        b"\1\0\0\0\x10\0" + bytes(0x4000),  # colours for a map that we have not
    ],
)
def test_drops_of_one_message_are_not_heard(data: bytes) -> None:
    listener = Listener()
    heard = [listener.hears(data[at : at + 1]) for at in range(DRIP)]
    # The first of them may be, and the last, with which there are enough.
    assert not any(heard[8:-8])


def test_enough_of_a_message_is_heard() -> None:
    listener = Listener()
    assert all(
        listener.hears(PICTURE[at : at + DRIP]) for at in range(0, len(PICTURE) - DRIP, DRIP)
    )


def test_whole_messages_are_heard_however_small() -> None:
    listener = Listener()
    small = update(rectangle(0, 0, 1, 1, RAW, b"rgbx"))
    assert all(listener.hears(data) for data in [BELL, small, update(), BELL] * 5)
    # The end of one and the beginning of the next.
    listener.hears(small[:3])
    assert all(listener.hears(small[3:] + small[:3]) for _ in range(20))


def test_nothing_is_not_heard() -> None:
    listener = Listener()
    assert not listener.hears(b"")
    listener.hears(PICTURE[:500])
    assert not listener.hears(b"")


def test_what_we_have_not_read_yet_is_our_delay() -> None:
    listener = Listener()
    listener.hears(PICTURE[:500])
    listener.connection.get_buffer(-1)[: len(PICTURE) - 500] = PICTURE[500:]
    listener.connection.buffer_updated(len(PICTURE) - 500, 0)
    assert listener.connection.pending
    assert listener.hears(b"")
