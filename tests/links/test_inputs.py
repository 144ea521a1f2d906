"""Input is packed in order and counted, and confirmed no further than it was sent."""

from auniverse.links.inputs import Inputs
from auniverse.rfb import Connection, KeyEvent
from auniverse.rfb.extensions import Fence
from tests.rfb.wire import opening

KEYS = [KeyEvent(0x61, True), KeyEvent(0x61, False)]


def connected(*, fences):
    connection = Connection()
    connection.receive_data(opening(40, 30))
    connection.fences = fences
    return connection


def test_a_fence_goes_behind_it_where_it_is_known_and_wanted():
    plain = b"".join(map(Connection().input_message, KEYS))
    for known, wanted in ((True, True), (True, False), (False, True)):
        inputs = Inputs(connected(fences=known))
        data = inputs.pack(KEYS, fenced=wanted)
        fence = connected(fences=True).fence_message((2).to_bytes(8, "big"))
        assert data == plain + (fence if known and wanted else b"")
        assert (inputs.sent, inputs.read, inputs.read_at) == (2, 0, 0.0)
    assert isinstance(fence, bytes)
    assert Fence(1 << 31, b"").pack()[0] == fence[0]


def test_no_input_is_no_bytes():
    inputs = Inputs(connected(fences=True))
    assert inputs.pack([], fenced=True) == b""
    assert inputs.sent == 0


def test_what_is_confirmed_grows_and_was_sent():
    inputs = Inputs(connected(fences=True))
    inputs.pack(KEYS * 2, fenced=True)
    for said, read, at in ((3, 3, 3.0), (2, 3, 3.0), (5, 3, 3.0), (4, 4, 4.0), (1 << 70, 4, 4.0)):
        inputs.confirm(said.to_bytes(16, "big"), float(said))
        assert (inputs.read, inputs.read_at) == (read, at)
    inputs.confirm(b"", 9.0)
    assert inputs.read == 4
