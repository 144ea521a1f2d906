import asyncio
from datetime import UTC, datetime

from auniverse.links import WallClock


def test_tells_unix_time_and_never_goes_back():
    async def main():
        wall = WallClock()
        readings = [wall() for _ in range(100)]
        assert readings == sorted(readings)
        assert abs(readings[0] - datetime.now(UTC).timestamp()) < 60

    asyncio.run(main())
