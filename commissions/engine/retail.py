"""Retail margin: the price difference of a sale, to the distributor who sold it.

The line brings the margin with it (price paid by the customer less the distributor's price, less
refunds of the same period): 3 jars sold at 12.00 that cost the distributor 9.00 make 9.00, at a
rate of 1. A sale below the distributor's price makes nothing; it is not charged to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from commissions.engine.plan import SELLER, Bonus, Money
from commissions.engine.result import Block, Standings
from commissions.engine.rounding import share
from commissions.engine.snapshot import Snapshot
from commissions.engine.walk import barred, base_of, earning_lines, rates_at


def pay(snapshot: Snapshot, money: Money, bonus: Bonus, standings: Standings) -> Iterator[Block]:
    """One line for each order line, to its seller, at level 0."""
    line = earning_lines(bonus, snapshot.lines, SELLER)
    seller = snapshot.lines.seller[line]
    rate = rates_at(1, bonus, standings, barred(bonus, standings))[seller]
    paid = rate > 0
    line, seller, rate = line[paid], seller[paid], rate[paid]
    base = base_of(bonus, snapshot.lines)[line]
    amount = share(base, rate, money.rounding)
    rank = standings.rank_level[seller]
    yield Block(bonus.position, 0, seller, seller, line.astype(np.int32), base, rate, amount, rank)
