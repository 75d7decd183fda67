"""From what is offered on each walk to awards: the items that were hit, and where their part goes.

    walk of   reached   rate        items of Eva: 100.00 on line 7, 20.00 on line 9
    Eva       Dan       50000       -> an award of two lines, both to Dan at 50000

A table of amounts gives the amount itself as base and a rate of 1; on a metric that counts, the
amount so many times: 3 recruits at 100.00 are a base of 300.00.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from commissions.engine.awards import RETAINED, UNIT, Award, Destination, Items
from commissions.engine.plan import WHOLE, OfMetric
from commissions.engine.rates import Figures, Steps
from commissions.engine.result import NOBODY
from commissions.engine.rounding import Int64s, product
from commissions.engine.terms import Bools, Terms
from commissions.engine.trees import Pointers


def grants(
    terms: Terms,
    items: Items,
    walk: NDArray[np.intp] | Pointers,
    reached: Pointers,
    rate: Figures,
    step: int | Steps,
    parts: Sequence[tuple[Destination, Bools]],
) -> Iterator[Award]:
    """Awards of one move. `walk`: by item, its place in `reached`, `rate` (and `step`)."""
    for to, goes in parts:
        pays = goes[reached] & (rate != 0)
        hit = np.flatnonzero(pays[walk])
        if not hit.size:
            continue
        mine = walk[hit]
        if isinstance(step, int):
            yield grant(terms, items, hit, reached[mine], rate[mine], step, to)
            continue
        for level in np.unique(step[mine]):
            at = step[mine] == level
            here = mine[at]
            yield grant(terms, items, hit[at], reached[here], rate[here], int(level), to)


def grant(
    terms: Terms,
    items: Items,
    hit: NDArray[np.intp],
    reached: Pointers,
    rate: Figures,
    level: int,
    to: Destination,
) -> Award:
    """The lines of these items at these rates, one earner each; the company's have none."""
    base = items.base[hit]
    if (caps := terms.caps(reached, items.source[hit])) is not None:
        has_base = caps > 0
        hit, reached, rate = hit[has_base], reached[has_base], rate[has_base]
        base = np.minimum(base, caps)[has_base]
    if terms.bonus.unit == "amount":
        base, rate = amounts(terms, base, rate), np.full(len(hit), WHOLE, np.int32)
    if to == RETAINED:
        earner, rank_level = np.full(len(hit), NOBODY, np.int32), np.zeros(len(hit), np.int16)
    else:
        earner, rank_level = reached, terms.rank_level[reached]
    return Award(
        level=level,
        earner=earner,
        source=items.source[hit],
        line=items.line[hit],
        base=base,
        rate=rate.astype(np.int32, copy=False),
        rank_level=rank_level,
        to=to,
    )


def amounts(terms: Terms, base: Int64s, each: Figures) -> Int64s:
    """The amounts; so many times, where the base is a metric's count."""
    if not isinstance(terms.bonus.base, OfMetric):
        return each.astype(np.int64)
    return product(base, each) // UNIT
