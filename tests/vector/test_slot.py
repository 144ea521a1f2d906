"""A slot's own rules; what it does in a pool is tested there."""

from auniverse.address import Remote
from auniverse.errors import ConnectError
from auniverse.remotes import Fleet
from auniverse.vector import Frames, Pace
from auniverse.vector.slot import NEVER, Slot


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
