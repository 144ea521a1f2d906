"""Every encoder against our own client, with no network between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from auniverse.errors import AuthenticationError
from auniverse.rfb.connection import Connection
from auniverse.rfb.encoders import ENCODERS
from auniverse.rfb.encoders.pixels import translate
from auniverse.rfb.messages import FrameDrawn, Joined, KeyEvent, PointerEvent
from auniverse.rfb.screen import Screen
from auniverse.rfb.types import Encoding, Frame, PixelFormat
from auniverse.rfb.viewer import Viewer

from ..viewing import (
    BGRX,
    CHALLENGE,
    CUTS,
    RGB332,
    RGB565_BIG,
    Cut,
    ask,
    exchange,
    joined,
    meet,
    picture,
    shreds,
    watch,
)

WIDTH, HEIGHT = 150, 90
Painter = Callable[[Screen, np.random.Generator], None]


def noise(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def nothing(screen: Screen, rng: np.random.Generator) -> None:
    """Leave the screen as it is."""


def everything(screen: Screen, rng: np.random.Generator) -> None:
    screen.paint(0, 0, noise(rng, screen.width, screen.height))


def a_corner(screen: Screen, rng: np.random.Generator) -> None:
    screen.paint(screen.width - 3, screen.height - 2, noise(rng, 3, 2))


def overlapping(screen: Screen, rng: np.random.Generator) -> None:
    for _ in range(6):
        x, y = int(rng.integers(0, 100)), int(rng.integers(0, 50))
        screen.paint(x, y, noise(rng, 50, 40))


def sprinkled(screen: Screen, rng: np.random.Generator) -> None:
    """Paint more places than damage keeps apart."""
    for _ in range(100):
        screen.paint(int(rng.integers(0, 150)), int(rng.integers(0, 90)), noise(rng, 1, 1))


def few_colours(screen: Screen, rng: np.random.Generator) -> None:
    palette = noise(rng, 1, int(rng.integers(1, 20)))[:, 0]
    screen.paint(5, 5, palette[rng.integers(0, len(palette), (80, 131))])


def flat(screen: Screen, rng: np.random.Generator) -> None:
    screen.paint(0, 0, np.broadcast_to(noise(rng, 1, 1), (90, 150, 3)))


PAINTERS: tuple[Painter, ...] = (
    *(nothing, everything, a_corner, overlapping, sprinkled, few_colours, flat),
)


def assert_equal(client: Connection, screen: Screen) -> None:
    assert (picture(client) == screen.pixels[:, :, :3]).all()


def test_the_table_is_in_order_and_says_what_it_holds() -> None:
    assert list(ENCODERS) == [Encoding.RAW, Encoding.ZLIB, Encoding.ZRLE]
    assert all(kind.encoding == number for number, kind in ENCODERS.items())


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("encoding", ENCODERS)
def test_the_client_sees_what_is_painted(encoding: int, cut: Cut) -> None:
    rng = np.random.default_rng(encoding)
    screen = Screen(WIDTH, HEIGHT)
    everything(screen, rng)
    client, viewer = meet(screen, encoding, cut=cut)
    assert viewer.encoding == encoding
    assert watch(client, viewer, cut, incremental=False) == 1
    assert_equal(client, screen)
    for paint in PAINTERS:
        paint(screen, rng)
        assert watch(client, viewer, cut) == (paint is not nothing), paint
        assert_equal(client, screen)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_screen_of_many_bands(encoding: int) -> None:
    screen = Screen(700, 300)
    everything(screen, np.random.default_rng(5))
    client, viewer = meet(screen, encoding)
    watch(client, viewer)
    assert_equal(client, screen)
    assert client.rectangles == 5 + 1  # of 64 rows, and the frame


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_slow_client_gets_fewer_updates_and_the_same_end(encoding: int) -> None:
    rng = np.random.default_rng(6)
    screen = Screen(WIDTH, HEIGHT)
    slow, fast = meet(screen, encoding), meet(screen, encoding)
    for number in range(60):
        PAINTERS[number % len(PAINTERS)](screen, rng)
        screen.finish(number, float(number))
        watch(*fast, shreds)
        if number % 20 == 19:
            watch(*slow, shreds)
    assert_equal(fast[0], screen)
    assert_equal(slow[0], screen)
    assert slow[0].updates == 3
    assert fast[0].updates > 40
    assert slow[0].frame == fast[0].frame == Frame(59, 59.0, 0, 0.0)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_the_screen_changes_its_size(encoding: int) -> None:
    rng = np.random.default_rng(7)
    screen = Screen(WIDTH, HEIGHT)
    client, viewer = meet(screen, encoding, Encoding.DESKTOP_SIZE, Encoding.FRAME)
    watch(client, viewer)
    for size in ((160, 100), (33, 7), (WIDTH, HEIGHT)):
        screen.resize(*size)
        everything(screen, rng)
        assert watch(client, viewer, shreds) == 1
        assert client.framebuffer is not None
        assert (client.framebuffer.width, client.framebuffer.height) == size
        assert watch(client, viewer, shreds) == 1
        assert_equal(client, screen)


def test_changing_the_encoding_keeps_the_streams() -> None:
    rng = np.random.default_rng(8)
    screen = Screen(WIDTH, HEIGHT)
    client, viewer = meet(screen, *ENCODERS)
    for number in (16, 6, 16, 0, 6, 16, 6):
        viewer.receive_data(b"\2\0\0\1" + number.to_bytes(4, "big"))
        assert viewer.encoding == number
        overlapping(screen, rng)
        watch(client, viewer)
        assert_equal(client, screen)


def test_viewers_with_different_formats_see_the_same_screen() -> None:
    screen = Screen(WIDTH, HEIGHT)
    everything(screen, np.random.default_rng(9))
    client, viewer = meet(screen, Encoding.ZRLE)
    formats: list[PixelFormat] = [BGRX, RGB565_BIG, RGB332]
    others = [joined(screen, form=form) for form in formats]
    for _ in range(2):
        watch(client, viewer)
        assert_equal(client, screen)
        for other, form in zip(others, formats, strict=True):
            sent = ask(other, screen.whole)
            assert sent[16:] == translate(screen.pixels, form).tobytes()
        screen.paint(0, 0, noise(np.random.default_rng(10), WIDTH, HEIGHT))
    assert len(screen.viewers) == 4


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("password", [None, "", "secret", "längeres Passwort"])
def test_the_handshake_and_input(password: str | None, cut: Cut) -> None:
    screen = Screen(WIDTH, HEIGHT, "Schreibtisch ü")
    client, viewer = meet(screen, password=password, cut=cut)
    assert client.name == screen.name
    assert client.version == viewer.version == (3, 8)
    assert viewer.events() == [Joined(shared=True)]
    client.send_key(0xFF51, True)
    client.send_pointer(149, 89, 5)
    client.send_cut_text("ü" * 300)
    exchange(client, viewer, cut)
    key, pointer, cut_text = viewer.events()
    assert (key, pointer) == (KeyEvent(0xFF51, True), PointerEvent(149, 89, 5))
    assert cut_text[0] == "ü" * 300


def test_the_wrong_password_is_told_to_the_client() -> None:
    client = Connection(password="guess")
    viewer = Viewer(Screen(4, 3), password="secret", challenge=CHALLENGE)
    with pytest.raises(AuthenticationError, match="wrong password"):
        exchange(client, viewer)
    assert viewer.closed


def test_frames_reach_the_client() -> None:
    screen = Screen(WIDTH, HEIGHT)
    client, viewer = meet(screen, Encoding.RAW, Encoding.FRAME)
    screen.finish(1, 10.0)
    watch(client, viewer)
    assert client.frame == Frame(1, 10.0, 0, 0.0)
    client.events()
    viewer.note_inputs(4, 10.5)
    screen.finish(2, 11.0)
    assert watch(client, viewer) == 1
    assert FrameDrawn(Frame(2, 11.0, 4, 10.5)) in client.events()
    screen.finish(3, 12.0)
    assert watch(client, viewer) == 0
    screen.finish(4, 13.0, announce=True)
    assert watch(client, viewer) == 1
    assert client.frame == Frame(4, 13.0, 4, 10.5)
