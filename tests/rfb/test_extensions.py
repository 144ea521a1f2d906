from __future__ import annotations

import pytest

from auniverse.errors import RFBError
from auniverse.rfb.extensions import (
    Fence,
    FenceFlag,
    enable_continuous_updates,
    extended_key,
    fence_length,
    pack_monitors,
    set_desktop_size,
)
from auniverse.rfb.types import Box, Monitor

MONITOR = Monitor(1, 2, 3, 640, 480, 5)
PACKED = b"\0\0\0\1\0\2\0\3\2\x80\1\xe0\0\0\0\5"


def test_bytes_on_the_wire() -> None:
    assert Fence(FenceFlag.REQUEST | 1, b"abc").pack() == b"\xf8\0\0\0\x80\0\0\1\3abc"
    assert enable_continuous_updates(True, Box(1, 2, 3, 4)) == b"\x96\1\0\1\0\2\0\3\0\4"
    assert pack_monitors([MONITOR]) == PACKED
    assert set_desktop_size(640, 480, [MONITOR]) == b"\xfb\0\2\x80\1\xe0\1\0" + PACKED
    assert extended_key(0xFF52, True, 0xC8) == b"\xff\0\0\1\0\0\xff\x52\0\0\0\xc8"


def test_a_fence_is_returned_with_the_demands_that_are_met() -> None:
    everything = Fence(0x80000007, b"x")
    assert everything.answer() == Fence(3, b"x")
    assert Fence(0xFFFFFFF8, b"x").answer() == Fence(0, b"x")
    assert Fence(7, b"x").answer() is None


def test_a_fence_has_at_most_64_bytes() -> None:
    assert fence_length(b"\xf8\0\0\0\0\0\0\0\x40") == 64
    with pytest.raises(RFBError, match="a fence of 65 bytes"):
        fence_length(b"\xf8\0\0\0\0\0\0\0\x41")
