"""Why somebody was paid, or not: the calculation itself, watched on one thing that was paid on.

`trace` cuts the terms of a bonus down to one source and his uplines, and lets the walk that made
the ledger run on that chain: the same cursors, conditions, rates and rounding make the story, so
the two can't disagree.

    E's order, 100.00 CV, Unilevel
    1  D  Bronze   step 1   paid     5 % of 100.00 = 5.00
    2  C           skipped  not counted: active? PV 20.00 of 50.00
    3  B  Bronze   step 2   paid     4 % of 100.00 = 4.00

The facts may be of the whole company, or of the seller and his uplines with that one order line,
everybody's standing and what else is asked of them given (`figures`); then `Booked` has what the
order line does not tell of the bonuses before. Bonuses that are not paid on one item alone (pairs,
pools, what is paid once) have no such story: theirs are the figures in the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from commissions.engine.awards import (
    HELD,
    LEDGER,
    RETAINED,
    Award,
    Earlier,
    Items,
    items_of,
    was_paid,
)
from commissions.engine.calculate import pay, pay_bonus
from commissions.engine.facts import Facts
from commissions.engine.figures import behind, is_on_lines
from commissions.engine.money import Paid, amounts, by_member, unit_of
from commissions.engine.plan import Bonus, Condition, OfCommissions, PaysSource, PaysUpline, Plan
from commissions.engine.requirements import Asked, questions
from commissions.engine.result import NOBODY, Block
from commissions.engine.rounding import Int64s
from commissions.engine.source import grant_sources
from commissions.engine.terms import Terms, counted_when, terms_by_day
from commissions.engine.trail import ENDED, LAST_STEP, Trail, trail_of
from commissions.engine.trees import Pointers
from commissions.engine.walk import walk

PAID, HELD_BACK, COMPANY = "paid", "held", "company"
SKIPPED, LOST, BLOCKED, BEYOND = "skipped", "lost", "blocked", "beyond"
NONE, NOT_COUNTED, NOT_ELIGIBLE, EXCLUDED = "none", "not_counted", "not_eligible", "excluded"
NO_RATE, NO_DIFFERENCE, NO_PACKAGE, STOP = "no_rate", "no_difference", "no_package", "stop"


@dataclass(frozen=True, slots=True)
class Step:
    """One person in turn. `member`: index in the snapshot; `distance`: levels above the source.

    outcome  paid     `step`, `base`, `rate`, `amount` are the ledger line's (`step` = its level)
             held     the same, but it waits until he is eligible
             company  the same, but the company keeps it
             skipped  passed over, no step used up
             lost     the step is used up, nothing is paid
             blocked  the walk ends with him, and he is not paid
             beyond   the walk was over before him; the story ends here
    reason   not_counted, not_eligible (`unmet`: the questions behind it), no_rate, no_difference
             (as much was paid below him), no_package (he has none, so his base is nothing),
             excluded (another bonus paid him on this line), stop, beyond_last_step, ended (by a
             stop, a block, or too far up)

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
    to: str = LEDGER


@dataclass(frozen=True, slots=True)
class Chain:
    """One item's source (place 0) and his uplines, with all that the walk knows of them."""

    path: Pointers
    terms: Terms
    item: Items
    facts: Facts
    trail: Trail

    @property
    def bonus(self) -> Bonus:
        return self.terms.bonus


@dataclass(frozen=True, slots=True)
class Booked:
    """Of the bonuses and limits before, what the facts of a few people do not tell. `lines`: what
    a bonus paid on the order line, by code, where more than the line decided it. `sums`: by code
    and member all that a bonus paid or a limit cut (`figures.summed_up`)."""

    lines: Mapping[str, Sequence[Block]] = field(default_factory=dict)
    sums: Mapping[str, Int64s] = field(default_factory=dict)


def trace(
    facts: Facts,
    bonus_code: str,
    line: int,
    source: int | None = None,
    base: int | None = None,
    booked: Booked | None = None,
) -> list[Step]:
    """From the source upward, whom the bonus paid for this order line and whom not.

    `source`, `base`: which item, where the bonus is paid on several of one line (commissions).
    `booked`: with the facts of a few; left out, they are of the whole company. Something the bonus
    does not pay for gives an empty list. Raises KeyError for a bonus the plan does not have,
    ValueError for one that has no such story.
    """
    bonus = facts.plan.bonus(bonus_code)
    if not isinstance(bonus.pays, PaysSource | PaysUpline):
        raise ValueError(f"{bonus_code} is not paid on one item alone")
    if booked is None:
        earlier = paid_before(bonus, facts)
    else:
        earlier = paid_before_on_line(bonus, facts, booked)
    items = items_of(bonus, facts, earlier)
    mine = items.line == line
    if source is not None:
        mine &= items.source == source
    if base is not None and (mine & (items.base == base)).any():
        mine &= items.base == base
    for place in np.flatnonzero(mine)[:1]:
        chain = chain_of(bonus, items.kept(slice(place, place + 1)), facts)
        return [] if chain is None else list(story(chain, earlier))
    return []


def paid_before(bonus: Bonus, facts: Facts) -> Earlier:
    """What the bonuses before it paid, where this one goes by that; a match that is matched again
    is among its own sources."""
    if bonus.exclusion is None and not isinstance(bonus.base, OfCommissions):
        return {}
    bonuses = facts.plan.triggered_by(bonus.trigger)
    again = isinstance(bonus.base, OfCommissions) and bonus.code in bonus.base.bonuses
    before = bonuses[: [each.code for each in bonuses].index(bonus.code) + again]
    paid = pay(before, facts.aside(), facts.plan.limits)
    return {code: one.ledger for code, one in paid.items()}


def paid_before_on_line(bonus: Bonus, facts: Facts, booked: Booked) -> Earlier:
    """What the bonuses it goes by paid on the order line, by the facts of a few; what else they
    paid each in all stands beside it, as a line without an order."""
    wanted = behind(bonus, facts.plan)
    before = [
        each
        for each in facts.plan.triggered_by(bonus.trigger)
        if each.code in wanted and is_on_lines(each)
    ]

    def work(each: Bonus, facts: Facts, earlier: Earlier) -> Paid:
        if each.code in booked.lines:
            return Paid(list(booked.lines[each.code]))
        return pay_bonus(each, facts, earlier)

    paid = pay(before, facts.aside(), (), work)
    earlier = {code: list(one.ledger) for code, one in paid.items()}
    for code, total in booked.sums.items():
        here = earlier.setdefault(code, [])
        here.append(in_sum(code, total - by_member(here, len(total)), facts.plan))
    return earlier


def in_sum(code: str, amount: Int64s, plan: Plan) -> Block:
    """One line for whoever has an amount."""
    earner = np.flatnonzero(amount).astype(np.int32)
    nobody, nothing = np.full(len(earner), NOBODY, np.int32), np.zeros(len(earner), np.int64)
    return Block(
        bonus=[programme.code for programme in plan.programmes].index(code),
        level=0,
        earner=earner,
        source=nobody,
        line=nobody,
        base=nothing,
        rate=np.zeros(len(earner), np.int32),
        amount=amount[earner],
        rank_level=nothing.astype(np.int16),
    )


# The chain, and the calculation on it


def chain_of(bonus: Bonus, item: Items, facts: Facts) -> Chain | None:
    """The source and, for a walk, all his uplines in its tree, nearest first; None for an order of
    a kind that pays nobody."""
    path = [int(item.source[0])]
    if isinstance(bonus.pays, PaysUpline):
        parent = facts.parent(bonus.pays.tree)
        while (upline := int(parent[path[-1]])) >= 0:
            path.append(upline)
    people = np.array(path, np.int32)
    [(whole, item)] = terms_by_day(bonus, item, facts)
    terms, alone = whole.cut(people), replace(item, source=np.zeros(1, np.int32))
    trail = trail_of(terms, alone)
    return None if trail is None else Chain(people, terms, alone, facts, trail)


def awards_of(chain: Chain) -> Iterator[Award]:
    """What is awarded on the chain, by place. The company's part of somebody who is not eligible is
    made out to him as if it were held."""
    terms, eligibility = chain.terms, chain.bonus.eligibility
    if eligibility.otherwise == COMPANY:
        named = replace(eligibility, otherwise="held")
        terms = replace(terms, bonus=replace(chain.bonus, eligibility=named))
    if isinstance(chain.bonus.pays, PaysSource):
        yield from grant_sources(terms, chain.item)
        return
    for award in walk(terms, chain.trail.parent, chain.item):
        if award.to != RETAINED:  # a step that no upline was left for
            yield award


def allowed(chain: Chain, awards: Iterable[Award], earlier: Earlier) -> Iterator[Award]:
    """Those that an exclusion by line and earner leaves."""
    exclusion = chain.bonus.exclusion
    for award in awards:
        if exclusion is not None and exclusion.scope == "line_and_earner":
            named = replace(award, earner=chain.path[award.earner])
            award = award.kept(~was_paid(named, exclusion.bonuses, earlier))
        if len(award):
            yield award


def line_of(chain: Chain, award: Award) -> Block:
    """An award's line as if it stood alone; a zero is kept."""
    plan = chain.facts.plan
    money = replace(plan.money, zero_amounts="keep", granularity="line")
    return amounts(chain.bonus, [award], replace(plan, money=money)).to(award.to)[0]


# The story


def story(chain: Chain, earlier: Earlier) -> Iterator[Step]:
    """One step a person, up to the first one whom nothing could reach."""
    given = {int(award.earner[0]): award for award in allowed(chain, awards_of(chain), earlier)}
    for place in range(chain.trail.first, len(chain.path)):
        if place in given:
            yield with_figure(chain, place, given[place])
        elif (reason := chain.trail.over(place)) is not None:
            yield without(chain, place, BEYOND, reason)
            return
        else:
            yield passed(chain, place)


def with_figure(chain: Chain, place: int, award: Award) -> Step:
    """Paid, held, or the company's."""
    block, unit = line_of(chain, award), unit_of(chain.bonus, chain.facts.plan.money)
    base, rate = int(block.base[0]), int(block.rate[0])
    keeps = award.to == HELD and chain.bonus.eligibility.otherwise == COMPANY
    outcome = {LEDGER: PAID, HELD: COMPANY if keeps else HELD_BACK}[award.to]
    return Step(
        member=int(chain.path[place]),
        distance=place,
        outcome=outcome,
        reason=NONE if outcome == PAID else NOT_ELIGIBLE,
        rank_level=int(block.rank_level[0]),
        step=block.level,
        unmet=() if outcome == PAID else lacks(chain, place, chain.bonus.eligibility.when),
        base=base,
        rate=rate,
        raw=Decimal(base * rate * unit.numerator) / unit.denominator,
        amount=int(block.amount[0]),
        to=RETAINED if keeps else award.to,
    )


def passed(chain: Chain, place: int) -> Step:
    """Somebody who gets nothing: he ends the walk, loses his step, or is passed over."""
    terms, trail = chain.terms, chain.trail
    is_eligible = bool(terms.eligible[place])
    if trail.is_blocked_at(place):
        if terms.stops[place]:
            return without(chain, place, BLOCKED, STOP)
        return without(chain, place, BLOCKED, NOT_ELIGIBLE)
    if place in trail.used and is_eligible:
        return without(chain, place, LOST, nothing_of(chain, place))
    if place in trail.used and terms.otherwise != "compress":
        return without(chain, place, LOST, NOT_ELIGIBLE)
    if is_eligible or terms.otherwise != "compress":
        return without(chain, place, SKIPPED, NOT_COUNTED)
    return without(chain, place, SKIPPED, NOT_ELIGIBLE)


def nothing_of(chain: Chain, place: int) -> str:
    """Why somebody eligible is paid nothing at his step."""
    terms, step = chain.terms, max(chain.trail.used[place], 1)
    here, source = np.array([place], np.int32), np.zeros(1, np.int32)
    if not terms.table.at(step, here, source, chain.trail.row).any():
        return NO_RATE
    caps = terms.caps(here, source)
    if caps is not None and not caps.any():
        return NO_PACKAGE
    return EXCLUDED if chain.bonus.less is None else NO_DIFFERENCE


def without(chain: Chain, place: int, outcome: str, reason: str) -> Step:
    pays, asked = chain.bonus.pays, None
    if reason == NOT_ELIGIBLE:
        asked = chain.bonus.eligibility.when
    elif reason == NOT_COUNTED and isinstance(pays, PaysUpline):
        asked = counted_when(pays.steps)
    return Step(
        member=int(chain.path[place]),
        distance=place,
        outcome=outcome,
        reason=reason,
        rank_level=int(chain.terms.rank_level[place]),
        step=chain.trail.used.get(place, 0) if outcome == LOST else 0,
        unmet=lacks(chain, place, asked),
    )


def lacks(chain: Chain, place: int, condition: Condition | None) -> tuple[Asked, ...]:
    return questions(condition, chain.facts, int(chain.path[place]))


__all__ = ["ENDED", "LAST_STEP", "Asked", "Step", "questions", "trace"]
