"""Memory comes from whom it should, and goes round only when nobody holds it."""

import numpy as np
import pytest

from auniverse.rfb import Box
from auniverse.vector.blocks import BLOCKS_KEPT, Block, Blocks, allocate_here

WHOLE = Box(0, 0, 4, 4)


def address(block):
    return block.pixels.__array_interface__["data"][0]


def test_memory_that_is_a_part_of_more_is_held_by_what_is_made_of_it():
    """A view of a view refers to the array that owns the memory, not to the block's own."""
    more = np.zeros((3, 10, 4, 4), np.uint8)
    given = iter([more[0, 2:6], more[1, 2:6]])
    blocks = Blocks(lambda shape, dtype: next(given))
    first = blocks.take((4, 4, 4), WHOLE)
    held = first.pixels[1:, 2].view()[..., 1]
    second = blocks.take((4, 4, 4), WHOLE)
    assert second is not first
    assert np.shares_memory(held, more[0, 2:6])
    del held
    assert blocks.take((4, 4, 4), WHOLE) is second
    keep = second.pixels[0]
    assert blocks.take((4, 4, 4), WHOLE) is first
    assert keep.base is second.pixels


@pytest.mark.parametrize(
    "given", [np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.int8), np.broadcast_to(np.uint8(), 4)]
)
def test_other_memory_than_was_asked_for_is_refused(given):
    with pytest.raises(ValueError, match=r"allocate gave .* for uint8\(2, 2\)"):
        Block((2, 2), lambda shape, dtype: given)


def test_a_hoarder_gets_fresh_memory_and_only_so_much_is_kept():
    blocks = Blocks()
    hoard = [blocks.take((1, 4, 4), WHOLE).pixels[:] for _ in range(3 * BLOCKS_KEPT)]
    assert len({one.__array_interface__["data"][0] for one in hoard}) == len(hoard)
    assert len(blocks._blocks) == BLOCKS_KEPT


def test_all_of_a_fresh_block_is_stale_and_later_what_is_damaged():
    blocks = Blocks()
    block = blocks.take((2, 4, 4), WHOLE)
    assert [stale.take() for stale in block.stale] == [[WHOLE], [WHOLE]]
    blocks.damage(1, Box(1, 1, 2, 1))
    again = blocks.take((2, 4, 4), WHOLE)
    assert again is block
    assert [stale.take() for stale in again.stale] == [[], [Box(1, 1, 2, 1)]]
    blocks.clear()
    assert blocks.take((2, 4, 4), WHOLE) is not block


def test_here_is_zeros():
    assert not allocate_here((2, 3), np.float64).any()
