"""Why somebody was paid, or not: the calculation itself, watched on one thing that was paid on.

`trace` lets the same terms, cursors, rates and rounding that made the ledger run on a single item
and tells what became of each person on the way, with the conditions that were not met:

    E's order, 100.00 CV, Unilevel
    1  D  Bronze   step 1   paid     5 % of 100.00 = 5.00
    2  C           skipped  not counted: active? PV 20.00 of 50.00
    3  B  Bronze   step 2   paid     4 % of 100.00 = 4.00

The facts may be of the whole company, or of the seller and his uplines with that one order line and
everybody's standing given. Bonuses that are not paid on one item alone (pairs, pools, what is paid
once) have no such story: theirs are the figures in the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from commissions.engine import source, walk
from commissions.engine.awards import Award, Earlier, Items, items_of, rank_levels, was_paid
from commissions.engine.calculate import pay
from commissions.engine.conditions import Leaf, measure
from commissions.engine.facts import Facts
from commissions.engine.money import amounts, unit_of
from commissions.engine.paths import SOURCE, Path, first_step, path_of, pays_of
from commissions.engine.plan import (
    Bonus,
    Condition,
    Generations,
    OfCommissions,
    PaysSource,
    PaysUpline,
)
from commissions.engine.result import NOBODY
from commissions.engine.terms import Terms, counted_when, terms_by_day

PAID, SKIPPED, LOST, BEYOND = "paid", "skipped", "lost", "beyond"
NONE, NOT_COUNTED, NOT_ELIGIBLE = "none", "not_counted", "not_eligible"
EXCLUDED, NO_RATE, LAST_STEP, ENDED = "excluded", "no_rate", "beyond_last_step", "ended"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question somebody did not meet: what it asks and what he has (units as in `Finding`)."""

    question: Leaf
    needed: int
    actual: int
    negated: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One person in turn. `member`: index in the snapshot; `distance`: levels above the source.

    outcome  paid     `step`, `base`, `rate`, `amount` are the ledger line's (`step` = its level);
                      `to`: the ledger, or held until he qualifies, or retained by the company
             skipped  passed over, no step used up
             lost     the step is used up, nothing is paid
             beyond   the walk is over; the story ends here
    reason: not_counted, not_eligible, excluded (another bonus paid him), no_rate, beyond_last_step,
    ended (a stop, a block, or too far up). `unmet`: the questions behind the first two.
    `raw`: the exact amount in units of money before rounding; a paid `amount` may round to 0.
    """

    member: int
    distance: int
    outcome: str
    reason: str
    rank_level: int
    step: int = 0
    unmet: tuple[Asked, ...] = ()
    base: int = 0
    rate: int = 0
    raw: Decimal = Decimal(0)
    amount: int = 0
    to: str = "ledger"


@dataclass(slots=True)
class Watched:
    """One item of a bonus with the terms it is paid on, and what it brought whom."""

    facts: Facts
    bonus: Bonus
    terms: Terms
    item: Items
    awards: list[Award]
    excluded: set[int] = field(default_factory=set)

    @property
    def source(self) -> int:
        return int(self.item.source[0])


def trace(
    facts: Facts, bonus_code: str, line: int, source: int | None = None, base: int | None = None
) -> list[Step]:
    """From the source upward, whom the bonus paid for this order line and whom not.

    `source`, `base`: which item, where the bonus is paid on several of one line (commissions).
    Something the bonus does not pay for gives an empty list. Raises KeyError for a bonus the plan
    does not have, ValueError for one that has no such story.
    """
    bonus = facts.plan.bonus(bonus_code)
    if not isinstance(bonus.pays, PaysSource | PaysUpline):
        raise ValueError(f"{bonus_code} is not paid on one item alone")
    earlier = paid_before(bonus, facts)
    items = items_of(bonus, facts, earlier)
    mine = items.line == line
    if source is not None:
        mine &= items.source == source
    if base is not None and (mine & (items.base == base)).any():
        mine &= items.base == base
    found = np.flatnonzero(mine)
    if not found.size:
        return []
    return story(watch(bonus, facts, items.kept(slice(found[0], found[0] + 1)), earlier))


def paid_before(bonus: Bonus, facts: Facts) -> Earlier:
    """What the bonuses before it paid, where this one goes by that."""
    if bonus.exclusion is None and not isinstance(bonus.base, OfCommissions):
        return {}
    bonuses = facts.plan.triggered_by(bonus.trigger)
    before = bonuses[: [each.code for each in bonuses].index(bonus.code)]
    aside = Facts(facts.snapshot, facts.plan, facts.standings())
    return {code: paid.ledger for code, paid in pay(before, aside, facts.plan.limits).items()}


def watch(bonus: Bonus, facts: Facts, item: Items, earlier: Earlier) -> Watched:
    [(terms, item)] = terms_by_day(bonus, item, facts)
    if isinstance(bonus.pays, PaysUpline):
        awards = list(walk.walk(terms, facts.parent(bonus.pays.tree), item))
    else:
        awards = list(source.grant_sources(terms, item))
    watched = Watched(facts, bonus, terms, item, awards)
    exclusion = bonus.exclusion
    if exclusion is not None and exclusion.scope == "line_and_earner":
        for award in awards:
            barred = was_paid(award, exclusion.bonuses, earlier)
            watched.excluded |= set(award.earner[barred].tolist())
        watched.awards = [
            award.kept(~was_paid(award, exclusion.bonuses, earlier)) for award in awards
        ]
    return watched


def story(watched: Watched) -> list[Step]:
    """One step a person, up to the first one for whom no step is left."""
    paid = {step.member: step for step in paid_steps(watched)}
    if not isinstance(watched.bonus.pays, PaysUpline):
        return list(paid.values()) or [lost(watched, watched.source, 0, 0)]
    start = start_of(watched)
    if start is None:
        return []
    path = path_of(watched.terms, watched.facts.parent(watched.bonus.pays.tree), start)
    course = course_of(watched, path, start)
    told = []
    for distance, member in people(path, watched.source, start):
        if member in paid:
            told.append(paid[member])
        elif member in course.used:
            told.append(lost(watched, member, distance, course.used[member]))
        elif course.last is not None and distance > course.last:
            told.append(unpaid(watched, member, distance, BEYOND, course.reason))
            break
        else:
            told.append(skipped(watched, member, distance))
    return told


def start_of(watched: Watched) -> str | None:
    """Where the walk of this item starts; None for a kind of order that pays nobody."""
    start, kind = pays_of(watched.bonus).start, int(watched.item.kind[0])
    if isinstance(start, str):
        return start
    return start.get(watched.facts.plan.kinds[kind]) if kind >= 0 else None


def people(path: Path, member: int, start: str) -> Iterator[tuple[int, int]]:
    """Distance and member from the first person of the walk to the top."""
    distance = 0
    while member >= 0:
        if distance or start == SOURCE:
            yield distance, member
        member, distance = int(path.parent[member]), distance + 1


@dataclass(frozen=True, slots=True)
class Course:
    """Whose step is which; `last`: the distance of the last whom the walk saw, None where it went
    to the top; `reason`: why it went no further."""

    used: Mapping[int, int]
    last: int | None = None
    reason: str = NONE


def course_of(watched: Watched, path: Path, start: str) -> Course:
    """The walk person by person, by the rules that `walk` follows for all at once."""
    pays, used = path.pays, {}
    is_everyone = isinstance(pays.steps, Generations) and pays.steps.pays == "everyone"
    step = first_step(pays) - 1
    for distance, member in people(path, watched.source, start):
        is_far = pays.max_distance is not None and distance > pays.max_distance
        counts = bool(path.counts[member])
        if is_far or (path.refused[member] and (counts or is_everyone)):
            return Course(used, distance - 1, ENDED)
        if is_everyone:
            level = step + counts if first_step(pays) == 2 else step + 1
            if level > pays.max_steps:
                return Course(used, distance - 1, LAST_STEP)
            used[member] = level
            step += counts
        elif counts:
            step += 1
            used[member] = step
            if step == pays.max_steps:
                return Course(used, distance, LAST_STEP)
        if watched.terms.stops[member]:
            return Course(used, distance, ENDED)
    return Course(used)


def paid_steps(watched: Watched) -> Iterator[Step]:
    plan = watched.facts.plan
    distances = dict(reversed(list(distances_of(watched))))
    unit = unit_of(watched.bonus, plan.money)
    paid = amounts(watched.bonus, [award for award in watched.awards if len(award)], plan)
    for to in ("held", "retained", "ledger"):
        for block in paid.to(to):
            if int(block.earner[0]) == NOBODY:
                continue
            base, rate = int(block.base[0]), int(block.rate[0])
            exact = Decimal(base * rate * unit.numerator) / unit.denominator
            member = int(block.earner[0])
            yield Step(
                member=member,
                distance=distances.get(member, 0),
                outcome=PAID,
                reason=NONE,
                rank_level=int(block.rank_level[0]),
                step=block.level,
                base=base,
                rate=rate,
                raw=exact,
                amount=int(block.amount[0]),
                to=to,
            )


def distances_of(watched: Watched) -> Iterator[tuple[int, int]]:
    if isinstance(watched.bonus.pays, PaysUpline):
        path = path_of(watched.terms, watched.facts.parent(watched.bonus.pays.tree), SOURCE)
        for distance, member in people(path, watched.source, SOURCE):
            yield member, distance


# What keeps somebody from being paid


def lost(watched: Watched, member: int, distance: int, step: int) -> Step:
    reason, unmet = NO_RATE, ()
    if not watched.terms.eligible[member]:
        reason = NOT_ELIGIBLE
        unmet = questions(watched.bonus.eligibility.when, watched.facts, member)
    elif member in watched.excluded:
        reason = EXCLUDED
    return unpaid(watched, member, distance, LOST, reason, step, unmet)


def skipped(watched: Watched, member: int, distance: int) -> Step:
    condition = counted_when(pays_of(watched.bonus).steps)
    if watched.facts.meets(condition)[member]:
        condition = watched.bonus.eligibility.when
    unmet = questions(condition, watched.facts, member)
    return unpaid(watched, member, distance, SKIPPED, NOT_COUNTED, 0, unmet)


def unpaid(
    watched: Watched,
    member: int,
    distance: int,
    outcome: str,
    reason: str,
    step: int = 0,
    unmet: tuple[Asked, ...] = (),
) -> Step:
    level = int(rank_levels(watched.bonus, watched.facts)[member])
    return Step(member, distance, outcome, reason, level, step, unmet)


def questions(condition: Condition | None, facts: Facts, member: int) -> tuple[Asked, ...]:
    """The single questions of a condition that a member does not meet, as the plan lists them."""
    return tuple(
        Asked(each.question, each.needed, int(each.actual[member]), each.negated)
        for each in measure(condition, facts)
        if bool(each.met[member]) == each.negated
    )
