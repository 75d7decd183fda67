"""Subtree sums and next uplines on hard shapes, against a walk person by person."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commissions.engine import CapacityError, CycleError, calculate
from commissions.engine.trees import nearest, subtree_sums
from tests.engine.company import Company, demo_plan

CHAIN = 5_000
CHILDREN = 100_000


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[int], list[int], list[bool]]:
    """Parents in no order (nobody above himself), values and marks."""
    size = draw(st.integers(1, 30))
    parent = [draw(st.integers(-1, i - 1)) for i in range(size)]
    places = draw(st.permutations(range(size)))
    moved = [0] * size
    for old, new in enumerate(places):
        moved[new] = places[parent[old]] if parent[old] >= 0 else -1
    values = draw(st.lists(st.integers(-(10**15), 10**15), min_size=size, max_size=size))
    marks = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    return moved, values, marks


@given(forests())
def test_sums_and_next_uplines_equal_a_walk(forest):
    parent, values, marks = forest
    size = len(parent)
    sums, found = values.copy(), []
    for member in range(size):
        up = parent[member]
        while up >= 0:
            sums[up] += values[member]
            up = parent[up]
        up = member
        while up >= 0 and not marks[up]:
            up = parent[up]
        found.append(size if up < 0 else up)

    pointers = np.array(parent, np.int32)
    assert subtree_sums(pointers, np.array(values, np.int64), "volume").tolist() == sums
    assert nearest(pointers, np.array(marks)).tolist() == [*found, size]


def test_a_chain_of_five_thousand():
    parent = np.arange(-1, CHAIN - 1, dtype=np.int32)

    sums = subtree_sums(parent, np.arange(CHAIN, dtype=np.int64), "volume")

    assert sums[0] == CHAIN * (CHAIN - 1) // 2
    assert sums.tolist() == [(CHAIN - i) * (CHAIN - 1 + i) // 2 for i in range(CHAIN)]
    only_top = np.zeros(CHAIN, np.bool_)
    only_top[0] = True
    assert nearest(parent, only_top).tolist() == [0] * CHAIN + [CHAIN]


def test_compression_reaches_over_thousands_of_inactive_uplines():
    names = [f"p{i}" for i in range(CHAIN)]
    company = Company({name: names[i - 1] if i else None for i, name in enumerate(names)})
    company.sells("p0", "1000.00").sells(names[-1], "9000.00")
    plan = demo_plan()

    result = calculate(company.snapshot(), plan)

    assert company.ledger(result, plan, "unilevel") == [("p0", 1, "450.00")]
    assert result.standings.gv[1:].tolist() == [900_000] * (CHAIN - 1)


def test_a_hundred_thousand_children_of_one_person():
    names = ["asha", *(f"c{i}" for i in range(CHILDREN))]
    company = Company({name: "asha" if name != "asha" else None for name in names})
    company.place = lambda name: -1 if name is None else 0
    company.sells("asha", "100.00")
    company.sales += [
        {"id": 10_000 + i, "seller": i + 1, "order_class": 2, "pv": 100, "cv": 100, "margin": 0}
        for i in range(CHILDREN)
    ]
    plan = demo_plan()

    result = calculate(company.snapshot(), plan)

    assert result.standings.legs[0] == CHILDREN
    assert result.standings.gv[0] == 10_000 + CHILDREN * 100
    assert result.totals == {"retail": 0, "unilevel": CHILDREN * 5, "rank": 1000}


@pytest.mark.parametrize(
    ("tree", "trigger"), [("sponsors", "period_close"), ("enrollers", "payment")]
)
def test_a_circle_is_refused_by_name(tree, trigger):
    company = Company({"asha": None, "bela": "asha", "chetan": "bela", "divya": "chetan"})
    getattr(company, tree)["bela"] = "divya"

    with pytest.raises(CycleError) as refused:
        calculate(company.snapshot(), demo_plan(), trigger)

    assert refused.value.tree == tree[:-1]
    assert refused.value.members == [2, 3, 4]


def test_group_volume_beyond_64_bits_is_refused():
    company = Company({"asha": None})
    company.sales = [
        {"id": i, "seller": 0, "order_class": 2, "pv": 10**15, "cv": 0, "margin": 0}
        for i in range(9_224)
    ]

    with pytest.raises(CapacityError, match="personal pv"):
        calculate(company.snapshot(), demo_plan())

    company.sales.pop()
    assert calculate(company.snapshot(), demo_plan()).standings.gv[0] == 9_223 * 10**15


def test_volume_that_fits_in_persons_but_not_in_a_group_is_refused():
    with pytest.raises(CapacityError, match="group volume"):
        subtree_sums(np.array([-1, 0, 0], np.int32), np.array([2**62] * 3), "group volume")


def test_a_base_too_large_for_its_rate_is_refused():
    company = Company({"asha": None, "bela": "asha"}).sells("asha", "100.00")
    company.sells("bela", "1844674407370.95")
    fits = calculate(company.snapshot(), demo_plan())

    company.sells("bela", "3000000000000.00")
    with pytest.raises(CapacityError, match="too large for its rate"):
        calculate(company.snapshot(), demo_plan())

    assert fits.totals["unilevel"] == 9_223_372_036_855
