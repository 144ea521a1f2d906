"""Copies of a screen for those who look at it: RGB, cut out, smaller, grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .native import available
from .native.decoder import compiled
from .region import intersect
from .types import Box

Pixels = NDArray[np.uint8]

#: The luma of ITU-R 601 in 1/65536.
_LUMA = np.array([19595, 38470, 7471], np.int64)


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


#: A screen, a picture, and what is to be copied from one to the same places of the other.
Copies = tuple[Pixels, Pixels, list[Box]]


def copy_all(jobs: list[Copies]) -> None:
    """Copy boxes of many RGBX screens to the same places of RGB pictures, in one go.

    Args:
        jobs: For each screen what `copy_rgb` takes, with any number of boxes.

    Raises:
        ValueError: As `copy_rgb`; then nothing was copied.
    """
    if available():
        compiled.copy_all(jobs)
    else:
        copy_all_in_numpy(jobs)


def copy_all_in_numpy(jobs: list[Copies]) -> None:
    """Copy as `copy_all` does, without the compiled code."""
    for source, target, boxes in jobs:
        for box in boxes:
            _check(source, box)
            _check(target, box)
    for source, target, boxes in jobs:
        for box in boxes:
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


def shrink(source: Pixels, target: Pixels, region: Box, damage: list[Box]) -> list[Box]:
    """Bring a smaller picture of a screen up to date where the screen has changed.

    Each pixel of the picture is the mean of the area that it covers, rounded half up; in grey, the
    luma (ITU-R 601) of that mean. It does not depend on what else is brought up to date with it.

    Args:
        source: uint8, shape (height, width, 4), RGBX.
        target: uint8, shape (height, width, 3) for RGB or (height, width, 1) for grey, contiguous
            within each row; of any size, also a larger one.
        region: The part of the screen that the picture shows.
        damage: Where the screen has changed; what lies outside of the region does not matter.

    Returns:
        Where the picture was written: all pixels with a share in the damage, box by box.

    Raises:
        ValueError: The region is empty or does not lie on the screen, or a picture has another
            shape.
    """
    if available():
        return list(map(Box._make, compiled.shrink(source, target, region, damage)))
    return shrink_in_numpy(source, target, region, damage)


def shrink_in_numpy(source: Pixels, target: Pixels, region: Box, damage: list[Box]) -> list[Box]:
    """Shrink as `shrink` does, to the same pixels, without the compiled code."""
    _check(source, region)
    height, width, channels = target.shape
    if channels not in (1, 3) or not height or not width:
        raise ValueError(f"no picture to shrink to: {target.shape}")
    shown = source[region.y :, region.x :][: region.height, : region.width, :3]
    boxes = []
    for box in damage:
        changed = intersect(box, region)
        if changed is None:
            continue
        left, right = _shares(changed.x - region.x, changed.width, region.width, width)
        top, bottom = _shares(changed.y - region.y, changed.height, region.height, height)
        sums = _sum(_sum(shown, top, bottom, height, 0), left, right, width, 1)
        parts = region.width * region.height
        if channels == 1:
            means = ((sums @ _LUMA + (parts << 15)) >> 16)[..., None] // parts
        else:
            means = (sums + parts // 2) // parts
        target[top:bottom, left:right] = means
        boxes.append(Box(left, top, right - left, bottom - top))
    return boxes


def _shares(begin: int, extent: int, length: int, count: int) -> tuple[int, int]:
    """Return which of `count` pixels have a share in some of `length`: the first, and the next."""
    return begin * count // length, -(-(begin + extent) * count // length)


def _sum(pixels: NDArray[Any], begin: int, end: int, count: int, axis: int) -> NDArray[np.int64]:
    """Add up what each of the pixels `begin` to `end` of `count` covers along an axis.

    Each source pixel counts as `count` parts, each target pixel is `length` of them: the sums of
    all parts to the left of both its edges, and the difference.
    """
    length = pixels.shape[axis]
    edges = np.arange(begin, end + 1) * length
    whole, parts = edges // count, edges % count
    first, last = int(whole[0]), min(int(whole[-1]) + 1, length)
    pixels = np.moveaxis(pixels, axis, 0)[first:last].astype(np.int64)
    before = np.zeros((len(pixels) + 1, *pixels.shape[1:]), np.int64)
    np.cumsum(pixels, axis=0, out=before[1:])
    inside = pixels[np.minimum(whole - first, len(pixels) - 1)]
    sums = count * before[whole - first] + parts[:, None, None] * inside
    return np.moveaxis(np.diff(sums, axis=0), 0, axis)


def snapshot(
    source: Pixels,
    *,
    crop: Box | None = None,
    size: tuple[int, int] | None = None,
    grey: bool = False,
) -> Pixels:
    """Return a copy of an RGBX screen for somebody to keep.

    Args:
        source: uint8, shape (height, width, 4).
        crop: The part to copy; all of it for None.
        size: Width and height of the copy, see `shrink`.
        grey: Whether to return the luma, one channel, instead of R, G and B.

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
    target = np.empty((height, width, 1 if grey else 3), np.uint8)
    if grey or (width, height) != box[2:]:
        shrink(source, target, box, [box])
    else:
        cut = source[box.y : box.y + height, box.x : box.x + width]
        copy_rgb(cut, target, Box(0, 0, width, height))
    return target


def _check(picture: Pixels, box: Box) -> None:
    height, width, _ = picture.shape
    x, y, w, h = box
    if x < 0 or y < 0 or w < 1 or h < 1 or x + w > width or y + h > height:
        raise ValueError(f"{box} of a picture of {width}x{height} pixels")
