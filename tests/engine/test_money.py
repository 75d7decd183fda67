"""From awards to money: scale, factor, rounding of lines and of a member's sum."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.awards import HELD, LEDGER, RETAINED, Award
from commissions.engine.errors import CapacityError
from commissions.engine.money import amounts, by_member, in_hundredths
from commissions.engine.plan import Plan
from tests.engine.documents import bonus, document, load, money


def award(lines, level=1, to=LEDGER):
    """Lines as (earner, base, rate)."""
    earner, base, rate = (np.array(column) for column in zip(*lines, strict=True))
    nobody = np.full(len(lines), -1, np.int32)
    return Award(
        level=level,
        earner=earner.astype(np.int32),
        source=nobody,
        line=np.arange(len(lines), dtype=np.int32),
        base=base.astype(np.int64),
        rate=rate.astype(np.int32),
        rank_level=np.zeros(len(lines), np.int16),
        to=to,
    )


def plan_of(factor: str = "1", **parts: object) -> Plan:
    return load(document(money=money(**parts), bonuses=[bonus("b", factor=factor)]))


def paid(plan: Plan, *awards: Award) -> list[list[int]]:
    return [block.amount.tolist() for block in amounts(plan.bonuses[0], awards, plan).ledger]


@pytest.mark.parametrize(
    ("rounding", "half", "three_halves"),
    [("toward_zero", 0, 1), ("away_from_zero", 1, 2), ("half_up", 1, 2), ("half_even", 0, 2)],
)
def test_six_decimals_in_each_rule(rounding, half, three_halves):
    plan = plan_of(scale=6, rounding=rounding, zero_amounts="keep")

    assert paid(plan, award([(0, 1, 50), (0, 1, 150)])) == [[half, three_halves]]


def test_awards_are_rounded_before_they_are_summed():
    plan = plan_of(scale=6, rounding="half_up")

    assert paid(plan, award([(0, 1, 60), (0, 1, 60)])) == [[1, 1]]


def test_what_rounds_to_nothing_makes_no_line():
    plan = plan_of(scale=6, rounding="half_even")

    assert paid(plan, award([(0, 1, 50), (1, 1, 60)]), award([(0, 1, 50)], level=2)) == [[1]]


@pytest.mark.parametrize(
    ("scale", "amount"), [(0, 12), (1, 124), (2, 1235), (3, 12350), (6, 12350000)]
)
def test_an_amount_is_in_units_of_the_scale(scale, amount):
    plan = plan_of(scale=scale, rounding="half_even")

    assert paid(plan, award([(0, 1235, 1_000_000)])) == [[amount]]


def test_the_factor_turns_volume_into_money_before_the_rate():
    plan = plan_of(factor="0.8")

    assert paid(plan, award([(0, 100_00, 50_000)])) == [[4_00]]


def test_a_factor_of_few_digits_leaves_room_for_large_bases():
    lines = award([(0, 10**11, 1_000_000)])

    assert paid(plan_of(factor="0.8"), lines) == [[8 * 10**10]]
    with pytest.raises(CapacityError):
        paid(plan_of(factor="0.800001"), lines)


def test_lines_of_a_member_share_his_rounded_sum():
    plan = plan_of(granularity="member")
    thirds = [(0, 100, 3_330)] * 3

    assert paid(plan_of(), award([(0, 100, 333_300)] * 3)) == [[33, 33, 33]]
    assert paid(plan, award([(0, 100, 333_300)] * 3)) == [[33, 34, 33]]
    assert paid(plan, award(thirds), award([(1, 100, 3_330), (0, 100, 3_330)], level=2)) == [[1]]


def test_ledger_company_and_held_lines_are_sums_of_their_own():
    plan = plan_of(granularity="member", rounding="half_up")
    line = [(0, 1, 500_000)]

    found = amounts(
        plan.bonuses[0], [award(line), award(line, to=RETAINED), award(line, to=HELD)], plan
    )

    assert [[b.amount.tolist() for b in found.to(to)] for to in (LEDGER, RETAINED, HELD)] == [
        [[1]],
        [[1]],
        [[1]],
    ]


ROUNDINGS = st.sampled_from(["half_even", "half_up", "toward_zero", "away_from_zero"])
LINES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 10**6), st.integers(1, 10**6)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60)
@given(st.lists(LINES, min_size=1, max_size=3), ROUNDINGS, st.integers(0, 6))
def test_a_members_lines_add_up_to_his_rounded_sum(levels, rounding, scale):
    line_plan = plan_of(scale=scale, rounding=rounding, zero_amounts="keep")
    plan = replace(line_plan, money=replace(line_plan.money, granularity="member"))

    blocks = amounts(
        plan.bonuses[0], [award(lines, level) for level, lines in enumerate(levels, 1)], plan
    ).ledger

    assert [len(block) for block in blocks] == [len(lines) for lines in levels]
    got = by_member(blocks, 4)
    for member in range(4):
        lines = [(b, r) for level in levels for earner, b, r in level if earner == member]
        total = sum(b * r for b, r in lines)
        assert got[member] == rounded(Fraction(total, 10 ** (8 - scale)), rounding)
    assert all((block.amount >= 0).all() for block in blocks)


def rounded(exact: Fraction, rule: str) -> int:
    low = exact.numerator // exact.denominator
    if rule == "half_even":
        return round(exact)
    if rule == "half_up":
        return low + (exact - low >= Fraction(1, 2))
    return low + (rule == "away_from_zero" and exact > low)


@pytest.mark.parametrize(("scale", "base"), [(0, 1_900), (2, 19), (4, 0), (3, -1)])
def test_amounts_as_bases(scale, base):
    plan = plan_of(scale=scale)
    amount = np.array([-19 if scale == 3 else 19])

    assert in_hundredths(amount, plan.money).tolist() == [base]
