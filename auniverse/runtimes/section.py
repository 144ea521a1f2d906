"""A mapping of a YAML file, taken key by key; a complaint names the file, the line and the key."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn, TypeVar

import yaml

from auniverse.errors import UsageError

T = TypeVar("T")

# libyaml's loader is some ten times as fast; PyYAML may have been built without it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: The tag of a value that stands in no file.
_GIVEN = "given"
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Section:
    """A mapping of which every key must be taken before `finish`.

    The verbs that take a key take a `default` for a missing one; without it the key is required.

    Args:
        node: The mapping as PyYAML composed it.
        file: What messages call the file.
        name: The way to it, such as "gym-core.ports"; "" for the file itself.
        outer: Where a key is looked for that is missing here.

    Raises:
        UsageError: It is no mapping, or a key stands in it twice.
    """

    def __init__(self, node: yaml.Node, file: str, name: str, outer: Section | None = None) -> None:
        self._node, self._file, self._name, self._outer = node, file, name, outer
        self._entries: dict[str, yaml.Node] = {}
        self._taken: set[str] = set()
        if not isinstance(node, yaml.MappingNode):
            self.refuse("must be a mapping")
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.refuse("has a key that is no word", at=key)
            if key.value in self._entries:
                self.refuse("stands here a second time", key.value, at=key)
            self._entries[key.value] = value

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys, in the file's order."""
        return tuple(self._entries)

    def refuse(self, problem: str, key: str = "", *, at: yaml.Node | None = None) -> NoReturn:
        """Raise a `UsageError` about this section, or about one of its keys."""
        node = at or self._entries.get(key) or self._node
        raise UsageError(
            f"{self._file}:{node.start_mark.line + 1}: {self._way(key) or 'the file'} {problem}"
        )

    def text(self, key: str, default: str | None = None) -> str:
        """Take a text."""
        return self._take(key, default, "a text (in quotes?)", _read_text)

    def words(self, key: str) -> list[str]:
        """Take a text of one or more words."""
        return self.text(key).split() or self.refuse("must not be empty", key)

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """Take one of some words."""
        word = self.text(key)
        return word if word in choices else self.refuse(f"must be {' or '.join(choices)}", key)

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """Take a number from `low` to `high`."""
        number = self._take(key, default, "a number", _read_number)
        if not low <= number <= high:
            self.refuse(f"must lie between {low:g} and {high:g}", key)
        return number

    def truth(self, key: str, default: bool | None = None) -> bool:
        """Take true or false."""
        return self._take(key, default, "true or false", _read_truth)

    def section(self, key: str) -> Section:
        """Take a mapping; a missing one is empty."""
        self._taken.add(key)
        if key not in self and self._outer is not None and key in self._outer:
            return self._outer.section(key)
        missing = yaml.MappingNode("", [], self._node.start_mark)
        return Section(self._entries.get(key, missing), self._file, self._way(key))

    def sections(self) -> Iterator[tuple[str, Section]]:
        """Take all keys; each must be a mapping."""
        return ((key, self.section(key)) for key in self._entries)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Take all keys; each must be a text."""
        return ((key, self.text(key)) for key in self._entries)

    def with_given(self, given: Mapping[str, str]) -> Section:
        """Return this section anew, with texts in place of some of its values.

        A text is read as whatever is asked for: "2" is a text and a number.
        """
        here = self._node.start_mark
        pairs = [pair for pair in self._node.value if pair[0].value not in given]
        for key, value in given.items():
            pairs.append((yaml.ScalarNode("", key, here), yaml.ScalarNode(_GIVEN, value, here)))
        return Section(yaml.MappingNode("", pairs, here), self._file, self._name)

    def items(self, key: str) -> Iterator[Section]:
        """Take a list of mappings; what one of them lacks is looked for in this section."""
        self._taken.add(key)
        node = self._entries.get(key)
        if not isinstance(node, yaml.SequenceNode):
            self.refuse("must be a list", key)
        for position, item in enumerate(node.value):
            yield Section(item, self._file, f"{self._way(key)}[{position}]", self)

    def finish(self) -> None:
        """Refuse the first key that nobody has taken."""
        for key in self._entries:
            if key not in self._taken:
                self.refuse("is not a known key", key)

    def _way(self, key: str) -> str:
        return ".".join(filter(None, (self._name, key)))

    def _take(
        self, key: str, default: T | None, what: str, read: Callable[[str, str], T | None]
    ) -> T:
        self._taken.add(key)
        if key not in self._entries:
            if self._outer is not None and key in self._outer:
                return self._outer._take(key, default, what, read)
            return default if default is not None else self.refuse("is missing", key)
        node = self._entries[key]
        if isinstance(node, yaml.ScalarNode):
            value = read(node.tag.rpartition(":")[2], node.value)
            if value is not None:
                return value
        self.refuse(f"must be {what}", key)


def read_sections(text: str, file: str) -> Section:
    """Return the mapping that a YAML file is; messages call the file `file`.

    Raises:
        UsageError: It is no YAML, or something else than a mapping.
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise UsageError(f"{file}:{line}: {getattr(error, 'problem', None) or error}") from None
    if node is None:
        raise UsageError(f"{file}:1: the file is empty")
    return Section(node, file, "")


# Each gets a scalar's YAML type and text, and returns None if it is something else.


def _read_text(kind: str, text: str) -> str | None:
    return text if kind in ("str", _GIVEN) else None


def _read_number(kind: str, text: str) -> float | None:
    try:
        number = float(text) if kind in ("int", "float", _GIVEN) else math.nan
    except ValueError:  # YAML knows numbers that Python does not, such as 1:30
        return None
    return number if math.isfinite(number) else None


def _read_truth(kind: str, text: str) -> bool | None:
    return _TRUTH.get(text.lower()) if kind in ("bool", _GIVEN) else None
