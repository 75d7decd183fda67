"""Refunds undo commissions to the cent, in however many parts they come."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commissions.engine.errors import CapacityError, SnapshotError
from commissions.engine.reversal import Refunded, reverse
from tests.engine.documents import bonus, document, load, money, upline

PLAN = load(document())
REVERSAL = document()["reversal"]
RULES = ["half_even", "half_up", "toward_zero", "away_from_zero"]


def plan_with(**parts: object):
    return load(document(reversal=REVERSAL | parts))


def refunded(*entries: tuple[int, int, int, int]) -> Refunded:
    columns = np.array(entries, np.int64).reshape(-1, 4).T
    return Refunded(*(np.ascontiguousarray(column) for column in columns))


def test_three_jars_come_back_one_by_one():
    parts = reverse(refunded((50, 3, 0, 1), (50, 3, 1, 2), (50, 3, 2, 3)), PLAN)

    assert parts.tolist() == [-17, -16, -17]


def test_a_whole_refund_undoes_the_whole_line():
    assert reverse(refunded((1234, 7, 0, 7), (1, 10, 0, 10)), PLAN).tolist() == [-1234, -1]


def test_what_rounds_to_nothing_is_undone_later():
    assert reverse(refunded((1, 10, 0, 5), (1, 10, 5, 6)), PLAN).tolist() == [0, -1]


def test_a_negative_line_is_undone_upward():
    assert reverse(refunded((-50, 3, 0, 1), (-50, 3, 1, 3)), PLAN).tolist() == [17, 33]


def test_nothing_refunded_gives_nothing():
    assert reverse(refunded(), PLAN).tolist() == []


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.integers(0, 1000), min_size=1, max_size=12),
    st.integers(0, 1000),
    st.sampled_from(RULES),
)
def test_partial_reversals_add_up(amount, parts, kept, rounding):
    plan = load(document(money=money(rounding=rounding)))
    quantity = sum(parts) + kept or 1
    marks = np.concatenate([[0], np.cumsum(parts)]).tolist()
    entries = [(amount, quantity, before, after) for before, after in pairwise(marks)]

    in_parts = reverse(refunded(*entries), plan)
    at_once = reverse(refunded((amount, quantity, 0, marks[-1])), plan)

    assert in_parts.sum() == at_once[0]
    assert (in_parts * np.sign(amount) <= 0).all()
    if marks[-1] == quantity:
        assert at_once[0] == -amount


@pytest.mark.parametrize("entry", [(50, 3, 0, 4), (50, 3, 2, 1), (50, 0, 0, 0), (50, 3, -1, 1)])
def test_more_back_than_was_sold_is_refused(entry):
    with pytest.raises(SnapshotError, match="refund entry 1"):
        reverse(refunded((50, 3, 0, 1), entry), PLAN)


def test_amounts_of_any_size_are_undone_exactly():
    assert reverse(refunded((2**62, 100, 0, 50)), PLAN).tolist() == [-(2**61)]


def test_quantities_too_large_to_be_divided_by_are_refused():
    with pytest.raises(CapacityError):
        reverse(refunded((1, 2**61, 0, 1)), PLAN)


def test_a_full_reversal_comes_with_the_first_piece():
    plan = plan_with(commissions="full")

    parts = reverse(refunded((50, 3, 0, 0), (50, 3, 0, 1), (50, 3, 1, 3)), plan)

    assert parts.tolist() == [0, -50, 0]


def test_a_plan_may_leave_commissions_alone():
    plan = plan_with(commissions="none")

    assert reverse(refunded((50, 3, 0, 3)), plan).tolist() == [0]


def test_purium_takes_back_within_sixty_days():
    plan = plan_with(window_days=60)
    july_sale = refunded((50_00, 1, 0, 1), (50_00, 1, 0, 1))

    undone = reverse(replace(july_sale, days=np.array([60, 61])), plan)

    assert undone.tolist() == [-50_00, 0]


def test_a_window_needs_days():
    with pytest.raises(SnapshotError, match="days"):
        reverse(refunded((50, 1, 0, 1)), plan_with(window_days=60))


def test_derived_lines_stand_where_the_plan_says():
    match = bonus(
        "match",
        base={"of": "commissions", "bonuses": ["direct"], "per": "line", "after_limits": False},
        pays=upline(1),
        rates={"by": "step", "table": ["0.10"]},
    )
    limit = {
        "code": "cap", "name": "Cap", "scope": "member", "bonuses": ["direct"], "amount": "10",
        "share": None, "metric": None, "enforcement": "pro_rata", "overflow": "lost",
    }  # fmt: skip
    parts = {"bonuses": [bonus("direct"), match], "limits": [limit]}
    lines = replace(refunded((50, 1, 0, 1), (5, 1, 0, 1), (-40, 1, 0, 1)), bonus=np.arange(3))

    with_derived = load(document(**parts))
    without = load(document(**parts, reversal=REVERSAL | {"derived": False}))

    assert reverse(lines, with_derived).tolist() == [-50, -5, 40]
    assert reverse(lines, without).tolist() == [-50, 0, 40]
    with pytest.raises(SnapshotError, match="bonus"):
        reverse(refunded((50, 1, 0, 1)), without)
