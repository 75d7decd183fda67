"""What a move would do to volumes, ranks and estimated money, worked out before it is done.

    effects = effects_of((Change(dmitri.pk, "sponsor", ben.pk),))
    Dmitri      loses Chloe, gains nobody
    Chloe       GV 320.00 -> 120.00    Silver -> Bronze    GBP 22.00 -> 10.00
    company     GBP 61.00 -> 54.00

The open period is read once, as its estimate reads it, and calculated twice by the plan in force:
as people stand, and as they would stand. Both are estimates: orders and refunds still come. What
was paid at payment stays paid and is no part of it.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from commissions.engine import EngineError
from commissions.engine.trees import Pointers, subtree_sums
from commissions.models import Bonus, CommissionPeriod, PlanVersion
from commissions.move_report import (
    AtRank,
    BonusChange,
    Both,
    MovedPerson,
    MoveReport,
    PersonChange,
    Someone,
    Upline,
)
from commissions.services import estimates, facts
from commissions.services.arrays import Lookup
from commissions.services.calculation import Outcome, work_out
from commissions.services.estimates import Mark
from commissions.services.moved_trees import Moved, moved
from commissions.services.plan_reading import loaded
from commissions.services.plans import version_for
from commissions.services.projections import current_period, last_final_run
from commissions.wording import rank_name
from genealogy.models import Distributor
from genealogy.services.effects import Change, Changes, EffectsRefused

Int64s = NDArray[np.int64]
Pair = tuple[Int64s, Int64s]
"""By member, as it is and as it would be."""
Outcomes = tuple[Outcome, Outcome]
MOST_LISTED = 200
"""People named in a report; of all others their number is told."""
UPLINES_NAMED = 25
STEPS = ("Reading members and volume", "Calculating as it is", "Calculating as it would be")

Begin = Callable[[int], None]
"""Told which of the STEPS begins."""


def effects_of(
    changes: Changes,
    *,
    mark: Mark | None = None,
    most: int | None = MOST_LISTED,
    begin: Begin = lambda step: None,
) -> MoveReport:
    """Work out what the changes would do in the period under way. Only reads.

    `mark`: up to where facts are in; left out, it is taken now, which keeps others from recording
    until the caller's transaction, if there is one, ends. `most`: how many people are named, None
    for all. Raises EffectsRefused: without a period or a plan, for facts that make no sense for a
    calculation, for changes that cannot be; OperationalError while the books are busy.
    """
    period = current_period()
    version = version_for(period.starts_on) if period else None
    if period is None or version is None:
        raise EffectsRefused("No period is open that a plan is in force for.")
    plan = loaded(version)
    try:
        begin(0)
        cut = estimates.cut_at(mark or estimates.take_mark(), period, last_final_run())
        snapshot = facts.read_snapshot(cut, plan)
        trees = moved(snapshot, changes, cut)
        begin(1)
        before = work_out(cut, snapshot, plan)
        begin(2)
        after = work_out(cut, trees.snapshot, plan)
    except (EngineError, facts.FactsRefused) as refusal:
        raise EffectsRefused(str(refusal)) from refusal
    return Comparison(period, version, (before, after)).report(trees, changes, most)


class Comparison:
    """Two outcomes of the same people and sales, member by member."""

    def __init__(self, period: CommissionPeriod, version: PlanVersion, outcomes: Outcomes) -> None:
        self.period, self.version, self.plan = period, version, loaded(version)
        self.ids = outcomes[0].snapshot.members.id
        lookup = Lookup(self.ids)
        before, after = (estimates.amounts_of(each, version, lookup) for each in outcomes)
        self.money = {
            bonus: (before.get(bonus, self.nothing), after.get(bonus, self.nothing))
            for bonus in sorted(before.keys() | after.keys())
        }
        self.gv = of_both(outcomes, lambda outcome: outcome.figures["gv"])
        self.paid_as = of_both(outcomes, lambda outcome: outcome.ranks.paid_as)
        self.title = of_both(outcomes, lambda outcome: outcome.ranks.title)
        self.total = self.summed()

    @property
    def nothing(self) -> Int64s:
        return np.zeros(self.ids.size, np.int64)

    def summed(self) -> Pair:
        """Everybody's money of all bonuses together."""
        return (
            sum((pair[0] for pair in self.money.values()), self.nothing),
            sum((pair[1] for pair in self.money.values()), self.nothing),
        )

    def report(self, trees: Moved, changes: Changes, most: int | None) -> MoveReport:
        order = self.largest_first()
        chosen = (order if most is None else order[:most]).tolist()
        uplines = [uplines_of(trees, change) for change in changes]
        named = [trees.place(change.distributor_id) for change in changes]
        named += [place for sides in uplines for side in sides for place in side[:UPLINES_NAMED]]
        people = self.people_at({*chosen, *named})
        change, rise = self.total[1] - self.total[0], self.paid_as[1] - self.paid_as[0]
        bonuses = Bonus.objects.in_bulk(list(self.money))
        sizes = {tree: line_sizes(pointers) for tree, pointers in trees.after.items()}
        return MoveReport(
            period=self.period.code,
            period_name=self.period.name,
            plan=str(self.version),
            moved=[
                moved_person(trees.place(each.distributor_id), each, sides, people, sizes)
                for each, sides in zip(changes, uplines, strict=True)
            ],
            people=[self.person(place, people, bonuses) for place in chosen],
            people_changed=len(order),
            winners=int((change > 0).sum()),
            losers=int((change < 0).sum()),
            promoted=int((rise > 0).sum()),
            demoted=int((rise < 0).sum()),
            amounts={self.period.currency: both_sums(self.total)},
            bonuses=self.bonus_changes(bonuses, both_sums),
        )

    def largest_first(self) -> Int64s:
        """Places of all for whom anything changes: by money, then by volume, then by id."""
        pairs = [self.gv, self.paid_as, self.title, *self.money.values()]
        places = np.flatnonzero(np.any([one != other for one, other in pairs], axis=0))
        money, volume = (np.abs(pair[1] - pair[0])[places] for pair in (self.total, self.gv))
        found: Int64s = places[np.lexsort((places, -volume, -money))]
        return found

    def people_at(self, places: Iterable[int]) -> dict[int, Someone]:
        by_id = {int(self.ids[place]): place for place in places}
        rows = Distributor.objects.filter(pk__in=by_id).values_list("pk", "number", "display_name")
        return {by_id[pk]: Someone(number, name) for pk, number, name in rows}

    def person(
        self, place: int, people: dict[int, Someone], bonuses: dict[int, Bonus]
    ) -> PersonChange:
        return PersonChange(
            who=people[place],
            gv=both_at(self.gv, place),
            paid_as=self.at_rank(self.paid_as, place),
            title=self.at_rank(self.title, place),
            amounts={self.period.currency: both_at(self.total, place)},
            bonuses=self.bonus_changes(bonuses, lambda pair: both_at(pair, place)),
        )

    def at_rank(self, levels: Pair, place: int) -> AtRank:
        before, after = (int(side[place]) for side in levels)
        return AtRank(before, after, rank_name(self.plan, before), rank_name(self.plan, after))

    def bonus_changes(
        self, bonuses: dict[int, Bonus], figure: Callable[[Pair], Both]
    ) -> list[BonusChange]:
        """Each bonus that brings something, as it is or as it would be, in the plan's order."""
        found = []
        for pk, bonus in sorted(bonuses.items(), key=lambda row: row[1].position):
            amount = figure(self.money[pk])
            if amount.before or amount.after:
                found.append(BonusChange(bonus.code, bonus.name, self.period.currency, amount))
        return found


def of_both(outcomes: Outcomes, figure: Callable[[Outcome], NDArray[np.signedinteger]]) -> Pair:
    before, after = (figure(outcome).astype(np.int64) for outcome in outcomes)
    return before, after


def both_at(pair: Pair, place: int) -> Both:
    return Both(int(pair[0][place]), int(pair[1][place]))


def both_sums(pair: Pair) -> Both:
    return Both(int(pair[0].sum()), int(pair[1].sum()))


# Whom somebody leaves, and whom he comes under

Sides = tuple[list[int], list[int]]


def uplines_of(trees: Moved, change: Change) -> Sides:
    """Places of the uplines that are lost, and of those gained, nearest first."""
    before, after = (trees.upline(change, side) for side in (trees.before, trees.after))
    stay = set(before) & set(after)
    return [each for each in before if each not in stay], [
        each for each in after if each not in stay
    ]


def line_sizes(pointers: Pointers) -> Int64s:
    """How many people stand below each."""
    return subtree_sums(pointers, np.ones(len(pointers), np.int64), "people") - 1


def moved_person(
    place: int,
    change: Change,
    sides: Sides,
    people: dict[int, Someone],
    sizes: dict[str, Int64s],
) -> MovedPerson:
    lost, gained = (upline(side, people) for side in sides)
    below = int(sizes[change.tree][place])
    return MovedPerson(people[place], change.tree, below, lost, gained)


def upline(places: list[int], people: dict[int, Someone]) -> Upline:
    named = places[:UPLINES_NAMED]
    return Upline([people[place] for place in named], len(places) - len(named))
