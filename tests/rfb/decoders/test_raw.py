from __future__ import annotations

from auniverse.rfb.types import Box

from ..conftest import Shred
from ..wire import RAW, feed, noise, picture, rectangle, rgb, screen, update


def test_pixels_in_a_corner(shred: Shred) -> None:
    framebuffer = screen(4, 3)
    expected = rgb(framebuffer).copy()
    pixels = picture(2, 2)
    expected[1:, 2:] = pixels[..., :3]
    fed = feed(framebuffer, shred(update(rectangle(2, 1, 2, 2, RAW, pixels.tobytes()))))
    assert (rgb(framebuffer) == expected).all()
    assert framebuffer.damage.take() == [Box(2, 1, 2, 2)]
    assert (fed.updates, fed.rectangles) == (1, 1)


def test_a_whole_screen(shred: Shred) -> None:
    framebuffer = screen(16, 16)
    pixels = noise(4 * 16 * 16)
    feed(framebuffer, shred(update(rectangle(0, 0, 16, 16, RAW, pixels))))
    assert framebuffer.pixels.tobytes() == pixels


def test_nothing_at_the_edge(shred: Shred) -> None:
    framebuffer = screen(4, 3)
    before = framebuffer.pixels.copy()
    feed(framebuffer, shred(update(rectangle(4, 3, 0, 0, RAW), rectangle(0, 0, 0, 3, RAW))))
    assert (framebuffer.pixels == before).all()
