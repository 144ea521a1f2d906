import numpy as np

from auniverse.vector import INFO_KEYS, Batch, Result, stack_infos


def info(**extra):
    values = {bool: True, np.bool_: True, np.float64: 0.5, np.int64: 3, object: "x"}
    return {key: values[dtype] for key, dtype in INFO_KEYS.items()} | extra


def test_unpacks_as_the_five_of_gymnasium():
    results = [Result(1, 2.0, True, False, info()), Result(3, 0.0, False, True, info())]
    batch = Batch(np.zeros((2, 4, 4, 3), np.uint8), results)
    observations, rewards, terminations, truncations, infos = batch
    assert observations is batch.observations
    assert rewards.tolist() == [2.0, 0.0]
    assert rewards.dtype == np.float64
    assert terminations.tolist() == [True, False]
    assert truncations.tolist() == [False, True]
    assert infos is batch.infos
    assert batch.env_ids.tolist() == [1, 3]
    assert len(batch) == 2


def test_a_batch_of_nothing_keeps_its_dtypes():
    batch = Batch(np.zeros((0, 4, 4, 3), np.uint8), [])
    assert batch.rewards.dtype == np.float64
    assert batch.terminations.dtype == np.bool_
    assert len(batch) == 0
    assert all(len(batch.infos[key]) == 0 for key in INFO_KEYS)


def test_keys_that_not_every_slot_has_come_with_a_mask():
    stacked = stack_infos([info(fault={"type": "X"}), info()])
    assert stacked["_fault"].tolist() == [True, False]
    assert stacked["fault"].tolist() == [{"type": "X"}, None]
    assert "_valid" not in stacked
    assert stacked["valid"].dtype == np.bool_
    assert stacked["frame_age_s"].dtype == np.float64
