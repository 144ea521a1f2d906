from auniverse.vector.crew.stats import add


def test_numbers_add_up_and_words_are_the_seconds():
    first = {"bytes": 3, "s": 0.5, "open": True, "error": None, "old": 1}
    second = {"bytes": 4, "s": 1.0, "open": False, "error": "gone", "new": 2}
    assert add(first, second) == {
        "bytes": 7,
        "s": 1.5,
        "open": False,
        "error": "gone",
        "old": 1,
        "new": 2,
    }


def test_causes_add_up():
    first, second = {"causes": {"A": 1, "B": 1}}, {"causes": {"B": 2}}
    assert add(first, second) == {"causes": {"A": 1, "B": 3}}
