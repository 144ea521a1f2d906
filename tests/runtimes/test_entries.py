from __future__ import annotations

from pathlib import Path

import pytest

import auniverse.runtimes.catalog
from auniverse.errors import ProvisionError, UsageError
from auniverse.runtimes import Reserve, envs, read_catalog

GOOD = """\
toys:
  title: Toys
  kind: embedded
  lease: 30
  families:
    all:
      fps: 5
      press: hold
      meanings:
        JUMP: ArrowUp+space
      envs:
      - games: Cat-v0 Dog-v1
        actions: none JUMP a
      - games: Kite-v0
        fps: 7
        text: true
        keys: q w
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "runtimes.yml"
    path.write_text(text, "utf-8")
    return path


def test_a_family_is_expanded(tmp_path: Path) -> None:
    catalog = read_catalog(write(tmp_path, GOOD))
    assert list(catalog.envs) == ["toys.Cat-v0", "toys.Dog-v1", "toys.Kite-v0"]
    dog, kite = catalog.envs["toys.Dog-v1"], catalog.envs["toys.Kite-v0"]
    assert dog.actions == ((), ("ArrowUp", "space"), ("a",))
    assert dog.keys == ("ArrowUp", "space", "a")
    assert (dog.fps, dog.text, kite.fps, kite.text) == (5.0, False, 7.0, True)
    assert (kite.actions, kite.keys) == ((), ("q", "w"))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("kind: embedded", "kind: docker", "runtimes.yml:3: toys.kind must be embedded"),
        ("lease: 30", "lease: soon", "runtimes.yml:4: toys.lease must be a number"),
        ("lease: 30", "lease: .inf", "runtimes.yml:4: toys.lease must be a number"),
        ("lease: 30", "lease: 1:30", "runtimes.yml:4: toys.lease must be a number"),
        ("lease: 30", "lease: 0", "runtimes.yml:4: toys.lease must lie between"),
        ("title: Toys", "titel: Toys", "runtimes.yml:2: toys.title is missing"),
        ("title: Toys", "title: 7", "runtimes.yml:2: toys.title must be a text"),
        ("lease: 30", "lease: 30\n  tags: x", "runtimes.yml:5: toys.tags is not a known key"),
        ("lease: 30", "lease: 30\n  lease: 31", "runtimes.yml:5: toys.lease stands here a second"),
        ("lease: 30", "lease: 30\n  ports: 5900", "runtimes.yml:5: toys.ports must be a mapping"),
        ("lease: 30", "lease: 30\n  ports: {vnc: 0}", "runtimes.yml:5: toys.ports.vnc must lie"),
        ("lease: 30", "lease: 30\n  ports: {ssh: 1}", "toys.ports.ssh is not a known key"),
        ("lease: 30", "lease: [30", "runtimes.yml:5: "),
        ("lease: 30", "? [a]\n  : 30", "runtimes.yml:4: toys has a key that is no word"),
        ("fps: 7", "fps: 70", r"runtimes.yml:15: toys.families.all.envs\[1\].fps must lie"),
        ("      fps: 5\n", "", r"runtimes.yml:11: toys.families.all.envs\[0\].fps is missing"),
        ("text: true", "text: 1", r"runtimes.yml:16: .*envs\[1\].text must be true or false"),
        ("none JUMP a", "none JUMP HIDE", r"runtimes.yml:13: .*envs\[0\].actions holds 'HIDE'"),
        ("ArrowUp+space", "ArrowUp+Spaec", "runtimes.yml:10: .*meanings.JUMP holds"),
        ("none JUMP a", "''", r"runtimes.yml:13: .*envs\[0\].actions must not be empty"),
        ("keys: q w", "key: q w", r"runtimes.yml:14: .*envs\[1\] must have either actions or keys"),
        ("keys: q w", "keys: q w\n        score: 1", r"envs\[1\].score is not a known key"),
        ("Kite-v0", "Kite", r"runtimes.yml:14: .*envs\[1\].games holds 'Kite', which is no id"),
        ("Kite-v0", "Cat-v0", "runtimes.yml:14: .*holds 'Cat-v0', which stands above already"),
        ("      envs:\n", "      env:\n", "runtimes.yml:7: toys.families.all.envs must be a list"),
        ("toys:", "to.ys:", "runtimes.yml:2: to.ys is no name for a runtime"),
    ],
)
def test_a_complaint_names_file_line_and_key(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in GOOD
    with pytest.raises(UsageError, match=complaint):
        read_catalog(write(tmp_path, GOOD.replace(old, new, 1)))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="cannot read"):
        read_catalog(tmp_path / "missing.yml")
    (tmp_path / "bytes.yml").write_bytes(b"\xff")
    with pytest.raises(ProvisionError, match="cannot read"):
        read_catalog(tmp_path / "bytes.yml")


def test_the_packaged_file_is_the_one_in_the_root() -> None:
    root = Path(__file__).parents[2] / "runtimes.yml"
    assert list(read_catalog(root).envs.values()) == list(envs())


def test_what_is_reserved_is_no_more_than_the_limits_and_these_where_nothing_is_said(
    tmp_path: Path,
) -> None:
    text = auniverse.runtimes.catalog._FILE.read_text()
    line = "reserve: {memory: 160, cpus: 0.1}"
    assert line in text
    theirs = tmp_path / "theirs.yml"
    for said, reserve in (
        (line, Reserve(memory=160, cpus=0.1)),
        ("reserve: {cpus: 0.5}", Reserve(memory=512, cpus=0.5)),
        ("", Reserve(memory=512, cpus=1.0)),
    ):
        theirs.write_text(text.replace(line, said))
        assert read_catalog(theirs).runtimes["gym-core"].reserve == reserve
    for said, complaint in (
        ("reserve: {memory: 513}", "memory must lie between 1 and 512"),
        ("reserve: {disk: 1}", "disk is not a known key"),
    ):
        theirs.write_text(text.replace(line, said))
        with pytest.raises(UsageError, match=rf"gym-core\.reserve\.{complaint}"):
            read_catalog(theirs)
