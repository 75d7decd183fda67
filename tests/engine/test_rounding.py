"""Every rounding rule against fractions, up to the limits of 64 bits."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commissions.engine.errors import CapacityError
from commissions.engine.rounding import divide, exact_sum, refuse_sum_overflow, share
from tests.engine.oracle import rounded

RULES = ["half_even", "half_up", "down"]
whole = st.integers(-(2**61), 2**61)


def expected(numerator: int, denominator: int, rule: str) -> int:
    sign = -1 if numerator < 0 else 1
    return sign * int(rounded(Fraction(abs(numerator), denominator * 100), rule) * 100)


@given(st.lists(whole, min_size=1), st.integers(1, 10**9), st.sampled_from(RULES))
def test_division_is_exact(numerators, denominator, rule):
    quotients = divide(np.array(numerators, np.int64), denominator, rule)

    assert quotients.tolist() == [expected(n, denominator, rule) for n in numerators]


@given(st.integers(-1000, 1000), st.sampled_from([2, 4, 10, 1_000_000]), st.sampled_from(RULES))
def test_halves_are_decided_by_the_rule(times, denominator, rule):
    numerator = times * denominator + denominator // 2

    assert divide(np.array([numerator]), denominator, rule)[0] == expected(
        numerator, denominator, rule
    )


def test_shares_of_every_cent_up_to_ten_at_five_percent():
    base = np.arange(1001, dtype=np.int64)

    amounts = share(base, np.full(1001, 50_000, np.int32), "half_even")

    assert amounts.tolist() == [round(Fraction(cents, 20)) for cents in range(1001)]


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), max_size=20))
def test_sums_are_exact_or_refused(values):
    array = np.array(values, np.int64)

    assert exact_sum(array) == sum(values)
    if sum(abs(value) for value in values) > 2**63 - 1:
        with pytest.raises(CapacityError):
            refuse_sum_overflow(array, "volume")
    else:
        refuse_sum_overflow(array, "volume")
