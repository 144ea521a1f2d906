from __future__ import annotations

import numpy as np
import pytest

from auniverse.errors import InvalidActionError
from auniverse.rfb.messages import (
    KeyEvent,
    PointerEvent,
    client_cut_text,
    set_encodings,
    set_pixel_format,
    update_request,
)
from auniverse.rfb.types import RGBX, Box


def test_a_key_on_the_wire() -> None:
    assert KeyEvent(0xFF52, True).pack() == b"\x04\x01\0\0\x00\x00\xff\x52"
    assert KeyEvent(ord("a"), False).pack() == b"\x04\x00\0\0\x00\x00\x00\x61"


def test_a_pointer_on_the_wire() -> None:
    assert PointerEvent(258, 3, 0b101).pack() == b"\x05\x05\x01\x02\x00\x03"


def test_numbers_of_numpy_are_numbers() -> None:
    assert KeyEvent(np.int64(97), np.bool_(True)).pack() == KeyEvent(97, True).pack()  # type: ignore[arg-type]
    assert PointerEvent(np.int64(1), np.int32(2), np.uint8(1)).pack() == b"\5\1\0\1\0\2"  # type: ignore[arg-type]


@pytest.mark.parametrize("keysym", [-1, 1 << 32, 1.5, "a", None])
def test_an_impossible_key(keysym: object) -> None:
    with pytest.raises(InvalidActionError, match="keysym"):
        KeyEvent(keysym, True).pack()  # type: ignore[arg-type]


@pytest.mark.parametrize("event", [(-1, 0, 0), (0, 65536, 0), (0, 0, 256), (0.5, 0, 0)])
def test_an_impossible_pointer(event: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidActionError, match="pointer"):
        PointerEvent(*event).pack()


def test_a_request_on_the_wire() -> None:
    assert update_request(True, Box(1, 2, 640, 480)) == b"\3\1\0\1\0\2\x02\x80\x01\xe0"
    assert update_request(False, Box(0, 0, 1, 1)) == b"\3\0\0\0\0\0\0\1\0\1"


def test_the_pixel_format_on_the_wire() -> None:
    form = b"\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x00\x08\x10\0\0\0"
    assert set_pixel_format(RGBX) == b"\0\0\0\0" + form


def test_the_encodings_on_the_wire() -> None:
    assert set_encodings([0, 16, -223]) == b"\2\0\0\3\0\0\0\0\0\0\0\x10\xff\xff\xff\x21"


def test_cut_text_on_the_wire() -> None:
    assert client_cut_text("é\n") == b"\6\0\0\0\0\0\0\2\xe9\n"


def test_cut_text_that_does_not_fit() -> None:
    with pytest.raises(InvalidActionError, match="'€'"):
        client_cut_text("3 €")
