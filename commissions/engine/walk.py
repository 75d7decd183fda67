"""A walk up a tree from each item: unilevel, level income, differential, generations, matching.

Step 1 is the source or the next above him; each further step is the next upline who counts.

    physical      everybody counts
    compressed    who meets the condition counts; the others are passed over
    generations   a boundary member counts: the k-th on the way up ends generation k, and is paid
                  its rate; with "next_generation" he stands in generation k + 1 and is paid that
                  one's. How everybody within a generation is paid: `generations.py`

    E sells 100.00 CV; uplines D (Bronze), C (inactive), B (Bronze), A (Silver)
    rates Bronze 5 %, 4 %; Silver 5 %, 4 %, 3 %; compressed, the active count

    step 1  D  5 %  5.00        C is passed over: the step after D is B's
    step 2  B  4 %  4.00
    step 3  A  3 %  3.00

Who is counted but not eligible has what the bonus says: lost, the step is used and pays nobody (B
ineligible: A is still at step 3); compress, as if he did not count (A at step 2); block, the walk
ends; company and held, the step is his and the part goes there. Who counts and has no rate uses his
step, too.

A walk ends with the first person on it, its start included, who meets `stop`, also when he does not
count. A step that no upline is left for, because the top or `max_distance` (levels above the
source) is reached, is the company's where the plan says so; a walk that has ended by a stop or a
block leaves nothing to anybody.

All walks go at once: a cursor for each source, moved by pointers that lead to the next who counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from commissions.engine.awards import Award, Items
from commissions.engine.facts import Facts
from commissions.engine.generations import everyone
from commissions.engine.grants import grants
from commissions.engine.paths import SOURCE, UPLINE, cursors, path_of, pays_of
from commissions.engine.plan import Bonus, Generations, PaysUpline
from commissions.engine.rates import by_line
from commissions.engine.result import NOBODY
from commissions.engine.terms import Offer, Terms, destinations, terms_by_day
from commissions.engine.trees import Pointers


def pay(bonus: Bonus, items: Items, facts: Facts) -> Iterator[Award]:
    """One award a start, step and destination (and row, for rates by the order line), its items in
    order."""
    parent = facts.parent(pays_of(bonus).tree)
    for terms, group in terms_by_day(bonus, items, facts):
        yield from walk(terms, parent, group)


def walk(terms: Terms, parent: Pointers, items: Items) -> Iterator[Award]:
    """The same on terms already known."""
    for start, row, group in groups(terms, items):
        yield from walk_from(start, row, terms, parent, group)


def groups(terms: Terms, items: Items) -> Iterator[tuple[str, int, Items]]:
    """Items that go the same way: by where they start and, for rates by the order line, by the row
    of the table (else -1)."""
    pays, told_by_line = pays_of(terms.bonus), by_line(terms.bonus)
    for start in (SOURCE, UPLINE):
        if isinstance(pays.start, Mapping):
            starts = np.array([pays.start.get(kind) == start for kind in (*terms.kinds, "")])
            mine = items.kept(starts[items.kind])
        else:
            mine = items if pays.start == start else items.kept(slice(0))
        for row in range(len(terms.table.cells) - 1) if told_by_line else (NOBODY,):
            group = mine.kept(mine.row == row) if told_by_line else mine
            if len(group):
                yield start, row, group


def walk_from(
    start: str, row: int, terms: Terms, parent: Pointers, items: Items
) -> Iterator[Award]:
    path, parts = path_of(terms, parent, start), destinations(terms)
    if pays_everyone(path.pays):
        yield from everyone(terms, path, start, row, items, parts)
        return
    offer = Offer(terms, np.arange(len(parent) + 2, dtype=np.int32), row)
    for step, reached in cursors(path):
        rate = offer.at(step, reached, slice(None))
        yield from grants(terms, items, items.source, reached, rate, step, parts)


def pays_everyone(pays: PaysUpline) -> bool:
    return isinstance(pays.steps, Generations) and pays.steps.pays == "everyone"
