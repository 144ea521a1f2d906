"""What stands in for a link."""

from auniverse.links.detour import Held


class Ears:
    """Link and transport at once: notes what it is told."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *args: self.told.append((name, *args))


def test_keeps_what_comes_and_tells_of_the_end():
    ears = Ears()
    held = Held(ears, ears)
    held.data_received(b"ab")
    held.data_received(b"c")
    assert held.rest == b"abc"
    assert not ears.told
    held.eof_received()
    held.connection_lost(None)
    assert ears.told == [("eof_received",), ("connection_lost", None)]


def test_a_flood_waits_in_the_socket():
    ears = Ears()
    held = Held(ears, ears)
    held.data_received(bytes(held.LIMIT))
    assert not ears.told
    held.data_received(b"x")
    assert ears.told == [("pause_reading",)]
