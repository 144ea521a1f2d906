from __future__ import annotations

import contextlib
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import InvalidActionError
from auniverse.keysyms import KEYSYMS, key_name, keysym

#: Universe's table, but for its `slash`, which was a backslash by mistake.
UNIVERSE = {
    "bsp": 0xFF08,
    "tab": 0xFF09,
    **dict.fromkeys(["return", "enter"], 0xFF0D),
    "esc": 0xFF1B,
    "ins": 0xFF63,
    **dict.fromkeys(["delete", "del"], 0xFFFF),
    "home": 0xFF50,
    "end": 0xFF57,
    "pgup": 0xFF55,
    "pgdn": 0xFF56,
    **dict.fromkeys(["ArrowLeft", "left"], 0xFF51),
    **dict.fromkeys(["ArrowUp", "up"], 0xFF52),
    **dict.fromkeys(["ArrowRight", "right"], 0xFF53),
    **dict.fromkeys(["ArrowDown", "down"], 0xFF54),
    **dict.fromkeys(["fslash", "slash"], 0x2F),
    "bslash": 0x5C,
    **dict.fromkeys(["spacebar", "space", "sb"], 0x20),
    **{f"f{n}": 0xFFBD + n for n in range(1, 21)},
    **dict.fromkeys(["lshift", "shift"], 0xFFE1),
    "rshift": 0xFFE2,
    **dict.fromkeys(["lctrl", "ctrl"], 0xFFE3),
    "rctrl": 0xFFE4,
    **dict.fromkeys(["lmeta", "meta"], 0xFFE7),
    "rmeta": 0xFFE8,
    **dict.fromkeys(["lalt", "alt"], 0xFFE9),
    "ralt": 0xFFEA,
    **dict.fromkeys(["lsuper", "super"], 0xFFEB),
    "rsuper": 0xFFEC,
    **dict.fromkeys(["lhyper", "hyper"], 0xFFED),
    "rhyper": 0xFFEE,
    "scrlk": 0xFF14,
    "sysrq": 0xFF15,
    "numlk": 0xFF7F,
    "caplk": 0xFFE5,
    "pause": 0xFF13,
    **{f"kp{n}": 0xFFB0 + n for n in range(10)},
    "kpenter": 0xFF8D,
}


def test_every_name_of_universe_keeps_its_keysym() -> None:
    assert {name: KEYSYMS.get(name) for name in UNIVERSE} == UNIVERSE


def test_the_size_of_universes_table() -> None:
    codes = set(UNIVERSE.values())
    assert (len(UNIVERSE), len(codes)) == (80, 65)
    assert len(codes | {keysym(character) for character in string.printable}) == 162


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Return", 0xFF0D),
        ("Escape", 0xFF1B),
        ("Page_Up", 0xFF55),
        ("BackSpace", 0xFF08),
        ("Backspace", 0xFF08),
        ("Shift_L", 0xFFE1),
        ("CONTROL_L", 0xFFE3),
        ("KP_0", 0xFFB0),
        ("kp_add", 0xFFAB),
        ("F1", 0xFFBE),
        ("f35", 0xFFE0),
        ("arrowup", 0xFF52),
        ("backslash", 0x5C),
        ("a", 0x61),
        ("A", 0x41),
        (" ", 0x20),
        ("é", 0xE9),
        ("€", 0x010020AC),
        ("🎮", 0x0101F3AE),
        ("0xbeef1", 0xBEEF1),
        (0xBEEF1, 0xBEEF1),
        (np.uint32(0xFF52), 0xFF52),
        (0, 0),
        (0xFFFFFFFF, 0xFFFFFFFF),
    ],
)
def test_keysym(name: str | int, code: int) -> None:
    assert keysym(name) == code


@pytest.mark.parametrize(
    "name", ["", "F36", "ab", "0x", "0xfffffffff", "\ud800", -1, 1 << 32, True, None, 1.0]
)
def test_unknown_keys_are_refused(name: Any) -> None:
    with pytest.raises(InvalidActionError):
        keysym(name)


def test_a_refusal_names_what_is_near() -> None:
    with pytest.raises(InvalidActionError, match="ArrowLeft"):
        keysym("ArowLeft")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0xFF52, "ArrowUp"),
        (0x20, "space"),
        (0x61, "a"),
        (0x2F, "/"),
        (0xE9, "é"),
        (0x010020AC, "€"),
        (0xFFBE, "F1"),
        (0xFFE1, "Shift_L"),
        (0xFFB7, "KP_7"),
        (0xFFFF, "Delete"),
        (0x01000061, "0x1000061"),
        (0, "0x0"),
    ],
)
def test_key_name(code: int, name: str) -> None:
    assert key_name(code) == name


@given(st.integers(0, 0xFFFFFFFF) | st.integers(0x01000000, 0x01110000) | st.integers(0, 0xFFFF))
def test_a_canonical_name_leads_back(code: int) -> None:
    assert keysym(key_name(code)) == code


def test_no_two_names_differ_by_case_alone() -> None:
    for name, code in KEYSYMS.items():
        assert {keysym(name.upper()), keysym(name.lower()), keysym(name)} == {code}


@given(st.text())
def test_any_text_is_a_key_or_refused(name: str) -> None:
    with contextlib.suppress(InvalidActionError):
        assert 0 <= keysym(name) <= 0xFFFFFFFF
