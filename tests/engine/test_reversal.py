"""Refunds undo commissions to the cent, in however many parts they come."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commissions.engine import CapacityError, Refunded, SnapshotError, reverse
from tests.engine.company import demo_document, demo_plan

MONEY = demo_plan().money


def refunded(*entries: tuple[int, int, int, int]) -> Refunded:
    columns = np.array(entries, np.int64).reshape(-1, 4).T
    return Refunded(*(np.ascontiguousarray(column) for column in columns))


def test_three_jars_come_back_one_by_one():
    parts = reverse(refunded((50, 3, 0, 1), (50, 3, 1, 2), (50, 3, 2, 3)), MONEY)

    assert parts.tolist() == [-17, -16, -17]


def test_a_whole_refund_undoes_the_whole_line():
    assert reverse(refunded((1234, 7, 0, 7), (1, 10, 0, 10)), MONEY).tolist() == [-1234, -1]


def test_what_rounds_to_nothing_is_undone_later():
    assert reverse(refunded((1, 10, 0, 5), (1, 10, 5, 6)), MONEY).tolist() == [0, -1]


def test_a_negative_line_is_undone_upward():
    assert reverse(refunded((-50, 3, 0, 1), (-50, 3, 1, 3)), MONEY).tolist() == [17, 33]


def test_nothing_refunded_gives_nothing():
    assert reverse(refunded(), MONEY).tolist() == []


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.integers(0, 1000), min_size=1, max_size=12),
    st.integers(0, 1000),
    st.sampled_from(["half_even", "half_up", "down"]),
)
def test_partial_reversals_add_up(amount, parts, kept, rounding):
    money = demo_plan(money={**demo_document()["money"], "rounding": rounding}).money
    quantity = sum(parts) + kept or 1
    marks = np.concatenate([[0], np.cumsum(parts)]).tolist()
    entries = [(amount, quantity, before, after) for before, after in pairwise(marks)]

    in_parts = reverse(refunded(*entries), money)
    at_once = reverse(refunded((amount, quantity, 0, marks[-1])), money)

    assert in_parts.sum() == at_once[0]
    assert (in_parts * np.sign(amount) <= 0).all()
    if marks[-1] == quantity:
        assert at_once[0] == -amount


@pytest.mark.parametrize("entry", [(50, 3, 0, 4), (50, 3, 2, 1), (50, 0, 0, 0), (50, 3, -1, 1)])
def test_more_back_than_was_sold_is_refused(entry):
    with pytest.raises(SnapshotError, match="refund entry 1"):
        reverse(refunded((50, 3, 0, 1), entry), MONEY)


def test_amounts_beyond_64_bits_are_refused():
    with pytest.raises(CapacityError):
        reverse(refunded((2**62, 100, 0, 50)), MONEY)
