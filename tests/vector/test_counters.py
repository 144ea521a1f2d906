from auniverse.address import Remote
from auniverse.errors import ConnectError, RemoteTimeoutError
from auniverse.remotes import Fleet
from auniverse.vector import Frames, Pace
from auniverse.vector.counters import add_up
from auniverse.vector.slot import Slot


def test_slots_are_added_up():
    slots = [Slot(i, Remote("h", i, 2), "e", Pace(10), Frames(2), Fleet([])) for i in (1, 2)]
    for slot, losses in zip(
        slots, ((ConnectError,), (ConnectError, RemoteTimeoutError)), strict=True
    ):
        slot.updates, slot.reward_sum = slot.index, 0.5
        for loss in losses:
            slot.detach(loss("gone"), dead=False)
    stats = add_up(slots)
    assert stats["updates"] == 3
    assert stats["reward_sum"] == 1.0
    assert stats["faults"] == 2
    assert stats["causes"] == {"ConnectError": 2, "RemoteTimeoutError": 1}
    assert [one["remote"] for one in stats["slots"]] == ["vnc://h:1+2", "vnc://h:2+2"]
    assert stats["slots"][1]["error"] == "gone"
