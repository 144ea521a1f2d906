from __future__ import annotations

from auniverse.rfb.decoders.walk import AGAIN, AT_ONCE, Walk
from auniverse.rfb.types import Rectangle


def test_it_goes_on_where_it_stopped() -> None:
    seen: list[tuple[int, int, int]] = []

    def step(data: memoryview, start: int, width: int, height: int) -> int:
        seen.append((start, width, height))
        return start + 2

    walk = Walk(16, step)
    place = Rectangle(0, 0, 20, 17, 5)
    assert walk.reach(memoryview(b""), place) == 2
    assert walk.reach(memoryview(b"abc"), place) == 4
    assert walk.reach(memoryview(b"abcdefgh"), place) == 8
    assert walk.reach(memoryview(b"abcdefgh"), place) == 8
    assert seen == [(0, 16, 16), (0, 16, 16), (2, 4, 16), (2, 4, 16), (4, 16, 1), (6, 4, 1)]
    walk.restart()
    assert walk.reach(memoryview(b"a"), place) == 2


def test_nothing_has_no_tiles() -> None:
    walk = Walk(16, lambda *_: 1 // 0)
    assert walk.reach(memoryview(b""), Rectangle(0, 0, 0, 5, 5)) == 0
    assert walk.reach(memoryview(b""), Rectangle(0, 0, 5, 0, 5)) == 0


def test_others_have_their_turn_after_some_tiles_and_after_fewer_slow_ones() -> None:
    ends: list[int] = []
    slow = 0

    def step(data: memoryview, start: int, width: int, height: int) -> int:
        walk.left -= slow
        ends.append(start + 1)
        return start + 1

    walk = Walk(16, step)
    place, payload = Rectangle(0, 0, 16, 16 * 5 * AT_ONCE, 5), memoryview(bytes(5 * AT_ONCE))
    assert walk.reach(payload, place) == AGAIN
    assert ends[-1] == AT_ONCE
    slow = AT_ONCE // 4
    assert walk.reach(payload, place) == AGAIN
    assert ends[-1] == AT_ONCE + 4
    slow = 10 * AT_ONCE
    assert walk.reach(payload, place) == AGAIN
    assert ends[-1] == AT_ONCE + 5
