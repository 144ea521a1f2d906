from __future__ import annotations

import json
import math

import pytest
from hypothesis import given

from auniverse.errors import RewarderError
from auniverse.rewarder import values
from auniverse.rewarder.values import Field, Limits, depth, load, read_fields, write_fields

from .examples import json_values, tricky

LIMITS = Limits()


def true_depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(true_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(true_depth, value), default=0)
    return 0


@given(json_values)
def test_depth_is_exact_for_json(value: object) -> None:
    assert depth(json.dumps(value)) == depth(json.dumps(value, indent=1)) == true_depth(value)


@given(tricky)
def test_depth_copes_with_any_text(text: str) -> None:
    assert 0 <= depth(text) <= len(text)


@given(json_values)
def test_what_is_within_the_limits_loads_as_json_does(value: object) -> None:
    finite = json.loads(json.dumps(value))
    roomy = Limits(digits=10_000, depth=1000)
    assert load(json.dumps(value), roomy) == finite


@given(tricky)
def test_any_text_loads_as_json_does_or_is_refused(text: str) -> None:
    try:
        value = load(text, LIMITS)
    except RewarderError:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "not finite: NaN"),
        ("[Infinity]", "not finite: Infinity"),
        ('{"a": -Infinity}', "not finite: -Infinity"),
        ("1e999", "not finite: '1e999'"),
        ("-1e309", "not finite"),
        ("9" * 41, "integer of 41 digits"),
        ("-" + "9" * 5000, "integer of 5001 digits"),
        ("[" * 33 + "]" * 33, "nested deeper than 32"),
        ('{"a":' * 33 + "1" + "}" * 33, "nested deeper than 32"),
        ("[" * 100_000, "nested deeper than 32"),
        ('"' + "a" * (1 << 20) + '"', "limit 1048576"),
        ("[" * 500_000, "once parsed"),
        ("[" + "1," * 150_000 + "1]", "once parsed"),
        ("", "not JSON"),
        ("{", "not JSON"),
        ("{'a': 1}", "not JSON"),
        ("[1] [2]", "not JSON"),
    ],
)
def test_json_out_of_bounds_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RewarderError, match=reason):
        load(text, LIMITS)


def test_json_at_the_bounds_is_fine() -> None:
    assert load("9" * 40, LIMITS) == 10**40 - 1
    assert true_depth(load("[" * 32 + "]" * 32, LIMITS)) == 32
    assert load('"' + ",[{:" * 200_000 + '"', LIMITS) == ",[{:" * 200_000
    assert load('"' + "a" * ((1 << 20) - 2) + '"', LIMITS) == "a" * ((1 << 20) - 2)
    brackets_in_text = json.dumps("[" * 100 + '\\"{')
    assert load(brackets_in_text, LIMITS) == "[" * 100 + '\\"{'
    assert load("[1e308, -0.0]", LIMITS) == [1e308, 0.0]


HUGE = 10**39
ACCEPTED = [
    (values.boolean, [True, False]),
    (values.number, [0, -1, 1.5, HUGE]),
    (values.moment, [0, 1481000000.125, -5]),
    (values.mapping, [{}, {"a": 1}]),
    (values.name, ["", "a" * 2048]),
    (values.reason, ["", "a" * 65536]),
    (values.seed, [0, -1, HUGE]),
    (values.whole(1, 3), [1, 3]),
    (values.serial, [0, 12, "12"]),
    (values.episode, ["0", "007", 12, "1000000000000000"]),
    (values.requested_episode, ["0", 10**12]),
    (values.one_of("hold", "tap"), ["hold", "tap"]),
    (values.sequence(values.boolean), [[], [True], [False] * 4096]),
    (values.nullable(values.boolean), [None, True]),
    (values.tagged({"Key": (values.seed, values.boolean)}), [["Key", 1, True]]),
]
REFUSED = [
    (values.boolean, [None, 0, 1, "true", []]),
    (values.number, [None, True, "1", [], math.nan, math.inf]),
    (values.moment, [1e13, -1e13, HUGE, True, "0"]),
    (values.mapping, [None, [], "{}", 1]),
    (values.name, [None, 1, "a" * 2049, ["a"]]),
    (values.reason, [None, "a" * 65537]),
    (values.seed, [None, 1.0, True, "1"]),
    (values.whole(1, 3), [0, 4, 2.0, True, "2", None]),
    (values.serial, [-1, 1.0, True, "", "-1", "x", "٣", "1" * 17, 1 << 63, None]),
    (values.episode, ["1.2", "", "-1", -1, 1.0, True, None, "1e3", " 1", "٣", 10**15 + 1]),
    (values.requested_episode, ["1000000000001", 10**12 + 1]),
    (values.one_of("hold", "tap"), ["", "holdtap", None, ["hold"]]),
    (values.sequence(values.boolean), [None, {}, "ab", [1], [True] * 4097]),
    (values.nullable(values.boolean), [0, ""]),
    (
        values.tagged({"Key": (values.seed, values.boolean)}),
        [[], ["Key"], ["Key", 1], ["Key", 1, 1], ["Key", 1, True, 1], ["X", 1, True], [[]], "Key"],
    ),
]


@pytest.mark.parametrize(("read", "good"), ACCEPTED)
def test_readers_accept(read: values.Reader, good: list[object]) -> None:
    for value in good:
        read("here", value, LIMITS)


@pytest.mark.parametrize(("read", "bad"), REFUSED)
def test_readers_refuse_and_say_where(read: values.Reader, bad: list[object]) -> None:
    for value in bad:
        with pytest.raises(RewarderError, match=r"^here: expected .{1,400}$"):
            read("here", value, LIMITS)


def test_refusals_of_monsters_are_short() -> None:
    monster: object = "b" * 10_000
    for level in range(8):
        monster = [monster] * 9 if level % 2 else {f"{key}" * 9999: monster for key in range(9)}
    for read in (values.boolean, values.name, values.sequence(values.boolean), values.episode):
        with pytest.raises(RewarderError) as refusal:
            read("here", [monster], LIMITS)
        assert len(str(refusal.value)) < 400


def test_ids_come_in_one_form() -> None:
    assert values.episode("here", "007", LIMITS) == values.episode("here", 7, LIMITS) == "7"
    assert values.serial("here", "12", LIMITS) == 12
    assert values.number("here", 3, LIMITS).hex() == (3.0).hex()


def test_episode_ids_compare_as_integers_and_none_sorts_below() -> None:
    ids = ["10", "0", None, "9"]
    assert sorted(ids, key=values.episode_number) == [None, "0", "9", "10"]


FIELDS = (
    Field("must", values.seed),
    Field("may", values.seed, 5, write=lambda value: value * 2),
    Field("new", values.nullable(values.seed), None, protocol=1, attribute="newer"),
)


def test_fields_fall_back_on_their_default_and_newer_ones_are_skipped() -> None:
    assert read_fields("m", FIELDS, {"must": 1, "may": None, "new": 3}, LIMITS, 0) == {
        "must": 1,
        "may": 5,
    }
    assert read_fields("m", FIELDS, {"must": 1, "may": 2, "new": 3, "?": 4}, LIMITS, 1) == {
        "must": 1,
        "may": 2,
        "newer": 3,
    }
    with pytest.raises(RewarderError, match="m lacks must"):
        read_fields("m", FIELDS, {"must": None}, LIMITS, 0)
    with pytest.raises(RewarderError, match=r"m\.may: expected an integer"):
        read_fields("m", FIELDS, {"must": 1, "may": "2"}, LIMITS, 0)


def test_fields_write_what_they_read() -> None:
    class Thing:
        must, may, newer = 1, 2, 3

    assert write_fields(FIELDS, Thing, 0) == {"must": 1, "may": 4}
    assert write_fields(FIELDS, Thing, 1) == {"must": 1, "may": 4, "new": 3}
    Thing.newer = None
    assert write_fields(FIELDS, Thing, 1) == {"must": 1, "may": 4}
