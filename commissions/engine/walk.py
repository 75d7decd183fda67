"""A walk up a tree from each order line: unilevel, levels with compression, partner commission.

Step 1 is the seller or his next upline, as the bonus says for the order class; each further step is
the next upline. With `physical` counting everybody uses up a step. With `compressed` counting an
upline who is inactive or below the given rank is passed over without using one up. An upline who is
counted but is barred (eligibility) or has no rate at that step earns nothing, and the step is lost.

    E sells 100.00 CV; uplines D (Bronze), C (inactive), B (Bronze), A (Silver)
    rates Bronze 5 %, 4 %; Silver 5 %, 4 %, 3 %; compressed, skipping the inactive

    step 1  D  5 %  5.00        C is skipped: the step after D is B's
    step 2  B  4 %  4.00
    step 3  A  3 %  3.00

`pay` is the calculation, `explain.trace` reads the same cursors, skip reasons and rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from commissions.engine.plan import ORDER_CLASSES, SELLER, STARTS, Bonus, Money
from commissions.engine.result import Block, Standings
from commissions.engine.rounding import Int64s, share
from commissions.engine.snapshot import Lines, Snapshot
from commissions.engine.trees import Pointers, nearest, with_top

Reasons = NDArray[np.int8]


class Reason(IntEnum):
    """Why an upline is passed over or not paid; NONE: nothing stands in the way."""

    NONE = 0
    INACTIVE = 1
    BELOW_RANK = 2
    NO_RATE = 3
    BEYOND_LAST_STEP = 4


def fails(standings: Standings, *, active: bool, min_level: int) -> Reasons:
    """For each member the first of the two conditions that he does not meet."""
    reasons = np.zeros(len(standings), np.int8)
    if min_level:
        reasons[standings.rank_level < min_level] = Reason.BELOW_RANK
    if active:
        reasons[~standings.active] = Reason.INACTIVE
    return reasons


def skipped(bonus: Bonus, standings: Standings) -> Reasons:
    """Who does not use up a step, and why."""
    steps = bonus.selector.steps
    if steps is None:
        return np.zeros(len(standings), np.int8)
    return fails(standings, active=steps.skip_inactive, min_level=steps.skip_below_level)


def barred(bonus: Bonus, standings: Standings) -> Reasons:
    """Who uses up a step but may not be paid, and why."""
    asked = bonus.eligibility
    return fails(standings, active=asked.active, min_level=asked.min_level)


def rates_at(step: int, bonus: Bonus, standings: Standings, bar: Reasons) -> NDArray[np.int32]:
    """N + 1 rates in millionths at a step; 0 for the barred and for the top of the tree."""
    by_level = np.array([row[step - 1] for row in bonus.rates.table], np.int32)
    rates = by_level[standings.rank_level]
    rates[bar != Reason.NONE] = 0
    return np.append(rates, np.int32(0))


def cursors(
    parent: Pointers, skip: Reasons, start: str, max_steps: int
) -> Iterator[tuple[int, Pointers]]:
    """Step by step, N + 1 pointers: whom the step of a sale by each member reaches (N: nobody)."""
    counted = nearest(parent, skip == Reason.NONE)
    following = counted[with_top(parent)]
    reached = counted if start == SELLER else following
    for step in range(1, max_steps + 1):
        if (reached == len(parent)).all():
            return
        yield step, reached
        reached = following[reached]


def earning_lines(bonus: Bonus, lines: Lines, start: str) -> NDArray[np.intp]:
    """Indexes of the lines that pay from this start: of its order classes, with a base above 0."""
    starts = bonus.selector.starts
    wanted = np.array([starts.get(code) == start for code in ORDER_CLASSES])
    return np.flatnonzero(wanted[lines.order_class] & (base_of(bonus, lines) > 0))


def base_of(bonus: Bonus, lines: Lines) -> Int64s:
    base: Int64s = getattr(lines, bonus.base)
    return base


def pay(snapshot: Snapshot, money: Money, bonus: Bonus, standings: Standings) -> Iterator[Block]:
    """The bonus's ledger lines: one block a start and step, lines in order within it."""
    parent = snapshot.members.parent(bonus.selector.tree)
    skip, bar = skipped(bonus, standings), barred(bonus, standings)
    for start in STARTS:
        index = earning_lines(bonus, snapshot.lines, start)
        if not index.size:
            continue
        seller = snapshot.lines.seller[index]
        base = base_of(bonus, snapshot.lines)[index]
        line = index.astype(np.int32)
        for step, reached in cursors(parent, skip, start, bonus.selector.max_steps):
            offered = rates_at(step, bonus, standings, bar)[reached][seller]
            hit = np.flatnonzero(offered)
            source, paid, rate = seller[hit], base[hit], offered[hit]
            earner = reached[source]
            amount = share(paid, rate, money.rounding)
            rank = standings.rank_level[earner]
            yield Block(bonus.position, step, earner, source, line[hit], paid, rate, amount, rank)
