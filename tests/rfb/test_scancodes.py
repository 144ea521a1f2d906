from __future__ import annotations

import pytest

from auniverse.keysyms import keysym
from auniverse.rfb.scancodes import SCANCODES


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("1", 0x02),
        ("equal", 0x0D),
        ("q", 0x10),
        ("bracketright", 0x1B),
        ("a", 0x1E),
        ("A", 0x1E),
        ("l", 0x26),
        ("grave", 0x29),
        ("backslash", 0x2B),
        ("z", 0x2C),
        ("slash", 0x35),
        ("question", 0x35),
        ("space", 0x39),
        ("F1", 0x3B),
        ("F10", 0x44),
        ("F12", 0x58),
        ("ArrowUp", 0xC8),
        ("ArrowLeft", 0xCB),
        ("Delete", 0xD3),
    ],
)
def test_places_on_the_keyboard(name: str, code: int) -> None:
    assert SCANCODES[keysym(name)] == code


def test_every_code_fits_its_field() -> None:
    assert all(0 < code < 256 for code in SCANCODES.values())
