"""Every rounding rule against fractions, up to the limits of 64 bits."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.errors import CapacityError
from commissions.engine.rounding import (
    divide,
    exact_sum,
    proportion,
    refuse_sum_overflow,
    scaled,
    share,
)

RULES = ["half_even", "half_up", "toward_zero", "away_from_zero"]
whole = st.integers(-(2**61), 2**61)


def expected(exact: Fraction, rule: str) -> int:
    size = abs(exact)
    amount = {
        "half_even": round(size),
        "half_up": floor(size + Fraction(1, 2)),
        "toward_zero": floor(size),
        "away_from_zero": -floor(-size),
    }[rule]
    return amount if exact > 0 else -amount


@pytest.mark.parametrize(
    ("rule", "rounded"),
    [
        ("half_even", [62, 62, 62, 64, 62]),
        ("half_up", [62, 62, 63, 64, 62]),
        ("toward_zero", [61, 62, 62, 63, 62]),
        ("away_from_zero", [62, 63, 63, 64, 62]),
    ],
)
def test_each_rule_between_two_amounts(rule, rounded):
    quarters = np.array([247, 249, 250, 254, 248])

    assert divide(quarters, 4, rule).tolist() == rounded
    assert divide(-quarters, 4, rule).tolist() == [-amount for amount in rounded]


@given(st.lists(whole, min_size=1), st.integers(1, 10**9), st.sampled_from(RULES))
def test_division_is_exact(numerators, denominator, rule):
    quotients = divide(np.array(numerators, np.int64), denominator, rule)

    assert quotients.tolist() == [expected(Fraction(n, denominator), rule) for n in numerators]


@given(st.integers(-1000, 1000), st.sampled_from([2, 4, 10, 1_000_000]), st.sampled_from(RULES))
def test_halves_are_decided_by_the_rule(times, denominator, rule):
    numerator = times * denominator + denominator // 2

    quotient = divide(np.array([numerator]), denominator, rule)[0]

    assert quotient == expected(Fraction(numerator, denominator), rule)


def test_shares_of_every_cent_up_to_ten_at_five_percent():
    base = np.arange(1001, dtype=np.int64)

    amounts = share(base, np.full(1001, 50_000, np.int32), "half_even")

    assert amounts.tolist() == [round(Fraction(cents, 20)) for cents in range(1001)]


@pytest.mark.parametrize("rule", RULES)
def test_a_product_beyond_64_bits_is_refused(rule):
    with pytest.raises(CapacityError):
        share(np.array([10**13]), np.array([1_000_000], np.int32), rule)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**60)), min_size=1, max_size=9),
    st.integers(1, 2**60),
)
def test_scaling_is_exact_even_where_the_product_needs_128_bits(entries, whole):
    amounts = [amount for amount, _ in entries]
    parts = [part % (whole + 1) for _, part in entries]

    quotient, rest = scaled(np.array(amounts), np.array(parts), whole)

    exact = [divmod(amount * part, whole) for amount, part in zip(amounts, parts, strict=True)]
    assert list(zip(quotient.tolist(), rest.tolist(), strict=True)) == exact


@settings(max_examples=200)
@given(whole, st.integers(0, 2**60), st.integers(1, 2**60), st.sampled_from(RULES))
def test_proportions_round_by_the_rule(amount, part, whole, rule):
    part %= whole + 1

    got = proportion(np.array([amount]), np.array([part]), np.array([whole]), rule)

    assert got[0] == expected(Fraction(amount * part, whole), rule)


def test_a_whole_too_large_to_be_divided_by_is_refused():
    with pytest.raises(CapacityError):
        scaled(np.array([1]), 1, 2**61)


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), max_size=20))
def test_sums_are_exact_or_refused(values):
    array = np.array(values, np.int64)

    assert exact_sum(array) == sum(values)
    if sum(abs(value) for value in values) > 2**63 - 1:
        with pytest.raises(CapacityError):
            refuse_sum_overflow(array, "volume")
    else:
        refuse_sum_overflow(array, "volume")
