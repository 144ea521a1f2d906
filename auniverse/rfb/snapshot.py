"""Copies of a screen for those who look at it: RGB, cut out, smaller, grey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .native import available
from .native.decoder import compiled
from .types import Box

Pixels = NDArray[np.uint8]

#: The luma of ITU-R 601 in 1/65536.
_LUMA = np.array([19595, 38470, 7471], np.uint32)


def copy_rgb(source: Pixels, target: Pixels, box: Box) -> None:
    """Copy `box` of an RGBX screen to the same place of an RGB picture.

    Args:
        source: uint8, shape (height, width, 4).
        target: uint8, shape (height, width, 3), contiguous within each row.
        box: Lies on both.

    Raises:
        ValueError: The box does not, or the pictures have other shapes.
    """
    if available():
        compiled.copy_rgb(source, target, *box)
    else:
        copy_rgb_in_numpy(source, target, box)


def copy_rgb_in_numpy(source: Pixels, target: Pixels, box: Box) -> None:
    """Copy as `copy_rgb` does, without the compiled code."""
    x, y, width, height = box
    _check(source, box)
    _check(target, box)
    old = target[y : y + height, x : x + width]
    new = source[y : y + height, x : x + width]
    for channel in range(3):  # one strided copy a channel: five times faster than [..., :3]
        old[..., channel] = new[..., channel]


def snapshot(
    source: Pixels,
    *,
    crop: Box | None = None,
    size: tuple[int, int] | None = None,
    grey: bool = False,
) -> Pixels:
    """Return a copy of an RGBX screen for an agent.

    Args:
        source: uint8, shape (height, width, 4).
        crop: The part to copy; all of it for None.
        size: Width and height of the copy, each pixel the mean of the area it covers.
        grey: Whether to return the luma of ITU-R 601, one channel, instead of R, G and B.

    Returns:
        uint8, contiguous, shape (height, width, 1 if grey else 3).

    Raises:
        ValueError: The part is empty or does not lie on the screen, or the size has no pixels.
    """
    box = crop or Box(0, 0, source.shape[1], source.shape[0])
    width, height = size or box[2:]
    if width < 1 or height < 1:
        raise ValueError(f"a copy of {width}x{height} pixels")
    _check(source, box)
    if not available():
        return snapshot_in_numpy(source, box, (width, height), grey)
    target = np.empty((height, width, 1 if grey else 3), np.uint8)
    if grey or (width, height) != box[2:]:
        compiled.shrink(source, target, *box, grey)
    else:
        cut = source[box.y : box.y + height, box.x : box.x + width]
        compiled.copy_rgb(cut, target, 0, 0, width, height)
    return target


def snapshot_in_numpy(source: Pixels, box: Box, size: tuple[int, int], grey: bool) -> Pixels:
    """Copy as `snapshot` does, without the compiled code."""
    x, y, width, height = box
    rgb = source[y : y + height, x : x + width, :3]
    if size != (width, height):
        across, down = _shares(width, size[0]), _shares(height, size[1])
        rows = np.einsum("ij,jkc->ikc", down, rgb.astype(np.float32), optimize=True)
        mean = np.einsum("ij,kjc->kic", across, rows, optimize=True)
        rgb = (mean + 0.5).clip(0, 255).astype(np.uint8)
    if grey:
        return ((rgb @ _LUMA + 32768) >> 16).astype(np.uint8)[..., None]
    return np.ascontiguousarray(rgb)


def _shares(length: int, count: int) -> NDArray[np.float32]:
    """Return how much of each of `length` pixels goes into each of `count`; every row adds to 1."""
    edges = np.arange(count + 1) * (length / count)
    begin = np.maximum(edges[:-1, None], np.arange(length)[None])
    end = np.minimum(edges[1:, None], np.arange(1, length + 1)[None])
    shares: NDArray[np.float32] = ((end - begin).clip(0) * (count / length)).astype(np.float32)
    return shares


def _check(picture: Pixels, box: Box) -> None:
    height, width, _ = picture.shape
    x, y, w, h = box
    if x < 0 or y < 0 or w < 1 or h < 1 or x + w > width or y + h > height:
        raise ValueError(f"{box} of a picture of {width}x{height} pixels")
