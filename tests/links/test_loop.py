import asyncio
import builtins

import numpy as np
import pytest
import uvloop

from auniverse.links import run
from auniverse.vector import SessionPool
from tests.meter import ENV_ID, meters


async def which():
    return asyncio.get_running_loop()


def test_uvloop_is_taken_where_it_is(monkeypatch):
    assert isinstance(run(which()), uvloop.Loop)

    def without_uvloop(name, *rest, **options):
        if name == "uvloop":
            raise ImportError(name)
        return real(name, *rest, **options)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without_uvloop)
    assert isinstance(run(which()), asyncio.SelectorEventLoop)


@pytest.mark.parametrize("lockstep", [True, False])
def test_a_pool_plays_on_it(lockstep):
    async def main():
        async with meters(2) as hosts:
            remotes = [host.remote for host in hosts]
            async with SessionPool(remotes, env_id=ENV_ID, lockstep=lockstep, fps=60) as pool:
                await pool.reset(seed=0)
                earned = np.zeros(2)
                async with asyncio.timeout(20):
                    while earned.min() < 1:
                        earned += (await pool.step([[("KeyEvent", "a", True)]] * 2)).rewards

    run(main())
