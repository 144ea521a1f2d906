"""A view sees what the whole screen would show, however little of it was looked at."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import UsageError
from auniverse.rfb import Box
from auniverse.vector import Frames, SessionPool, View, attach
from tests import meter

WIDTH, HEIGHT = 40, 30
LUMA = np.array([19595, 38470, 7471])

sizes = st.tuples(st.integers(1, 50), st.integers(1, 50))
crops = st.tuples(
    st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(1, 50), st.integers(1, 50)
)
views = st.builds(
    View,
    crop=st.none() | crops,
    size=st.none() | sizes,
    grey=st.booleans(),
    stack=st.sampled_from([1, 1, 2, 3]),
)


def oracle(view, screen, height, width):
    """What a view makes of a whole screen: exact, plain, slow, of floats of numpy's alone."""
    x, y, w, h = view.crop or (0, 0, width, height)
    if view.size and not view.crop:
        w, h = screen.shape[1::-1]
    seen = np.zeros((y + h, x + w, 3), np.int64)
    part = screen[: y + h, : x + w, :3]
    seen[: part.shape[0], : part.shape[1]] = part
    seen, area = seen[y:, x:], 1
    if view.size:
        rows, columns = view.size
        area = w * h
        seen = seen.repeat(rows, 0).reshape(rows, h, w, 3).sum(1)
        seen = seen.repeat(columns, 1).reshape(rows, columns, w, 3).sum(2)
    if view.grey:
        return (seen @ LUMA + 32768 * area) // (65536 * area)
    return (2 * seen + area) // (2 * area)


def a_box(data, width, height):
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    return Box(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))


@given(views, st.lists(sizes, min_size=1, max_size=2), st.data())
@settings(deadline=None, max_examples=40)
def test_what_is_seen_is_what_the_whole_screen_gives(view, screens, data):
    rng = np.random.default_rng(0)
    frames = Frames(len(screens), view=view)
    live = [frames.allocator(slot)(*size) for slot, size in enumerate(screens)]
    height, width = max(h for _, h in screens), max(w for w, _ in screens)
    seen = [[] for _ in screens]
    held = []
    for turn in range(5):
        slots = data.draw(st.lists(st.sampled_from(range(len(live))), min_size=1, unique=True))
        for slot in slots:
            if turn and data.draw(st.integers(0, 15)) == 0:
                live[slot] = frames.allocator(slot)(*data.draw(sizes))
            for _ in range(data.draw(st.integers(0, 2))):
                box = x, y, w, h = a_box(data, *live[slot].shape[1::-1])
                live[slot][y : y + h, x : x + w] = rng.integers(0, 256, (h, w, 4), np.uint8)
                frames.damage(slot, [Box(*box)])
        first = {slot for slot in slots if not seen[slot] or data.draw(st.integers(0, 3)) == 0}
        batch = frames.rows(slots, first)
        assert (
            batch.shape == (len(slots), *view.shape(height, width)) == (len(slots), *frames.shape)
        )
        for row, slot in zip(batch, slots, strict=True):
            picture = oracle(view, live[slot], height, width)
            seen[slot] = (
                [picture] * view.stack if slot in first else [*seen[slot], picture][-view.stack :]
            )
            wanted = np.stack(seen[slot]) if view.stack > 1 else picture
            assert np.array_equal(row, wanted), (turn, slot)
        if turn % 2:
            held.append((batch, batch.copy()))
    for kept, as_it_was in held:
        assert np.array_equal(kept, as_it_was)


def test_large_stacks_are_brought_up_to_date_in_parts():
    rng = np.random.default_rng(0)
    frames = Frames(1, view=View(stack=3))
    screen = frames.allocator(0)(300, 200)
    pictures = []
    for turn in range(60):
        for _ in range(turn % 3):
            x, y = int(rng.integers(0, 290)), int(rng.integers(0, 190))
            screen[y : y + 10, x : x + 10] = rng.integers(0, 256, 4)
            frames.damage(0, [Box(x, y, 10, 10)])
        first = turn % 25 == 0
        pictures = [screen[..., :3].copy()] * 3 if first else [*pictures, screen[..., :3].copy()]
        observation = frames.rows([0], {0} if first else ())[0]
        assert np.array_equal(observation, np.stack(pictures[-3:]))
    screen[...] = 7  # not noted as damage: nobody looks there
    for _ in range(3):
        assert np.array_equal(frames.rows([0])[0, -1], pictures[-1])


def test_shapes():
    assert View().shape(768, 1024) == (768, 1024, 3)
    assert View(grey=True).shape(768, 1024) == (768, 1024)
    assert View(crop=(1, 2, 30, 40)).shape(768, 1024) == (40, 30, 3)
    assert View(size=(84, 90), stack=4).shape(768, 1024) == (4, 84, 90, 3)
    assert View(size=(84, 90), grey=True, stack=4).shape(768, 1024) == (4, 84, 90)


@pytest.mark.parametrize(
    "wrong",
    [
        {"crop": (0, 0, 0, 4)},
        {"crop": (-1, 0, 4, 4)},
        {"crop": (0, 0, 4)},
        {"crop": (0, 0, 4.0, 4)},
        {"size": (0, 4)},
        {"size": 84},
        {"size": (True, 4)},
        {"stack": 0},
        {"stack": 1.5},
    ],
)
def test_what_is_no_view(wrong):
    (name,) = wrong
    with pytest.raises(UsageError, match=f"{name}="):
        View(**wrong)


def test_a_crop_that_lies_on_no_screen_is_a_mistake():
    frames = Frames(2, view=View(crop=(100, 0, 4, 4)))
    frames.check()  # nobody knows yet
    frames.allocator(0)(100, 50)
    with pytest.raises(UsageError, match=r"crop=\(100, 0, 4, 4\) .* lies on no screen: 100x50"):
        frames.check()
    frames.allocator(1)(101, 50)
    frames.check()


def test_a_pool_shows_its_view_and_a_reset_fills_the_stack():
    async def main():
        view = View(crop=(0, 0, 4, 4), size=(1, 2), stack=3)
        async with meter.meters(2) as hosts:
            remotes = [host.remote for host in hosts]
            async with SessionPool(remotes, lockstep=True, view=view, shared_memory=True) as pool:
                assert pool.observation_shape == (3, 1, 2, 3)
                assert pool.screen_size == (meter.WIDTH, meter.HEIGHT)
                observations, _ = await pool.reset(seed=5)
                assert not observations[..., 0].any()
                for _ in range(4):
                    batch = await pool.step([[], []])
                assert batch.observations[:, :, 0, 0, 0].tolist() == [[2, 3, 4]] * 2
                assert batch.observations[:, 0, 0, 0, 1].tolist() == [5, 6]
                assert np.array_equal(attach(batch.share()), batch.observations)
                assert pool.screen(1)[0, 0].tolist() == [4, 6, 0]
                observations, _ = await pool.reset(env_ids=[1])
                assert observations[0, :, 0, 0, 0].tolist() == [0, 0, 0]

    asyncio.run(main())


def test_copies_are_the_callers_own():
    async def main():
        async with meter.meters(1) as (host,):
            with pytest.raises(UsageError, match="no shared memory"):
                SessionPool([host.remote], copy=True, shared_memory=True)
            async with SessionPool([host.remote], lockstep=True, copy=True) as pool:
                observations, _ = await pool.reset()
                observations[...] = 9
                batch = await pool.step([[]])
                assert (batch.observations[..., 0] == 1).all()
            with pytest.raises(UsageError, match="on no screen"):
                await SessionPool([host.remote], view=View(crop=(99, 0, 1, 1))).__aenter__()

    asyncio.run(main())
