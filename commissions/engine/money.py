"""From awards to money: amount = round(base x factor x rate), in units of the plan's scale.

    100.00 BV, factor 0.8, 5 %      base 10000, rate 50000: 10000 x 0.8 x 0.05 = 400 cents

The factor is taken as a reduced fraction, 4/5 and not 800000/1000000, so that products stay small.

granularity line: every line is rounded by itself. granularity member: the sum of a member's lines
of one bonus is rounded, and his lines share it by cumulative rounding: each gets what the running
sum, rounded, has grown by. Three lines of 0.333 make 1.00 and not 0.99:

    running sum      0.333   0.666   0.999
    rounded          0.33    0.67    1.00
    lines            0.33    0.34    0.33

Lines to the ledger, lines that are held and lines that the company keeps are sums of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from commissions.engine.awards import HELD, LEDGER, RETAINED, Award
from commissions.engine.plan import WHOLE, Bonus, Money, PaysCompany, PaysPool, Plan
from commissions.engine.result import Block
from commissions.engine.rounding import (
    LARGEST,
    Int64s,
    divide,
    largest,
    product,
    refuse_sum_overflow,
    share,
)

HUNDREDTHS = 2


@dataclass(frozen=True, slots=True)
class Paid:
    """The blocks of one bonus by where they go: to members, to the company, into waiting."""

    ledger: list[Block] = field(default_factory=list)
    retained: list[Block] = field(default_factory=list)
    held: list[Block] = field(default_factory=list)

    def to(self, destination: str) -> list[Block]:
        return {LEDGER: self.ledger, RETAINED: self.retained, HELD: self.held}[destination]


def amounts(bonus: Bonus, awards: Iterable[Award], plan: Plan) -> Paid:
    """The awards with their amounts, without empty blocks and without the zeros a plan omits."""
    place = plan.programmes.index(plan.bonus(bonus.code))
    unit = unit_of(bonus, plan.money)
    paid = Paid()
    for award, exact in rounded(awards, unit, plan.money):
        block = Block(
            bonus=place,
            level=award.level,
            earner=award.earner,
            source=award.source,
            line=award.line,
            base=award.base,
            rate=award.rate,
            amount=exact,
            rank_level=award.rank_level,
        )
        kept = wanted(block, plan.money)
        if len(kept):
            paid.to(award.to).append(kept)
    return paid


def unit_of(bonus: Bonus, money: Money) -> Fraction:
    """What base x rate is multiplied by to be units of money: the factor, and the scales' part."""
    factor = WHOLE if is_money(bonus) else bonus.factor
    return Fraction(factor * 10**money.scale, WHOLE * WHOLE * 10**HUNDREDTHS)


def is_money(bonus: Bonus) -> bool:
    """Whether its awards have money as base, with the factor in it: parts of a pool, and what a
    deduction leaves to the company."""
    pays = bonus.pays
    return isinstance(pays, PaysPool) or (isinstance(pays, PaysCompany) and bool(pays.less))


def wanted(block: Block, money: Money) -> Block:
    """The block without its zero amounts where the plan omits them."""
    if money.zero_amounts == "omit" and not block.amount.all():
        return block.kept(block.amount != 0)
    return block


def rounded(
    awards: Iterable[Award], unit: Fraction, money: Money
) -> Iterator[tuple[Award, Int64s]]:
    """Each award with its amounts."""
    if money.granularity == "line":
        for award in awards:
            yield award, share(award.base, award.rate, money.rounding, unit)
        return
    found = list(awards)
    for destination in (LEDGER, RETAINED, HELD):
        together = [award for award in found if award.to == destination]
        if together:
            yield from zip(together, shared(together, unit, money.rounding), strict=True)


def numerators(award: Award, unit: Fraction) -> Int64s:
    return product(award.base, award.rate, unit.numerator)


def shared(awards: Sequence[Award], unit: Fraction, rounding: str) -> list[Int64s]:
    """The lines' amounts where each earner's sum is what is rounded; in the order of the awards.

    Lines stand by earner, and by their order within: what the rounded running sum grows by.
    """
    exact = np.concatenate([numerators(award, unit) for award in awards])
    refuse_sum_overflow(exact, "the lines of one bonus")
    earner = np.concatenate([award.earner for award in awards])
    order = np.argsort(earner, kind="stable")
    running = np.cumsum(exact[order])
    first = np.append(True, earner[order][1:] != earner[order][:-1])[: len(order)]
    before = (running - exact[order])[first]
    run = np.cumsum(first) - 1
    whole = divide(running - before[run], unit.denominator, rounding)
    steps = np.diff(whole, prepend=0)
    steps[first] = whole[first]
    result = np.empty_like(steps)
    result[order] = steps
    return np.split(result, np.cumsum([len(award) for award in awards])[:-1])


def in_hundredths(amount: Int64s, money: Money) -> Int64s:
    """Amounts as the base of a line that is paid as such; finer places are left off."""
    if money.scale > HUNDREDTHS:
        return divide(amount, 10 ** (money.scale - HUNDREDTHS), "toward_zero")
    return product(amount, np.array([10 ** (HUNDREDTHS - money.scale)]))


def in_units(hundredths: int, money: Money) -> int:
    """A figure of the plan in the plan's money, rounded down; of any size."""
    units: int = hundredths * 10**money.scale // 10**HUNDREDTHS
    return units


def by_member(blocks: Sequence[Block], members: int) -> Int64s:
    """What these blocks come to for each member; what is the company's is nobody's."""
    if sum(len(block) * largest(block.amount) for block in blocks) > LARGEST:
        refuse_sum_overflow(np.concatenate([block.amount for block in blocks]), "amounts")
    total = np.zeros(members + 1, np.int64)
    for block in blocks:
        np.add.at(total, block.earner, block.amount)
    return total[:members]
