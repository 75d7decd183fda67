"""Exact money arithmetic on arrays: hundredths and millionths in 64-bit integers, nothing else.

A share is base x rate: 12.35 of commissionable volume at 5 % is 1235 x 50000 / 1000000 = 61.75
hundredths. What lies between two amounts goes by the plan's rule:

                     61.75   62.25   62.50   63.50
    half_even           62      62      62      64    to the nearer, a half to the even neighbour
    half_up             62      62      63      64    to the nearer, a half away from zero
    toward_zero         61      62      62      63    down
    away_from_zero      62      63      63      64    up, however small the rest

Negative amounts round like their positive twins, so a reversal undoes exactly what was paid.

Nothing overflows silently: a product or sum that might leave 64 bits is refused before it is made,
and `scaled` multiplies and divides in one go where only the result has to fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import CapacityError

Int64s = NDArray[np.int64]

MILLION = 1_000_000
MILLIONTH = Fraction(1, MILLION)
LARGEST = 2**63 - 1
PIECE = 16_384
"""Entries worked on at once: all that a piece needs on the way stays in the processor's cache."""


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


def added(parts: Sequence[Int64s], what: str) -> Int64s:
    """The sum of arrays, entry by entry; refused where it might not fit 64 bits."""
    if sum(largest(part) for part in parts) > LARGEST:
        raise CapacityError(f"{what}: the sum does not fit 64 bits of hundredths")
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


def divide(numerator: Int64s, denominator: Int64s | int, rounding: str) -> Int64s:
    """numerator / denominator to whole numbers by the named rule; 0 < denominator <= 2**62."""
    if numerator.size and int(numerator.min()) < 0:
        sign = np.sign(numerator)
        return sign * divide(np.abs(numerator), denominator, rounding)
    quotient: Int64s = numerator // denominator
    if rounding == "toward_zero":
        return quotient
    return quotient + goes_up(quotient, numerator - quotient * denominator, denominator, rounding)


def goes_up(
    quotient: Int64s, rest: Int64s, denominator: Int64s | int, rounding: str
) -> NDArray[np.bool_]:
    """Whether quotient + rest / denominator (0 <= rest < denominator) is rounded up."""
    if rounding == "toward_zero":
        return np.zeros(quotient.shape, np.bool_)
    if rounding == "away_from_zero":
        return rest > 0
    over: Int64s = 2 * rest - denominator
    if rounding == "half_up":
        return over >= 0
    odd = (quotient & 1) == 1
    upward: NDArray[np.bool_] = (over > 0) | ((over == 0) & odd)
    return upward


def share(
    base: Int64s, rate: NDArray[np.signedinteger], rounding: str, times: Fraction = MILLIONTH
) -> Int64s:
    """round(base x rate x times); with times a millionth: hundredths x millionths -> hundredths.

    >>> share(np.array([1235, 1250, 1250]), np.array([50_000] * 3, np.int32), "half_even")
    array([62, 62, 62])
    """
    rates = np.broadcast_to(rate, base.shape)

    def of(part: slice) -> Int64s:
        exact = product(base[part], rates[part], times.numerator)
        return divide(exact, times.denominator, rounding)

    return in_pieces(of, len(base))


def in_pieces(work: Callable[[slice], Int64s], size: int) -> Int64s:
    """What `work` makes of so many entries, piece by piece."""
    result = np.empty(size, np.int64)
    for start in range(0, size, PIECE):
        part = slice(start, start + PIECE)
        result[part] = work(part)
    return result


def product(base: Int64s, rate: NDArray[np.signedinteger], times: int = 1) -> Int64s:
    """base x rate x times; CapacityError where that might not fit 64 bits."""
    if largest(base) * largest(rate) * times > LARGEST:
        raise CapacityError(f"a base of {largest(base)} is too large for its rate")
    result: Int64s = base * rate
    return result if times == 1 else result * times


def proportion(amount: Int64s, part: Int64s | int, whole: Int64s | int, rounding: str) -> Int64s:
    """round(amount x part / whole), for 0 <= part <= whole and whole > 0."""
    quotient, rest = scaled(np.abs(amount), part, whole)
    return np.sign(amount) * (quotient + goes_up(quotient, rest, whole, rounding))


def scaled(amount: Int64s, part: Int64s | int, whole: Int64s | int) -> tuple[Int64s, Int64s]:
    """amount x part divided by whole, and what is left over: exact though the product may need more
    than 64 bits. For amount >= 0, 0 <= part <= whole, 0 < whole < 2**61.

    Long division, a few binary digits of the amount at a time: the rest before the next digits is
    below whole, and so is what they add to it, so that nothing here leaves 64 bits.

    >>> scaled(np.array([50]), 1, 3)
    (array([16]), array([2]))
    """
    parts, wholes = np.asarray(part, np.int64), np.asarray(whole, np.int64)
    most = largest(wholes)
    if most >= 2**61:
        raise CapacityError(f"a quantity of {most} is too large to be divided by")
    if largest(amount) * largest(parts) <= LARGEST:
        raw: Int64s = amount * parts
        return raw // wholes, raw % wholes
    digits = 62 - most.bit_length()
    quotient, rest = np.zeros_like(amount), np.zeros_like(amount)
    for low in range((largest(amount).bit_length() - 1) // digits * digits, -1, -digits):
        raw = (rest << digits) + ((amount >> low) & ((1 << digits) - 1)) * parts
        quotient = (quotient << digits) + raw // wholes
        rest = raw % wholes
    return quotient, rest
