from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auniverse.errors import ProvisionError
from auniverse.remotes.docker.owner import Owner, find_owner


def owner(folder: Path) -> Owner:
    return find_owner({"XDG_STATE_HOME": str(folder)})


def test_an_owner_is_the_same_again_and_nobody_else(tmp_path: Path) -> None:
    first, again, other = owner(tmp_path), owner(tmp_path), owner(tmp_path / "other")
    assert first.name == again.name != other.name
    assert first.passwords("a") == again.passwords("a")
    words = [*first.passwords("a"), *first.passwords("b"), *other.passwords("a")]
    assert len(set(words)) == 6
    assert [len(word) for word in first.passwords("a")] == [8, 32]


def test_the_key_is_for_nobody_else(tmp_path: Path) -> None:
    owner(tmp_path)
    (key,) = tmp_path.rglob("owner.key")
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in key.parent.iterdir()] == ["owner.key"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProvisionError, match="XDG_STATE_HOME says where to"):
        owner(tmp_path / "file")


def test_a_claim_is_had_once(tmp_path: Path) -> None:
    one, other = owner(tmp_path), owner(tmp_path)
    claim = one.claim("a")
    assert claim is not None
    assert (one.claim("a"), other.claim("a")) == (None, None)
    assert other.claim("b") is not None
    claim.release()
    claim.release()
    again = other.claim("a")
    assert again is not None
    again.release()


CLAIM = """
import os, sys
from auniverse.remotes.docker.owner import find_owner
claim = find_owner(os.environ).claim("a")
print(claim is not None, flush=True)
sys.stdin.read()
"""


def test_a_claim_ends_with_its_process_however_that_dies(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLAIM],
        env={"XDG_STATE_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        assert owner(tmp_path).claim("a") is None
        holder.kill()
    claim = owner(tmp_path).claim("a")
    assert claim is not None
    claim.release()


CLAIMING = """
import sys
from auniverse.errors import ProvisionError
from auniverse.remotes.docker.owner import find_owner

owner = find_owner({"XDG_STATE_HOME": sys.argv[1]})
try:
    claims = [owner.claim(f"a-{number}") for number in range(100)]
except ProvisionError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system that can be full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """The state folder is on a file system, in a mount namespace of its own, for 20 files."""
    mounted = 'mount -t tmpfs -o nr_inodes=20 tmpfs "$1" && exec "$2" -c "$3" "$1"'
    words = ["unshare", "--mount", "sh", "-c", mounted, "sh", tmp_path, sys.executable, CLAIMING]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "No space left on device (XDG_STATE_HOME says where to)" in done.stdout
