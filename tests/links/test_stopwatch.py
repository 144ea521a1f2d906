"""Links of one pool spend their time on one watch."""

import asyncio

from auniverse.vector import SessionPool
from tests.meter import meters


def test_what_links_decode_is_added_up():
    async def main():
        async with meters(2) as hosts, SessionPool([host.remote for host in hosts]) as pool:
            await pool.reset()
            one, other = (slot.session.vnc for slot in pool._slots)
            assert one.stopwatch is other.stopwatch is pool.frames.stopwatch
            before = one.stopwatch.seconds
            for _ in range(3):
                await pool.step([[], []])
            assert one.stopwatch.seconds > before
            assert pool.stats()["time"]["decoding"] > 0

    asyncio.run(main())
