"""What is shared is the same memory, and nothing of it is left, whoever dies."""

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from auniverse.errors import ProvisionError, UsageError
from auniverse.vector import Frames, View
from auniverse.vector.shared import allocate_shared, attach, share

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory without a name is Linux's")

#: Reads what is shared, tells what it sees, and again when asked to.
READER = """
import pickle, sys
from auniverse import attach
array = attach(pickle.loads(bytes.fromhex(sys.argv[1])))
for _ in sys.stdin:
    print(array.shape, int(array.sum()), array.flags.writeable, flush=True)
"""
#: Shares zeros but for one, and waits to be killed.
WRITER = """
import pickle, sys, numpy
from auniverse.vector.shared import allocate_shared, share
array = allocate_shared((1000, 1000), numpy.uint8)
array[3, 4] = 7
print(pickle.dumps(share(array)).hex(), flush=True)
sys.stdin.read()
"""


def process(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def descriptors():
    return set(os.listdir("/proc/self/fd"))


def test_another_process_reads_a_batch_without_a_copy():
    frames = Frames(3, view=View(grey=True), allocate=allocate_shared)
    for slot in range(3):
        frames.allocator(slot)(8, 6)[...] = slot
    batch = frames.rows([1, 2])
    with process(READER, pickle.dumps(share(batch)).hex()) as reader:

        def ask():
            reader.stdin.write("\n")
            reader.stdin.flush()
            return reader.stdout.readline().strip()

        assert ask() == f"(2, 6, 8) {48 * 3} False"
        batch.base[1, 0, 0] += 9  # the same memory: what is written here is seen there
        assert ask() == f"(2, 6, 8) {48 * 3 + 9} False"
        reader.stdin.close()
        assert reader.wait(20) == 0


def test_a_batch_of_scattered_slots_is_shared_too():
    frames = Frames(3, allocate=allocate_shared)
    for slot in range(3):
        frames.allocator(slot)(8, 6)[...] = slot + 1
    batch = frames.rows([2, 0])
    assert np.array_equal(attach(share(batch)), batch)
    assert np.array_equal(attach(share(batch[1, 2:4])), batch[1, 2:4])


def test_nothing_is_left_when_the_process_that_shares_is_killed():
    places = [Path("/dev/shm"), Path(tempfile.gettempdir())]
    before = [set(os.listdir(place)) for place in places]
    with process(WRITER) as writer:
        handle = pickle.loads(bytes.fromhex(writer.stdout.readline()))
        seen = attach(handle)
        writer.kill()
        writer.wait(20)
    named = [set(os.listdir(place)) for place in places]
    added = {name for old, new in zip(before, named, strict=True) for name in new - old}
    assert not {name for name in added if "auniverse" in name or name.startswith("psm_")}
    assert seen[3, 4] == 7, "what is attached stays"
    with pytest.raises(UsageError, match="cannot be attached to"):
        attach(handle)


def test_memory_goes_with_its_array():
    before = descriptors()
    array = allocate_shared((4, 4), np.float32)
    assert array.shape == (4, 4)
    assert array.dtype == np.float32
    assert not array.any()
    handle = share(array)
    part = array[1:, 2]
    del array
    part[:] = 3.0
    seen = attach(handle)
    assert seen[1:, 2].tolist() == [3.0] * 3
    with pytest.raises(ValueError, match="read-only"):
        seen[0, 0] = 1
    del part, seen
    assert descriptors() == before
    with pytest.raises(UsageError, match="attached"):
        attach(handle)


def test_another_file_under_the_same_number_is_not_taken_for_it():
    array = allocate_shared((2,), np.uint8)
    with pytest.raises(UsageError, match="is gone"):
        attach(share(array)._replace(inode=1))


def test_what_is_not_shared_cannot_be():
    with pytest.raises(UsageError, match="shared_memory=True"):
        share(np.zeros(3))
    with pytest.raises(UsageError, match="shared_memory=True"):
        share(allocate_shared((3,), np.uint8).copy())


def test_nothing_and_too_much():
    assert allocate_shared((2, 0, 3), np.uint8).shape == (2, 0, 3)
    before = descriptors()
    with pytest.raises(ProvisionError, match="no shared memory"):
        allocate_shared((1 << 62,), np.uint8)
    assert descriptors() == before


def test_elsewhere_there_is_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ProvisionError, match="Linux"):
        allocate_shared((1,), np.uint8)
