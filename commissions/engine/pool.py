"""Pool: those who meet the eligibility share a sum, to the last cent.

The pool is the first rate of the table x a metric of the company, rounded as the plan's money, and
what was carried in because nobody was in it before. Shares are equal, in proportion to a metric, or
so many by rank.

    6.25 % of 10,000,000.00 CV                  pool 625,000.00
    5,000 shares, 6 of them a Gold's            a share 125.00, the Gold 750.00

A member's part is rounded down. What that leaves over stays with the company, or goes out a unit at
a time to those who lost most by rounding (of equals to the first):

    100.00 for three                            33.33 each, 0.01 for the company
    by largest remainder                        33.34, 33.33, 33.33

Lines have the part as base and a rate of 1. A pool is never overpaid: parts and remainder add up to
it. Money finer than hundredths is shared in hundredths, coarser money in its own units.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import numpy as np
from numpy.typing import NDArray

from commissions.engine.awards import (
    LEDGER,
    RETAINED,
    UNIT,
    Award,
    Destination,
    counted,
    rank_levels,
)
from commissions.engine.facts import Facts
from commissions.engine.plan import (
    NO_RANK,
    WHOLE,
    Bonus,
    EqualShares,
    MetricShares,
    OfMetric,
    PaysPool,
    RankShares,
)
from commissions.engine.rates import table_of
from commissions.engine.result import NOBODY
from commissions.engine.rounding import Int64s, exact_sum, refuse_sum_overflow, scaled, share
from commissions.engine.trees import Pointers


def pay(bonus: Bonus, facts: Facts) -> Iterator[Award]:
    """The members' parts in order of the members, then what stays with the company."""
    rule = rule_of(bonus)
    if not len(facts.snapshot.members):
        return
    pool = carried_in(bonus, facts) + pool_of(bonus, facts)
    weight = np.where(facts.meets(bonus.eligibility.when), weights(rule, facts), 0)
    if not weight.any():
        carry = rule.if_nobody == "carry"
        carry_on(bonus, facts, pool if carry else 0)
        yield from company(0 if carry else pool)
        return
    carry_on(bonus, facts, 0)
    unit = unit_of(facts)
    parts, left = shared(pool // unit, weight, rule.remainder)
    earner = np.flatnonzero(parts).astype(np.int32)
    yield lines(earner, parts[earner] * unit, rank_levels(bonus, facts), LEDGER)
    yield from company(left * unit + pool % unit)


def rule_of(bonus: Bonus) -> PaysPool:
    return cast(PaysPool, bonus.pays)


# The pool


def pool_of(bonus: Bonus, facts: Facts) -> int:
    """Hundredths of money: metric x factor x the first rate, or so many amounts as it counts."""
    base = cast(OfMetric, bonus.base)
    figure = np.maximum(counted(base, facts.paid_on(base.metric))[:1], 0)
    first = np.zeros(1, np.int32)
    rate = table_of(bonus, facts).at(1, first, first, NOBODY)
    unit = unit_of(facts)
    times = Fraction(1, UNIT) if bonus.unit == "amount" else Fraction(bonus.factor, WHOLE * WHOLE)
    whole = share(figure, rate, facts.plan.money.rounding, times / unit)
    return exact_sum(whole) * unit


def unit_of(facts: Facts) -> int:
    """The hundredths of what a part can't be smaller than."""
    unit: int = 10 ** max(0, 2 - facts.plan.money.scale)
    return unit


# Shares


def weights(rule: PaysPool, facts: Facts) -> Int64s:
    """By member: how much of the pool he has in proportion to the others."""
    match rule.shares:
        case EqualShares():
            return np.ones(len(facts.snapshot.members), np.int64)
        case MetricShares(metric=metric):
            return np.maximum(facts.metric(metric), 0)
        case RankShares() as by_rank:
            codes = [NO_RANK, *(rank.code for rank in facts.plan.ladder(by_rank.ladder).ranks)]
            shares = np.array([by_rank.shares.get(code, 0) for code in codes], np.int64)
            return shares[facts.ranks(by_rank.ladder).paid_as]


def shared(pool: int, weight: Int64s, remainder: str) -> tuple[Int64s, int]:
    """Everybody's whole part of the pool by weight, and what is left of it.

    >>> shared(10000, np.array([1, 1, 1]), "company")
    (array([3333, 3333, 3333]), 1)
    """
    refuse_sum_overflow(weight, "the shares of a pool")
    part, lost = scaled(np.full(len(weight), pool, np.int64), weight, int(weight.sum()))
    left = pool - int(part.sum())
    if remainder == "company" or not left:
        return part, left
    part[np.argsort(-lost, kind="stable")[:left]] += 1
    return part, 0


# Lines


def company(amount: int) -> Iterator[Award]:
    if amount:
        nobody = np.array([NOBODY], np.int32)
        yield lines(nobody, np.array([amount]), np.zeros(1, np.int16), RETAINED)


def lines(earner: Pointers, amount: Int64s, ranks: NDArray[np.int16], to: Destination) -> Award:
    nobody = np.full(len(earner), NOBODY, np.int32)
    rate = np.full(len(earner), WHOLE, np.int32)
    return Award(0, earner, nobody, nobody, amount, rate, ranks[earner], to)


# What is carried from period to period: a figure of the company, kept with the first member


def carried_in(bonus: Bonus, facts: Facts) -> int:
    found = facts.snapshot.state.get(f"pool.{bonus.code}")
    return 0 if found is None else int(found.sum())


def carry_on(bonus: Bonus, facts: Facts, pool: int) -> None:
    if rule_of(bonus).if_nobody == "carry":
        carried = np.zeros(len(facts.snapshot.members), np.int64)
        carried[0] = pool
        facts.state_out[f"pool.{bonus.code}"] = carried
