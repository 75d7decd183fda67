"""What a bonus awards: its items, by the mechanism that its `pays` names.

    pays    source, upline   on each item          source.py, walk.py
            company          on each item          company.py
            pairs, pool      on the members        pairs.py, pool.py

Bonuses are awarded in the order of the plan, each with the blocks of those before it. A bonus that
is paid on its own commissions (a match that is matched again) goes in passes: the second pass is
paid on what the first one paid, and so on until a pass pays nothing. Since only money can be paid
on, each pass is settled into blocks before the next, by the `settle` that the caller gives:

    B matches 20 % of C's 21.00 = 4.20      first pass
    A matches 15 % of B's  4.20 = 0.63      second pass
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from commissions.engine import company, pairs, pool, source, walk
from commissions.engine.awards import LEDGER, Award, Earlier, items_of, was_paid
from commissions.engine.facts import Facts
from commissions.engine.plan import (
    Bonus,
    OfCommissions,
    PaysCompany,
    PaysPairs,
    PaysPool,
    PaysSource,
    PaysUpline,
)
from commissions.engine.result import Block

Settle = Callable[[Sequence[Award]], Sequence[Block]]
"""From awards of one pass to ledger blocks: `money.amounts` with whatever belongs before it."""


def award(bonus: Bonus, facts: Facts, earlier: Earlier, settle: Settle) -> Iterator[Award]:
    """All that the bonus awards, in order; `settle` is called only between passes."""
    base = bonus.base
    if not (isinstance(base, OfCommissions) and bonus.code in base.bonuses):
        yield from one_pass(bonus, facts, earlier)
        return
    paid = {code: blocks for code, blocks in earlier.items() if code != bonus.code}
    while awards := list(one_pass(bonus, facts, paid)):
        yield from awards
        paid[bonus.code] = settle([one for one in awards if one.to == LEDGER])
        bonus = replace(bonus, base=replace(base, bonuses=(bonus.code,)))


def one_pass(bonus: Bonus, facts: Facts, earlier: Earlier) -> Iterator[Award]:
    """Awards without those to whom an exclusion by line and earner leaves nothing."""
    exclusion = bonus.exclusion
    for found in by_mechanism(bonus, facts, earlier):
        if exclusion is not None and exclusion.scope == "line_and_earner":
            found = found.kept(~was_paid(found, exclusion.bonuses, earlier))
        if len(found):
            yield found


def by_mechanism(bonus: Bonus, facts: Facts, earlier: Earlier) -> Iterator[Award]:
    match bonus.pays:
        case PaysPairs():
            return pairs.pay(bonus, facts)
        case PaysPool():
            return pool.pay(bonus, facts)
        case PaysCompany():
            return company.pay(bonus, items_of(bonus, facts, earlier), facts, earlier)
        case PaysUpline():
            return walk.pay(bonus, items_of(bonus, facts, earlier), facts)
        case PaysSource():
            return source.pay(bonus, items_of(bonus, facts, earlier), facts)
