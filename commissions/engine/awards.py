"""What a bonus is paid on (items), and what it awards before rounding, limits and money.

An item is one thing that is paid on: an order line with its figure, a member with his metric, a
commission somebody was paid. An award is a set of lines of one bonus at one level that are not yet
money: base x factor x rate, exact, for whom, and where it goes.

    bonus   5 % of BV at the first step; Eva, under Dan, sold 100.00 BV on line 7
    item    source Eva, line 7, base 10000
    award   level 1, earner Dan, source Eva, line 7, base 10000, rate 50000, to the ledger
    block   the same with its amount: 5.00 (`money.amounts`)

`items_of` says what a bonus is paid on; `paying.award` says what it awards. A bonus paid on
commissions reads the blocks of the bonuses before it (`earlier`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import CapacityError
from commissions.engine.facts import Facts
from commissions.engine.orders import of_orders
from commissions.engine.plan import (
    PAYMENT,
    Bonus,
    ByFigure,
    Flat,
    OfCommissions,
    OfMetric,
    OfOrder,
)
from commissions.engine.rates import line_bands
from commissions.engine.result import NOBODY, Block
from commissions.engine.rounding import Int64s, proportion, refuse_sum_overflow
from commissions.engine.trees import Pointers

UNIT = 100
"""The base of a flat bonus: 1.00."""

LEDGER: Literal["ledger"] = "ledger"
RETAINED: Literal["retained"] = "retained"
HELD: Literal["held"] = "held"
Destination = Literal["ledger", "retained", "held"]

Earlier = Mapping[str, Sequence[Block]]
"""Ledger blocks of the bonuses before, by code; what a limit cut stands under the limit's code."""


@dataclass(frozen=True, slots=True)
class Items:
    """What a bonus is paid on, one entry each in every array.

    `source`: member index; `line`: line index, -1 none; `base`: hundredths, above zero; `kind`:
    place in plan.kinds, -1 none; `day`: when the order counts, -1 none; `row`: of the rates, where
    the order line decides on it, -1 none.
    """

    source: Pointers
    line: Pointers
    base: Int64s
    kind: NDArray[np.int8]
    day: NDArray[np.int32]
    row: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.source)

    def kept(self, keep: NDArray[np.bool_] | slice) -> Items:
        return Items(
            source=self.source[keep],
            line=self.line[keep],
            base=self.base[keep],
            kind=self.kind[keep],
            day=self.day[keep],
            row=self.row[keep],
        )


@dataclass(frozen=True, slots=True)
class Award:
    """Lines of one bonus at one level, not yet money: amount = round(base x factor x rate).

    `earner` is -1 for the company (`to` "retained"). A table of amounts gives the amount itself as
    base (hundredths) and a rate of 1. `rank_level`: the earner's in the plan's first ladder, or the
    rank that a rank bonus pays for.
    """

    level: int
    earner: Pointers
    source: Pointers
    line: Pointers
    base: Int64s
    rate: NDArray[np.int32]
    rank_level: NDArray[np.int16]
    to: Destination = LEDGER

    def __len__(self) -> int:
        return len(self.earner)

    def kept(self, keep: NDArray[np.bool_]) -> Award:
        return replace(
            self,
            earner=self.earner[keep],
            source=self.source[keep],
            line=self.line[keep],
            base=self.base[keep],
            rate=self.rate[keep],
            rank_level=self.rank_level[keep],
        )


def items_of(bonus: Bonus, facts: Facts, earlier: Earlier) -> Items:
    """Everything the bonus is paid on: from the sources and orders it wants, on lines that are not
    excluded, with a base above zero, in the order of lines (commissions: of the blocks; metrics: of
    members).
    """
    items = every_item(bonus, facts, earlier)
    if isinstance(bonus.rates, ByFigure):
        items = replace(items, row=line_bands(bonus.rates, facts)[items.line])
    keep = items.base > 0
    if bonus.exclusion is not None and bonus.exclusion.scope == "line":
        keep &= ~paid_on(bonus.exclusion.bonuses, earlier, len(facts.snapshot.lines))[items.line]
    if bonus.orders is not None:
        keep &= np.append(of_orders(facts.snapshot.lines, bonus.orders), False)[items.line]
    if bonus.sources is not None:
        day = np.where(items.day < 0, np.int32(facts.snapshot.ends_on), items.day)
        keep &= facts.meets_on(bonus.sources, items.source, day)
    return items if keep.all() else items.kept(keep)


def every_item(bonus: Bonus, facts: Facts, earlier: Earlier) -> Items:
    match bonus.base:
        case OfOrder(volume=volume) as base:
            return of_lines(facts, counted(base, facts.volume(volume)))
        case Flat(per="order"):
            return of_lines(facts, np.full(len(facts.snapshot.lines), UNIT, np.int64))
        case Flat():
            return of_members(np.full(len(facts.snapshot.members), UNIT, np.int64))
        case OfMetric(metric=metric) as base:
            return of_members(counted(base, facts.paid_on(metric)))
        case OfCommissions() as base:
            return of_commissions(base, facts, earlier)


def counted(base: OfOrder | OfMetric, figures: Int64s) -> Int64s:
    """What of each figure is paid on; below zero where it does not reach what it must be above.

    Above 1,000.00 up to 2,000.00: of 1,700.00 there are 700.00, of 2,500.00 1,000.00.
    Each whole 3.00: of 7.00 there are 2, which is a base of 2.00.
    """
    part = figures if base.at_most is None else np.minimum(figures, base.at_most)
    part = part - base.above if base.above else part
    if isinstance(base, OfMetric) and base.each is not None:
        return np.maximum(part, 0) // base.each * UNIT
    return part


def of_lines(facts: Facts, base: Int64s) -> Items:
    lines = facts.snapshot.lines
    place = np.arange(len(lines), dtype=np.int32)
    return Items(lines.seller, place, base, lines.kind, lines.day, lines.kind.astype(np.int16))


def of_members(base: Int64s) -> Items:
    """One item a member: the source is himself, there is no line."""
    return without_lines(np.arange(len(base), dtype=np.int32), base)


def without_lines(source: Pointers, base: Int64s) -> Items:
    nothing = np.full(len(source), NOBODY, np.int32)
    none, no_row = nothing.astype(np.int8), nothing.astype(np.int16)
    return Items(source, nothing, base, none, nothing, no_row)


# Paid on commissions: who was paid is now the source


def of_commissions(base: OfCommissions, facts: Facts, earlier: Earlier) -> Items:
    """The lines of those bonuses, or for each member their sum.

    After limits, what was cut of a member is taken off his sum; his lines bear it in proportion:
    lines of 60.00 and 40.00 of which 10.00 were cut count for 54.00 and 36.00.
    """
    blocks = [block for code in base.bonuses for block in earlier.get(code, ()) if len(block)]
    nobody = np.empty(0, np.int32)
    earner = np.concatenate([nobody, *(block.earner for block in blocks)])
    line = np.concatenate([nobody, *(block.line for block in blocks)])
    paid = in_hundredths(facts, blocks)
    total = summed(earner, paid, len(facts.snapshot.members))
    left = total + cuts(base, facts, earlier) if base.after_limits else total
    if base.per == "member":
        return of_members(left)
    if base.after_limits:
        paid = in_proportion(paid, left[earner], total[earner], facts.plan.money.rounding)
    lines = facts.snapshot.lines
    kind = np.append(lines.kind, np.int8(NOBODY))[line]
    day = np.append(lines.day, np.int32(NOBODY))[line]
    return Items(earner, line, paid, kind, day, kind.astype(np.int16))


def in_hundredths(facts: Facts, blocks: Sequence[Block]) -> Int64s:
    """Amounts as bases. Plans whose money is finer than hundredths can't be paid on it."""
    scale = facts.plan.money.scale
    if scale > 2:
        raise CapacityError(f"commissions of {scale} decimal places can't be a base of hundredths")
    amounts = np.concatenate([np.empty(0, np.int64), *(block.amount for block in blocks)])
    return amounts * np.int64(10 ** (2 - scale))


def cuts(base: OfCommissions, facts: Facts, earlier: Earlier) -> Int64s:
    """By member, negative: what limits took off these bonuses (and no others: see `checking`)."""
    blocks = [
        block
        for limit in facts.plan.limits
        if set(limit.bonuses) <= set(base.bonuses)
        for block in earlier.get(limit.code, ())
        if len(block)
    ]
    earner = np.concatenate([np.empty(0, np.int32), *(block.earner for block in blocks)])
    return summed(earner, in_hundredths(facts, blocks), len(facts.snapshot.members))


def summed(earner: Pointers, amounts: Int64s, members: int) -> Int64s:
    refuse_sum_overflow(amounts, "commissions as a base")
    total = np.zeros(members, np.int64)
    np.add.at(total, earner, amounts)
    return total


def in_proportion(amount: Int64s, part: Int64s, whole: Int64s, rounding: str) -> Int64s:
    """amount x part / whole; nothing of nothing."""
    some = (part > 0) & (whole > 0)
    shares = np.zeros(len(amount), np.int64)
    shares[some] = proportion(amount[some], part[some], whole[some], rounding)
    return shares


# Exclusion: where other bonuses were paid


def paid_on(bonuses: Sequence[str], earlier: Earlier, lines: int) -> NDArray[np.bool_]:
    """One entry a line, and a last one (False) for items without a line."""
    paid = np.zeros(lines + 1, np.bool_)
    for code in bonuses:
        for block in earlier.get(code, ()):
            paid[block.line[block.amount != 0]] = True
    paid[NOBODY] = False
    return paid


def was_paid(award: Award, bonuses: Sequence[str], earlier: Earlier) -> NDArray[np.bool_]:
    """Which lines of an award go to an earner whom those bonuses paid on the same order line."""
    blocks = [block for code in bonuses for block in earlier.get(code, ())]
    keys = [pairs(block.line, block.earner)[block.amount != 0] for block in blocks]
    known = np.unique(np.concatenate([np.empty(0, np.int64), *keys]))
    return (award.line >= 0) & np.isin(pairs(award.line, award.earner), known)


def pairs(line: Pointers, earner: Pointers) -> Int64s:
    """Line and earner as one number."""
    both: Int64s = (line.astype(np.int64) << 32) | earner.astype(np.uint32).astype(np.int64)
    return both


def rank_levels(bonus: Bonus, facts: Facts) -> NDArray[np.int16]:
    """Levels in the plan's first ladder, 0 for nobody; at payment only a given ladder is known."""
    size = len(facts.snapshot.members)
    ladders = facts.plan.ladders
    if not ladders or (bonus.trigger == PAYMENT and ladders[0].source == "computed"):
        return np.zeros(size, np.int16)
    return facts.ranks(ladders[0].code).paid_as
