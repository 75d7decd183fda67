"""What the source himself is paid: retail margins, bonuses on own figures, amounts by rank.

The seller of an order line, the member of a metric, the earner of a commission: each is paid the
first step of his row on his own item. 3 jars sold at 12.00 that cost him 9.00 bring a margin of
9.00; at a rate of 1 he is paid 9.00.

Who is not eligible is not paid; under company or held his part goes there. Paid once for each rank,
there is one award a rank from the lowest up, to everybody who has now reached it: `occurrence`
leaves in it whom it is new for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from commissions.engine.awards import Award, Items
from commissions.engine.facts import Facts
from commissions.engine.grants import grants
from commissions.engine.plan import Bonus, OncePerRank
from commissions.engine.rates import NO_ROW
from commissions.engine.terms import Terms, destinations, terms_by_day

LEVEL = 0
"""No step is walked."""


def pay(bonus: Bonus, items: Items, facts: Facts) -> Iterator[Award]:
    """One award a destination (and a rank, for what is paid once for each), its items in order."""
    for terms, group in terms_by_day(bonus, items, facts):
        if isinstance(bonus.occurrence, OncePerRank):
            yield from rank_by_rank(terms, group)
        else:
            yield from grant_sources(terms, group)


def grant_sources(terms: Terms, items: Items) -> Iterator[Award]:
    rate = terms.table.at(1, items.source, items.source, items.row)
    every = np.arange(len(items))
    yield from grants(terms, items, every, items.source, rate, LEVEL, destinations(terms))


def rank_by_rank(terms: Terms, items: Items) -> Iterator[Award]:
    """Each rank's row to all who have reached it; `rank_level` is the rank paid for."""
    for rank in range(1, len(terms.table.cells) - 1):
        row = np.where(terms.table.row >= rank, np.int16(rank), np.int16(NO_ROW))
        for award in grant_sources(replace(terms, table=replace(terms.table, row=row)), items):
            yield replace(award, rank_level=np.full(len(award), rank, np.int16))
