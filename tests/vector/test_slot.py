"""A slot's own rules; what it does in a pool is tested there."""

import asyncio

from auniverse.address import Remote
from auniverse.errors import ConnectError
from auniverse.host import Host, Outcome
from auniverse.remotes import Fleet
from auniverse.vector import Frames, Pace, SessionPool
from auniverse.vector.slot import NEVER, Slot
from tests.meter import ENV_ID, Meter


def slot():
    return Slot(0, Remote("h", 1, 2), "e", Pace(10), Frames(1), Fleet([]))


def test_without_a_remote_it_is_neither_ready_nor_ticking():
    empty = slot()
    empty.begin_reset(None, 0.0)
    empty.send([], 0.0)
    assert empty.pending
    assert not empty.ready(1e9)
    assert not empty.ticking
    assert not empty.live
    assert empty.next_time == NEVER


def test_a_loss_is_reported_once_and_never_as_a_reward():
    lost = slot()
    error = ConnectError("refused", remote="vnc://h:1", remedy="start it")
    lost.detach(error, dead=True)
    lost.pending = True
    assert lost.ready(0.0)
    result = lost.result(0.0)
    assert (result.reward, result.terminated, result.truncated) == (0.0, False, True)
    assert result.info["valid"] is False
    assert result.info["fault"] == {
        "type": "ConnectError",
        "reason": "refused",
        "retryable": False,
        "remote": "vnc://h:1+2",
        "remedy": "start it",
        "cause_of_death": "",
        "log_tail": "",
    }
    assert not lost.pending
    assert not lost.ready(0.0)


class Short(Meter):
    """Episodes of ten frames; each frame is worth the number of the episode, and says it."""

    def advance(self):
        self.frames += 1
        outcome = Outcome(float(self.episodes), self.frames >= 10, False, f"{self.episodes}", {})
        return self._picture(), outcome


def test_an_agent_slower_than_episodes_earns_nothing_in_those_it_missed():
    async def main():
        async with (
            Host(Short(), env_id=ENV_ID, screen="native", password=None) as host,
            SessionPool([host.remote], fps=100) as pool,
        ):
            await pool.reset()
            shown, judged, over = None, 0, False
            while judged < 30:
                slot = pool._slots[0]
                newest = slot.session.episode.number
                while over and slot.session.episode.number < newest + 3:
                    await asyncio.wait_for(until_woken(pool), 10)  # it thinks for long
                batch = await pool.step([[]])
                text = batch.infos["text"][0].split()[-1:]
                assert batch.infos["valid"][0]
                if batch.infos["reset"][0]:
                    shown = int(text[0]) if text else None
                elif shown is not None:
                    assert batch.rewards[0] % shown == 0, "only what was earned in what is shown"
                    assert batch.rewards[0] <= 10 * shown
                    judged += 1
                over = batch.terminations[0]
            assert slot.session.ledger.skipped > 0

    async def until_woken(pool):
        pool._wake.clear()
        await pool._wake.wait()

    asyncio.run(main())
