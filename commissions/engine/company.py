"""The company's own part: a fee of each item, less what other bonuses paid on the same order line.

    100.00 sold, fee 15 %                                   15.00
    referrals on this line 5.00, 3.00 and 2.00             -10.00
    the company keeps                                         5.00

With `less` the fee is rounded like any amount before the deduction, and the line has the company's
part as base and a rate of 1. Where those bonuses were paid more than the fee, the part is negative:
what the company put in. So its part and theirs always add up to the fee. They count as they were
before limits; of several items on one line (commissions as a base) the first bears the deduction.
Rates by rank or package are those of the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast

import numpy as np

from commissions.engine.awards import RETAINED, UNIT, Award, Earlier, Items, in_hundredths
from commissions.engine.facts import Facts
from commissions.engine.plan import WHOLE, Bonus, OfMetric, PaysCompany
from commissions.engine.pool import unit_of
from commissions.engine.rates import table_of
from commissions.engine.result import NOBODY
from commissions.engine.rounding import Int64s, product, refuse_sum_overflow, share


def pay(bonus: Bonus, items: Items, facts: Facts, earlier: Earlier) -> Iterator[Award]:
    """One award to `retained`, a line for each item of which the company has a part."""
    items, base, rate = priced(bonus, items, facts)
    less = cast(PaysCompany, bonus.pays).less
    if less:
        base = fees(bonus, base, rate, facts) - deductions(less, items, facts, earlier)
        rate = np.full(len(items), WHOLE, np.int64)
    kept = np.flatnonzero(base)
    nobody = np.full(kept.size, NOBODY, np.int32)
    yield Award(
        level=0,
        earner=nobody,
        source=items.source[kept],
        line=items.line[kept],
        base=base[kept],
        rate=rate[kept].astype(np.int32),
        rank_level=np.zeros(kept.size, np.int16),
        to=RETAINED,
    )


def priced(bonus: Bonus, items: Items, facts: Facts) -> tuple[Items, Int64s, Int64s]:
    """The items the company has a rate on, with base and rate (amounts: base, and a rate of 1)."""
    rate = table_of(bonus, facts).at(1, items.source, items.source, items.row)
    rate = rate.astype(np.int64)
    items, rate = items.kept(rate > 0), rate[rate > 0]
    if bonus.unit == "share":
        return items, items.base, rate
    counted = isinstance(bonus.base, OfMetric)
    base = product(items.base, rate) // UNIT if counted else rate
    return items, base, np.full(len(items), WHOLE, np.int64)


def fees(bonus: Bonus, base: Int64s, rate: Int64s, facts: Facts) -> Int64s:
    """Hundredths of money, rounded as the plan's money is."""
    unit = unit_of(facts)
    times = Fraction(bonus.factor, WHOLE * WHOLE * unit)
    return share(base, rate, facts.plan.money.rounding, times) * unit


def deductions(less: Sequence[str], items: Items, facts: Facts, earlier: Earlier) -> Int64s:
    """By item, hundredths of money: what those bonuses paid on its line."""
    blocks = [block for code in less for block in earlier.get(code, ()) if len(block)]
    line = np.concatenate([np.empty(0, np.int32), *(block.line for block in blocks)])
    amount = in_hundredths(facts, blocks)
    refuse_sum_overflow(amount, "what was paid on order lines")
    paid = np.zeros(len(facts.snapshot.lines) + 1, np.int64)
    np.add.at(paid, line, amount)
    paid[NOBODY] = 0
    first = np.zeros(len(items), np.bool_)
    first[np.unique(items.line, return_index=True)[1]] = True
    return np.where(first, paid[items.line], 0)
