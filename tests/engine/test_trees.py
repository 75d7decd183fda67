"""Sums below, depths and next uplines on hard shapes, against a walk person by person."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.errors import CapacityError, CycleError
from commissions.engine.facts import Facts
from commissions.engine.snapshot import build_snapshot
from commissions.engine.trees import (
    child_sums,
    cut,
    depths,
    legs_with,
    level_sums,
    nearest,
    subtree_sums,
)
from tests.engine.documents import demo, document, load
from tests.engine.small import company, known

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


def uplines(parent: list[int], member: int) -> list[int]:
    """The way up, the next first."""
    above = []
    while parent[member] >= 0:
        member = parent[member]
        above.append(member)
    return above


@given(forests())
@settings(max_examples=60, deadline=None)
def test_sums_and_next_uplines_equal_a_walk(forest):
    parent, values, marks = forest
    size = len(parent)
    sums, whole_cut, found = values.copy(), values.copy(), []
    for member in range(size):
        above = uplines(parent, member)
        for up in above:
            sums[up] += values[member]
        for place, up in enumerate(above):
            if any(marks[passed] for passed in [member, *above[:place]]):
                break
            whole_cut[up] += values[member]
        found.append(next((up for up in [member, *above] if marks[up]), size))

    pointers, figures, counts = np.array(parent, np.int32), np.array(values), np.array(marks)
    assert subtree_sums(pointers, figures, "volume").tolist() == sums
    assert subtree_sums(cut(pointers, counts), figures, "volume").tolist() == whole_cut
    assert nearest(pointers, counts).tolist() == [*found, size]


@given(forests(), st.integers(1, 4), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_depths_levels_and_legs_equal_a_walk(forest, first, more):
    parent, values, marks = forest
    above = [uplines(parent, member) for member in range(len(parent))]
    levels, frontline, legs = ([0] * len(parent) for _ in range(3))
    for member, way in enumerate(above):
        for up in way[first - 1 : first + more]:
            levels[up] += values[member]
        for up in way[:1]:
            frontline[up] += values[member]
            legs[up] += marks[member]

    pointers, figures = np.array(parent, np.int32), np.array(values)
    assert depths(pointers).tolist() == [len(way) for way in above]
    assert level_sums(pointers, figures, first, first + more, "volume").tolist() == levels
    assert child_sums(pointers, figures).tolist() == frontline
    assert legs_with(pointers, np.array(marks)).tolist() == legs


def test_a_chain_of_five_thousand():
    parent = np.arange(-1, CHAIN - 1, dtype=np.int32)

    sums = subtree_sums(parent, np.arange(CHAIN, dtype=np.int64), "volume")

    assert sums[0] == CHAIN * (CHAIN - 1) // 2
    assert sums.tolist() == [(CHAIN - i) * (CHAIN - 1 + i) // 2 for i in range(CHAIN)]
    assert depths(parent).tolist() == list(range(CHAIN))
    only_top = np.zeros(CHAIN, np.bool_)
    only_top[0] = True
    assert nearest(parent, only_top).tolist() == [0] * CHAIN + [CHAIN]


def test_a_hundred_thousand_children_of_one_person():
    size = CHILDREN + 1
    parent = np.append(np.int32(-1), np.zeros(CHILDREN, np.int32))
    sold = np.full(size, 100)
    facts = Facts(
        build_snapshot(
            members={"id": np.arange(size), "parents": {"sponsor": parent, "enroller": parent}},
            lines={
                "id": np.arange(size),
                "seller": np.arange(size),
                "kind": np.zeros(size, np.int8),
                "volumes": {"pv": sold, "cv": sold, "margin": sold},
            },
        ),
        load(demo()),
    )

    assert facts.metric("legs")[:2].tolist() == [CHILDREN * 100, 0]
    assert facts.metric("gv")[:2].tolist() == [size * 100, 100]


@pytest.mark.parametrize("tree", ["sponsor", "enroller"])
def test_a_circle_is_refused_by_name(tree):
    snapshot = company({"asha": None, "bela": "divya", "chetan": "bela", "divya": "chetan"})

    with pytest.raises(CycleError) as refused:
        Facts(snapshot, load(document())).parent(tree)

    assert refused.value.tree == tree
    assert refused.value.members == [2, 3, 4]


def test_own_volume_beyond_64_bits_is_refused():
    sales = [("asha", "10000000000000.00")] * 9_223

    assert known(document(), {"asha": None}, sales).metric("gv").tolist() == [9_223 * 10**15]
    with pytest.raises(CapacityError, match="personal pv"):
        known(document(), {"asha": None}, [*sales, sales[0]]).metric("gv")


def test_volume_that_fits_in_persons_but_not_in_a_group_is_refused():
    parent, values = np.array([-1, 0, 0], np.int32), np.array([2**62] * 3)

    with pytest.raises(CapacityError, match="group volume"):
        subtree_sums(parent, values, "group volume")
    with pytest.raises(CapacityError, match="team volume"):
        level_sums(parent, values, 1, 1, "team volume")
