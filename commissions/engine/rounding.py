"""Exact money arithmetic on arrays: hundredths and millionths in 64-bit integers, nothing else.

A share is base x rate: 12.35 of commissionable volume at 5 % is 1235 x 50000 / 1000000 = 61.75
hundredths. half_even and half_up give 0.62, down gives 0.61. Halves: 12.50 at 5 % = 62.5 hundredths
gives 0.62 by half_even (to the even neighbour), 0.63 by half_up. Negative amounts round like their
positive twins, so a reversal undoes exactly what was paid.

Nothing overflows silently: a product or sum that might leave 64 bits is refused before it is made.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import CapacityError

Int64s = NDArray[np.int64]

MILLION = 1_000_000
LARGEST = 2**63 - 1


def largest(values: NDArray[np.signedinteger]) -> int:
    """The greatest magnitude, as a Python integer (so that -2**63 is no trap)."""
    return max(int(values.max()), -int(values.min())) if values.size else 0


def exact_sum(values: Int64s) -> int:
    """The sum as a Python integer of any size."""
    if values.size * largest(values) <= LARGEST:
        return int(values.sum(dtype=np.int64))
    high, low = values >> 32, values & 0xFFFFFFFF
    return (int(high.sum(dtype=np.int64)) << 32) + int(low.sum(dtype=np.int64))


def refuse_sum_overflow(values: Int64s, what: str) -> None:
    """Refuses values of which some part might add up to more than 64 bits hold."""
    if values.size * largest(values) > LARGEST and exact_sum(np.abs(values)) > LARGEST:
        raise CapacityError(f"{what}: the sum does not fit 64 bits of hundredths")


def divide(numerator: Int64s, denominator: Int64s | int, rounding: str) -> Int64s:
    """numerator / denominator to whole numbers by the named rule; denominator > 0."""
    if numerator.size and int(numerator.min()) < 0:
        sign = np.sign(numerator)
        return sign * divide(np.abs(numerator), denominator, rounding)
    quotient: Int64s = numerator // denominator
    if rounding == "down":
        return quotient
    over = 2 * (numerator - quotient * denominator) - denominator
    if rounding == "half_up":
        return quotient + (over >= 0)
    odd = (quotient & 1) == 1
    upward: NDArray[np.bool_] = (over > 0) | ((over == 0) & odd)
    return quotient + upward


def share(base: Int64s, rate: NDArray[np.int32], rounding: str) -> Int64s:
    """round(base x rate): hundredths x millionths -> hundredths.

    >>> share(np.array([1235, 1250, 1250]), np.array([50_000] * 3, np.int32), "half_even")
    array([62, 62, 62])
    """
    if largest(base) * largest(rate) > LARGEST:
        raise CapacityError(f"a base of {largest(base)} hundredths is too large for its rate")
    return divide(base * rate, MILLION, rounding)


def proportion(amount: Int64s, part: Int64s, whole: Int64s, rounding: str) -> Int64s:
    """round(amount x part / whole), for 0 <= part <= whole and whole > 0."""
    if largest(whole) > LARGEST // 4:
        raise CapacityError(f"a quantity of {largest(whole)} is too large to be divided by")
    if largest(amount) * largest(part) > LARGEST:
        widest = np.abs(amount) > LARGEST // np.maximum(np.abs(part), 1)
        if widest.any():
            raise CapacityError("an amount is too large to be split into this many parts")
    return divide(amount * part, whole, rounding)
