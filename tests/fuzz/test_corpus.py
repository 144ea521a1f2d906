"""What the fuzzer has found worth keeping, and its seeds, once more and without a fuzzer."""

from __future__ import annotations

from pathlib import Path

import pytest

from auniverse.rfb import Decoder
from fuzz.seeds import seeds
from fuzz.targets import TARGETS, Finding, agree, told
from tests.rfb.wire import BELL, opening, update

CORPUS = Path(__file__).parents[2] / "fuzz" / "corpus"
MEGABYTE = 1_000_000


@pytest.mark.parametrize("target", TARGETS)
def test_the_kept_corpus_holds(target: str) -> None:
    for path in sorted((CORPUS / target).glob("*")):
        TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_hold_and_there_are_some(target: str) -> None:
    made = seeds()[target]
    assert made
    for seed in made:
        TARGETS[target](seed)


def test_the_kept_corpus_is_small_and_belongs_to_targets() -> None:
    kept = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert kept
    assert sum(path.stat().st_size for path in kept) < MEGABYTE
    # Those of parts that are not built here have no target.
    assert {path.parent.name for path in kept} - {*TARGETS} <= {"twins", "recording"}


def test_a_difference_would_be_found() -> None:
    one, other = (told(opening() + said, 0, Decoder) for said in (BELL, update()))
    with pytest.raises(Finding):
        agree(one, other, "planted")
    for target in TARGETS.values():
        target(b"")
