"""What a walk knows of everybody before it starts, and what it offers whom it reaches.

`terms_of` asks the plan's conditions once of all members. `Offer` then says at each step what the
upline reached is offered on the sale of each source: his rate by the table, less what the bonus
deducts.

    less paid_below   D 10 %, C 15 %, B 19 %, A 21 % above a sale: 10 %, 5 %, 4 %, 2 %
    less source       Pat 7 % above Gina 5 % is paid 2 % of Gina's group; Paul 5 % above Gina the
                      minimum, where there is one

Under paid_below a rate counts as applied when its step is used: by who is paid, and by who is not
eligible where his part is lost, the company's or held. Under compress he is passed over, and the
next one has his part as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commissions.engine.awards import HELD, LEDGER, RETAINED, Destination, Items, rank_levels
from commissions.engine.facts import Facts
from commissions.engine.plan import (
    Bonus,
    Compressed,
    Condition,
    Generations,
    JoinedWithin,
    OfOrder,
    PaysUpline,
    Physical,
    parts,
)
from commissions.engine.rates import Figures, Steps, Table, in_unit, table_of, with_nobody
from commissions.engine.result import NOBODY
from commissions.engine.rounding import LARGEST, Int64s
from commissions.engine.trees import Pointers

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Terms:
    """One entry a member. `counts`: uses up a step, or ends a generation. `eligible`: may be paid.
    `stops`: the walk ends with him. `package`: place in plan.packages. `worth`: the value of each
    package, and a last 0 for none.
    """

    bonus: Bonus
    kinds: tuple[str, ...]
    counts: Bools
    eligible: Bools
    stops: Bools
    table: Table
    package: NDArray[np.int16]
    worth: Int64s
    rank_level: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.counts)

    def cut(self, members: Pointers) -> Terms:
        """The same for some members alone, in the order given."""
        return Terms(
            bonus=self.bonus,
            kinds=self.kinds,
            counts=self.counts[members],
            eligible=self.eligible[members],
            stops=self.stops[members],
            table=self.table.cut(members),
            package=self.package[members],
            worth=self.worth,
            rank_level=self.rank_level[members],
        )

    @property
    def otherwise(self) -> str:
        return self.bonus.eligibility.otherwise

    def caps(self, earner: Pointers, source: Pointers) -> Int64s | None:
        """The value of the smaller package, any where nobody earns; None: the base has no limit."""
        if not (isinstance(self.bonus.base, OfOrder) and self.bonus.base.smaller_package):
            return None
        smaller = np.minimum(with_nobody(self.package)[earner], self.package[source])
        return np.where(earner < len(self), self.worth[smaller], LARGEST)


def terms_by_day(bonus: Bonus, items: Items, facts: Facts) -> Iterator[tuple[Terms, Items]]:
    """The terms for all items; one by one for each day, if "joined within" is asked on the way."""
    asked = (bonus.eligibility, bonus.pays)
    if not any(isinstance(part, JoinedWithin) for _, part in parts(asked)):
        yield terms_of(bonus, facts), items
        return
    for day in np.unique(items.day):
        yield terms_of(bonus, facts, int(day)), items.kept(items.day == day)


def terms_of(bonus: Bonus, facts: Facts, day: int = NOBODY) -> Terms:
    """Everything the bonus asks of everybody, asked once; without a day at the period's end."""
    everybody = np.arange(len(facts.snapshot.members), dtype=np.int32)

    def met(condition: Condition | None) -> Bools:
        days = None if day < 0 else np.full(len(everybody), day, np.int32)
        return facts.meets_on(condition, everybody, days)

    eligible = met(bonus.eligibility.when)
    counts, stops = np.ones(len(everybody), np.bool_), np.zeros(len(everybody), np.bool_)
    if isinstance(bonus.pays, PaysUpline):
        counts = met(counted_when(bonus.pays.steps))
        if bonus.eligibility.otherwise == "compress":
            counts = counts & eligible
        if bonus.pays.stop is not None:
            stops = met(bonus.pays.stop.at)
    return Terms(
        bonus=bonus,
        kinds=facts.plan.kinds,
        counts=counts,
        eligible=eligible,
        stops=stops,
        table=table_of(bonus, facts),
        package=facts.package,
        worth=np.array([*(package.value for package in facts.plan.packages), 0], np.int64),
        rank_level=rank_levels(bonus, facts),
    )


def counted_when(steps: Physical | Compressed | Generations) -> Condition | None:
    """What makes an upline use up a step, or end a generation."""
    match steps:
        case Compressed():
            return steps.counts
        case Generations():
            return steps.boundary
    return None


def is_companys_when_unfilled(bonus: Bonus) -> bool:
    return isinstance(bonus.pays, PaysUpline) and bonus.pays.unfilled == "company"


def destinations(terms: Terms) -> list[tuple[Destination, Bools]]:
    """Where the part of each member goes, and (the last entry) that of a step beyond the top."""
    unfilled = is_companys_when_unfilled(terms.bonus)
    barred = {"company": RETAINED, "held": HELD}.get(terms.otherwise)
    nobody = np.zeros(len(terms), np.bool_)
    wanted: list[tuple[Destination, Bools, bool]] = [
        (LEDGER, terms.eligible, False),
        (RETAINED, ~terms.eligible if barred == RETAINED else nobody, unfilled),
        (HELD, ~terms.eligible if barred == HELD else nobody, False),
    ]
    return [
        (to, np.append(members, [False, beyond]))
        for to, members, beyond in wanted
        if beyond or members.any()
    ]


class Offer:
    """What each source's sale offers, step by step; remembers what was applied on each walk."""

    def __init__(self, terms: Terms, source: Pointers, row: int) -> None:
        self.terms, self.source, self.row = terms, source, row
        self.less = terms.bonus.less
        self.applied = np.zeros(len(source), np.int64)
        self.uses = np.append(self.using(), [False, True])
        if self.less is not None and self.less.than == "source":
            own = terms.table.at(1, source, source, row)
            self.applied = np.maximum(own, self.figure(self.less.source_minimum))

    def using(self) -> Bools:
        """Whose rate counts as applied once the walk reached him."""
        if self.terms.otherwise in ("lost", "company", "held"):
            return np.ones(len(self.terms), np.bool_)
        return self.terms.eligible

    def figure(self, written: int) -> np.int64:
        return np.int64(in_unit(np.array([written], np.int64), self.terms.bonus)[0])

    def at(self, step: int | Steps, reached: Pointers, walks: NDArray[np.intp] | slice) -> Figures:
        """Millionths (or hundredths) for each of the walks, 0 for nothing.

        `reached`: member, or N where the walk has ended, or N + 1 beyond the top. `walks`: their
        places in `source`.
        """
        terms, top = self.terms, len(self.terms) + 1
        rate = terms.table.at(step, reached, self.source[walks], self.row)
        if isinstance(step, int) and is_companys_when_unfilled(terms.bonus):
            rate = np.where(reached == top, terms.table.of_company(step, self.row), rate)
        if self.less is None:
            return rate
        below = self.applied[walks]
        difference = np.maximum(rate - below, self.figure(self.less.minimum))
        if self.less.than == "paid_below":
            self.applied[walks] = np.where(self.uses[reached], np.maximum(below, rate), below)
        return np.where(rate > 0, difference, 0)
