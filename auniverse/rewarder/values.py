"""Reading JSON from strangers: bounded before it is parsed, every value checked after.

A reader takes where the value stood (for the message of the error), the value and the limits, and
returns the value in the type that we use or raises `RewarderError`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from reprlib import Repr
from typing import Any, NamedTuple, NoReturn

from auniverse.errors import RewarderError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may cost us. Anything above is refused before memory is taken for it."""

    #: Characters of one message.
    message: int = 1 << 20
    #: Bytes that one message may take once it is parsed (see `weight`): `[[],[],[]]` takes 25
    #: times its length.
    memory: int = 12 << 20
    #: Arrays and objects inside each other.
    depth: int = 32
    #: Digits of an integer: 128-bit seeds fit, and each can be made a float.
    digits: int = 40
    #: Characters of an env id, an env state, a key's name.
    name: int = 2048  # an id may hold an address, in its settings
    #: Characters of the message of an error or a close.
    reason: int = 64 * 1024
    #: Entries of one action, one step, one list of keys.
    entries: int = 4096
    #: Frames of one step.
    frames: int = 3600
    #: Resets of one peer that wait for their reply.
    resets: int = 16


Reader = Callable[[str, object, Limits], Any]

#: Episode ids stay below 2**53, so that every language's JSON keeps them whole.
MAX_EPISODE = 10**15
#: A client may not push the server's counter near the end of that range.
MAX_REQUESTED_EPISODE = 10**12
#: More than any clock shows, by far.
MAX_SECONDS = 1e12

_NO_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[^\[\]{}"]++', re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
#: The most bytes that CPython takes for what one such character announces in JSON.
_WEIGHTS = {",": 96, "[": 96, "{": 96, ":": 160}
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}
_SHORT = Repr()
_SHORT.maxlevel = 1  # the default of 6 levels allows 6**6 items
_WHOLE_TEXT = re.compile(r"[0-9]{1,16}")


def depth(text: str) -> int:
    """Return how deep the arrays and objects of `text` nest (an upper bound if it is not JSON)."""
    brackets = _NO_BRACKETS.sub("", text)
    return max(accumulate(map(_STEP.__getitem__, brackets), initial=0))


def weight(text: str) -> int:
    """Return how many bytes a JSON text takes once it is parsed, at most."""
    wide = not text.isascii() or "\\u" in text  # one rare character widens all others to 4 bytes
    return len(text) * (4 if wide else 1) + _weight_of_values(text)


def _weight_of_values(text: str) -> int:
    return sum(text.count(mark) * size for mark, size in _WEIGHTS.items())


def load(text: str, limits: Limits) -> object:
    """Parse one JSON text; every number in it is finite.

    Raises:
        RewarderError: It is too long, too large, too deep, no JSON, or holds a number out of range.
    """
    if len(text) > limits.message:
        raise RewarderError(f"message of {len(text)} characters (limit {limits.message})")
    # What stands in strings counts only if that matters: most texts are far from the limit.
    if weight(text) > limits.memory and _weight_of_values(_STRING.sub("", text)) > limits.memory:
        raise RewarderError(f"message of more than {limits.memory} bytes, once parsed")
    if text.count("[") + text.count("{") > limits.depth and depth(text) > limits.depth:
        raise RewarderError(f"message nested deeper than {limits.depth}")

    def integer(digits: str) -> int:
        if len(digits) > limits.digits:
            raise RewarderError(f"integer of {len(digits)} digits (limit {limits.digits})")
        return int(digits)

    try:
        return json.loads(text, parse_constant=_constant, parse_float=_float, parse_int=integer)
    except ValueError as error:
        raise RewarderError(f"message is not JSON: {error}") from error


def _constant(name: str) -> NoReturn:
    raise RewarderError(f"number that is not finite: {name}")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise RewarderError(f"number that is not finite: {short(digits)}")
    return value


def short(value: object) -> str:
    """Return a `repr` of some hundred characters at most."""
    return _SHORT.repr(value)


def refuse(where: str, expected: str, value: object) -> NoReturn:
    """Raise the error that says what stood where something else was expected."""
    raise RewarderError(f"{where}: expected {expected}, got {short(value)}")


def anything(where: str, value: object, limits: Limits) -> object:
    """Any JSON value."""
    return value


def boolean(where: str, value: object, limits: Limits) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        refuse(where, "true or false", value)
    return value


def number(where: str, value: object, limits: Limits) -> float:
    """A finite number; `true` and `false` are none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        refuse(where, "a finite number", value)
    return float(value)


def moment(where: str, value: object, limits: Limits) -> float:
    """Seconds, not so many that sums or differences of them could leave the finite."""
    seconds = number(where, value, limits)
    if abs(seconds) > MAX_SECONDS:
        refuse(where, "a time in seconds", value)
    return seconds


def mapping(where: str, value: object, limits: Limits) -> dict[str, object]:
    """An object."""
    if not isinstance(value, dict):
        refuse(where, "an object", value)
    return value


def name(where: str, value: object, limits: Limits) -> str:
    """A text of at most `limits.name` characters."""
    return _text(where, value, limits.name)


def reason(where: str, value: object, limits: Limits) -> str:
    """A text of at most `limits.reason` characters."""
    return _text(where, value, limits.reason)


def _text(where: str, value: object, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        refuse(where, f"a text of at most {limit} characters", value)
    return value


def seed(where: str, value: object, limits: Limits) -> int:
    """Any integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(where, "an integer", value)
    return value


def whole(low: int, high: int) -> Reader:
    """Make a reader of integers in `low..high`."""

    def read(where: str, value: object, limits: Limits) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            refuse(where, f"an integer in {low}..{high}", value)
        return value

    return read


def serial(where: str, value: object, limits: Limits) -> int:
    """A message id: an integer from 0, as such or (as old documents show it) as a text."""
    if isinstance(value, str) and _WHOLE_TEXT.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        refuse(where, "a message id", value)
    return value


def episode(where: str, value: object, limits: Limits, limit: int = MAX_EPISODE) -> str:
    """An episode id, an integer as text or as such; returned as text, without leading zeros."""
    if isinstance(value, str) and _WHOLE_TEXT.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        refuse(where, f"an episode id in 0..{limit}", value)
    return str(value)


def requested_episode(where: str, value: object, limits: Limits) -> str:
    """An episode id as a client may name one in its reset."""
    return episode(where, value, limits, MAX_REQUESTED_EPISODE)


def episode_number(episode_id: str | None) -> int:
    """Return what episode ids are compared by; none sorts below everything."""
    return -1 if episode_id is None else int(episode_id)


def nullable(read: Reader) -> Reader:
    """Make a reader that lets `null` pass."""

    def read_or_none(where: str, value: object, limits: Limits) -> Any:
        return None if value is None else read(where, value, limits)

    return read_or_none


def one_of(*words: str) -> Reader:
    """Make a reader of a text out of `words`."""

    def read(where: str, value: object, limits: Limits) -> str:
        if not isinstance(value, str) or value not in words:
            refuse(where, " or ".join(words), value)
        return value

    return read


def sequence(read: Reader) -> Reader:
    """Make a reader of an array of at most `limits.entries`, returned as a tuple."""

    def read_all(where: str, value: object, limits: Limits) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > limits.entries:
            refuse(where, f"an array of at most {limits.entries}", value)
        return tuple(read(where, item, limits) for item in value)

    return read_all


def tagged(kinds: Mapping[str, tuple[Reader, ...]]) -> Reader:
    """Make a reader of `[kind, value, ...]`, returned as a tuple, by each kind's readers."""

    def read(where: str, value: object, limits: Limits) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not value or not isinstance(value[0], str):
            refuse(where, "[kind, value, ...]", value)
        readers = kinds.get(value[0])
        if readers is None or len(value) != 1 + len(readers):
            refuse(where, " or ".join(kinds), value)
        rest = zip(readers, value[1:], strict=True)
        return (value[0], *(one(where, item, limits) for one, item in rest))

    return read


def _same(value: Any) -> object:
    return value


#: The default of a field that has to be there.
REQUIRED: Any = object()


class Field(NamedTuple):
    """One entry of a JSON object and the attribute that it becomes."""

    key: str
    read: Reader
    #: What stands for a missing entry and for `null`.
    default: object = REQUIRED
    write: Callable[[Any], object] = _same
    #: The protocol from which on the entry exists; older peers neither see nor send it.
    protocol: int = 0
    #: The attribute, where it is not called like the key.
    attribute: str = ""


def read_fields(
    where: str,
    fields: tuple[Field, ...],
    source: Mapping[str, object],
    limits: Limits,
    protocol: int,
) -> dict[str, Any]:
    """Read the attributes that `fields` describe out of an object; other entries are ignored.

    Raises:
        RewarderError: An entry is missing or wrong.
    """
    values = {}
    for field in fields:
        if field.protocol > protocol:
            continue
        value = source.get(field.key)
        if value is None:
            if field.default is REQUIRED:
                raise RewarderError(f"{where} lacks {field.key}")
            value = field.default
        values[field.attribute or field.key] = field.read(f"{where}.{field.key}", value, limits)
    return values


def write_fields(fields: tuple[Field, ...], value: object, protocol: int) -> dict[str, object]:
    """Return the object that `read_fields` would read `value`'s attributes from.

    An entry of a newer protocol is left out; so is one of protocol 1 and up that is None.
    """
    entries = {}
    for field in fields:
        item = getattr(value, field.attribute or field.key)
        if field.protocol <= protocol and not (field.protocol and item is None):
            entries[field.key] = field.write(item)
    return entries
