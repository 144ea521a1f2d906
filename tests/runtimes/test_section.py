from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import UsageError
from auniverse.runtimes.section import Section, read_sections

FILE = """\
name: seven words
count: 7
share: .5
open: yes
inner: {a: x, b: y}
list:
- {a: own}
- {b: z}
a: outer
"""


def section() -> Section:
    return read_sections(FILE, "file.yml")


def test_every_kind_of_value() -> None:
    found = section()
    assert found.text("name") == "seven words"
    assert found.words("name") == ["seven", "words"]
    assert (found.number("count", 0, 7), found.number("share", 0, 1)) == (7.0, 0.5)
    assert found.truth("open") is True
    assert dict(found.section("inner").texts()) == {"a": "x", "b": "y"}
    assert [key for key, _ in found.section("missing").sections()] == []


def test_what_an_item_lacks_is_taken_from_the_outer_section() -> None:
    found = section()
    assert [item.text("a") for item in found.items("list")] == ["own", "outer"]


def test_a_missing_value_is_its_default() -> None:
    found = section()
    assert found.text("x", "") == ""
    assert found.number("x", 1, 2, 1.5) == 1.5
    assert found.truth("x", False) is False


@pytest.mark.parametrize(
    ("take", "complaint"),
    [
        (lambda found: found.text("count"), r"file.yml:2: count must be a text \(in quotes\?\)"),
        (lambda found: found.text("inner"), "file.yml:5: inner must be a text"),
        (lambda found: found.number("name", 0, 1), "file.yml:1: name must be a number"),
        (lambda found: found.number("count", 0, 6.5), "count must lie between 0 and 6.5"),
        (lambda found: found.truth("count"), "file.yml:2: count must be true or false"),
        (lambda found: found.choice("a", ("b", "c")), "file.yml:9: a must be b or c"),
        (lambda found: found.section("a"), "file.yml:9: a must be a mapping"),
        (lambda found: list(found.items("a")), "file.yml:9: a must be a list"),
        (lambda found: found.text("x"), "file.yml:1: x is missing"),
        (lambda found: found.section("inner").text("x"), "file.yml:5: inner.x is missing"),
        (lambda found: found.finish(), "file.yml:1: name is not a known key"),
    ],
)
def test_a_complaint_names_file_line_and_key(
    take: Callable[[Section], object], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        take(section())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "file.yml:1: the file is empty"),
        ("- a", "file.yml:1: the file must be a mapping"),
        ("\na: b: c", "file.yml:2: "),
        ("a: \x00", "file.yml:1: "),
        ("[a]: b", "file.yml:1: the file has a key that is no word"),
        ("a: b\nc: d\na: e", "file.yml:3: a stands here a second time"),
    ],
)
def test_what_is_no_mapping_at_all(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_sections(text, "file.yml")


@given(st.text() | st.text("ab:{}[]-&*!?'\"\n |>#%@,.1", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        found = read_sections(text, "file.yml")
        with contextlib.suppress(UsageError):
            found.number("a", 0, 1)
        dict(found.texts())
