from __future__ import annotations

import numpy as np

from auniverse.env.infos import info_of, spread, with_masks

INFOS = {
    "text": np.array(["a", "b"], object),
    "valid": np.array([True, False]),
    "bytes": np.array([3, 4]),
    "fault": np.array([None, {"type": "x"}], object),
    "_fault": np.array([False, True]),
    "_odd": np.array([1.5, 2.5]),
}


def test_every_key_gets_a_mask() -> None:
    masked = with_masks(INFOS, 2)
    assert masked.keys() == INFOS.keys() | {"_text", "_valid", "_bytes", "__odd"}
    assert masked["_bytes"].tolist() == [True, True]
    assert masked["_fault"].tolist() == [False, True]
    assert with_masks(masked, 2).keys() == masked.keys()


def test_the_infos_of_one() -> None:
    for infos in (INFOS, with_masks(INFOS, 2)):
        first, second = info_of(infos, 0), info_of(infos, 1)
        assert first == {"text": "a", "valid": True, "bytes": 3, "_odd": 1.5}
        assert second == {
            "text": "b",
            "valid": False,
            "bytes": 4,
            "_odd": 2.5,
            "fault": {"type": "x"},
        }
        assert [type(value) for value in first.values()] == [str, bool, int, float]


def test_the_infos_of_some_among_all() -> None:
    wide = spread(with_masks(INFOS, 2), [3, 1], 4)
    assert wide["text"].tolist() == [None, "b", None, "a"]
    assert wide["bytes"].tolist() == [0, 4, 0, 3]
    assert wide["_bytes"].tolist() == [False, True, False, True]
    assert wide["_fault"].tolist() == [False, True, False, False]
    assert wide["bytes"].dtype == INFOS["bytes"].dtype
