"""The generated company of the benchmarks: the same each time, shaped like a real one."""

from dataclasses import fields

import numpy as np

from tests.benchmarks.network import ORDERS_EACH, depths, generate

SIZE = 20_000


def test_same_seed_same_company():
    first, again, other = generate(500), generate(500), generate(500, seed=8)

    for field in fields(first):
        assert np.array_equal(getattr(first, field.name), getattr(again, field.name))
    assert not np.array_equal(first.enroller, other.enroller)


def test_one_tree_with_a_heavy_tail():
    network = generate(SIZE)
    children = np.bincount(network.sponsor[1:], minlength=SIZE)

    assert (network.sponsor < np.arange(SIZE)).all()
    assert network.sponsor.tolist().count(-1) == 1
    assert 0.65 < (children == 0).mean() < 0.75
    assert children.max() > 40
    assert np.bincount(network.seller).tolist() == [ORDERS_EACH] * SIZE
    assert network.cv.min() > 0


def test_a_long_chain_in_the_middle():
    assert depths(generate(SIZE, chain=5_000).enroller).max() >= 5_000
