"""The calculation: a pure function from a snapshot and a plan to standings and ledger lines.

The order is fixed, and the same for every plan:

    1  trees         those the plan uses are free of circles
    2  volumes       derived figures of the lines, in the order of the plan          volumes
    3  metrics, activity, ranks, each after what it asks for                         facts
    4  bonuses of the trigger in the order of the plan, for each of them
         a  its items, less what an exclusion takes away                             awards
         b  who is awarded how much of them                                          paying
         c  whether it is due at all: once, once a rank, after so many periods       occurrence
         d  money: base x factor x rate, rounded                                     money
         e  its instalments, what falls due of earlier ones, what was held and is free
         f  limits whose bonuses are all done, in the order of the plan              limits
    5  what may be paid out and what is carried                                      payout
    6  what is given besides money: the same way, but it counts for no limit and no payout
    7  the state that the next period starts from

A bonus sees the lines of the bonuses before it, and of the limits that were applied before it. So a
match stands after what it matches; it is paid on the cut amounts if the limit is complete before.

    plan: binary, limit 5,000 a member on binary, match 10 % of binary after limits
    P    binary 8,000   limit -3,000   -> his sponsor's match: 10 % of 5,000

At `payment` a few just paid lines come with just the people they can concern (for each seller as
many uplines as the bonuses of that trigger walk); nobody's figures are worked out, and limits,
payout and state wait for the close. At `period_close` the snapshot is the whole company.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from commissions.engine import limits
from commissions.engine.awards import Award
from commissions.engine.conditions import looked_at
from commissions.engine.facts import Facts
from commissions.engine.figures import (
    asked_in_stories,
    is_of_many,
    name_of,
    paid_name,
    summed_up,
)
from commissions.engine.money import Paid, amounts, by_member
from commissions.engine.occurrence import due, hold, occur, split
from commissions.engine.paying import award
from commissions.engine.payout import pay_out
from commissions.engine.plan import PAYMENT, PERIOD_CLOSE, Bonus, Limit, Plan, parts
from commissions.engine.result import Block, LimitCheck, Result, Standings, in_columns
from commissions.engine.rounding import Int64s, added, exact_sum
from commissions.engine.snapshot import Snapshot, State

ENGINE_VERSION = "2.2"
"""Part of a replay's certificate: it changes whenever the same input may give other bytes."""

LASTING = ("pairs.", "pool.", "once.", "times.", "due.", "held.", "limit.", "reward.")
"""State of bonuses and limits that outlasts their absence from the plan."""

WAITING = ("due.", "held.", "pool.")
"""Money in the state that earlier sales earned, and that a refund of them makes less."""


Work = Callable[[Bonus, Facts, Mapping[str, Sequence[Block]]], Paid]


def calculate(
    snapshot: Snapshot,
    plan: Plan,
    trigger: str = PERIOD_CLOSE,
    standings: Standings | None = None,
    tell: Callable[[Standings], object] | None = None,
) -> Result:
    """Everything the plan pays on this trigger. Same input, same bytes.

    `standings`: taken as facts when given (one entry a member), else worked out at the close and
    left out at payment. `tell`: called with them once they are known, before anything is paid: a
    caller may store them meanwhile. Raises CycleError, SnapshotError, CapacityError.
    """
    closing = trigger == PERIOD_CLOSE
    bonuses = plan.triggered_by(trigger)
    facts = Facts(snapshot, plan, standings)
    for tree in sorted(trees_used(plan if closing else bonuses)):
        facts.parent(tree)
    known = facts.standings() if closing else standings
    if tell is not None and known is not None:
        tell(known)
    paid = pay(bonuses, facts, plan.limits if closing else ())
    given = give(plan.rewards if closing else (), facts, paid)
    totals = {code: sum(exact_sum(block.amount) for block in paid[code].ledger) for code in paid}
    payable = pay_out(earned(paid, facts), facts).payable if closing else None
    retained = tuple(block for one in paid.values() for block in one.retained)
    held = tuple(block for one in paid.values() for block in one.held)
    asked = measured(facts, paid) if closing else {}
    found = [block for one in paid.values() for block in one.ledger]
    paid.clear()
    ledger, columns = in_columns(found)
    return Result(
        engine_version=ENGINE_VERSION,
        plan_hash=plan.content_hash,
        trigger=trigger,
        standings=known,
        ledger=ledger,
        columns=columns,
        retained=retained,
        held=held,
        totals=totals,
        checks=checks(plan, totals, known, snapshot) if closing and known is not None else (),
        state=carried_on(facts) if closing else {},
        member_count=len(snapshot.members),
        payable=payable,
        measured=asked,
        rewards=given,
    )


def measured(facts: Facts, paid: Mapping[str, Paid]) -> dict[str, Int64s]:
    """What stories ask of everybody beyond their standings, by name (`figures`)."""
    questions = (part for part in asked_in_stories(facts.plan) if is_of_many(part))
    names = {name_of(question): question for question in questions}
    found = {
        name: facts.noted[name] if name in facts.noted else looked_at(question, facts)
        for name, question in names.items()
    }
    members = len(facts.snapshot.members)
    for code in summed_up(facts.plan):
        found[paid_name(code)] = by_member(paid[code].ledger, members)
    return found


def trees_used(used: object) -> set[str]:
    """The trees that any part of these walks, sums over or looks down."""
    return {part.tree for _, part in parts(used) if hasattr(part, "tree")}


def pay(
    bonuses: Sequence[Bonus],
    facts: Facts,
    limited: Sequence[Limit],
    work: Work | None = None,
) -> dict[str, Paid]:
    """What each bonus pays and each limit cuts, by code, in the order of the plan's programmes.

    `work`: what tells a bonus's lines, where that is not the bonus itself.
    """
    paid: dict[str, Paid] = {}
    ledger: dict[str, list[Block]] = {}
    left: limits.Earnings = {}
    waiting = [limit for limit in limited if limit.enforcement != "refuse"]
    for bonus in (None, *bonuses):
        if bonus is not None:
            paid[bonus.code] = (work or pay_bonus)(bonus, facts, ledger)
            ledger[bonus.code] = paid[bonus.code].ledger
        while waiting and is_complete(waiting[0], ledger, facts.plan):
            limit = waiting.pop(0)
            ledger[limit.code] = cut(limit, ledger, left, facts)
    cuts = {limit.code: Paid(ledger.get(limit.code, [])) for limit in limited}
    return {**paid, **cuts}


def pay_bonus(bonus: Bonus, facts: Facts, earlier: Mapping[str, Sequence[Block]]) -> Paid:
    """From items to money, in instalments where the bonus is paid so."""
    paid = earn(bonus, facts, earlier)
    if bonus.instalments > 1:
        first = [split(bonus, block, facts) for block in paid.ledger]
        paid.ledger[:] = [block for block in first if len(block)]
    let_wait(bonus, paid, facts)
    return paid


def earn(bonus: Bonus, facts: Facts, earlier: Mapping[str, Sequence[Block]]) -> Paid:
    """What the period's own items bring, in whole amounts."""

    def settle(awards: Sequence[Award]) -> Sequence[Block]:
        return amounts(bonus, awards, facts.plan).ledger

    return amounts(bonus, occur(bonus, award(bonus, facts, earlier, settle), facts), facts.plan)


def let_wait(bonus: Bonus, paid: Paid, facts: Facts) -> None:
    """Holds what is held, and adds to what is paid what falls due of earlier periods."""
    for block in paid.held:
        hold(bonus, block, facts)
    if is_waiting(bonus, facts) and (ripe := due(bonus, facts)) is not None:
        paid.ledger.append(ripe)


def give(bonuses: Sequence[Bonus], facts: Facts, paid: Mapping[str, Paid]) -> tuple[Block, ...]:
    """What is given besides money; `reward.<bonus>` adds up what everybody was given so far."""
    found: list[Block] = []
    earlier = {code: one.ledger for code, one in paid.items()}
    for bonus in bonuses:
        blocks = pay_bonus(bonus, facts, earlier).ledger
        name, members = f"reward.{bonus.code}", len(facts.snapshot.members)
        facts.state_out[name] = added([facts.carried(name), by_member(blocks, members)], name)
        found += blocks
    return tuple(found)


def is_waiting(bonus: Bonus, facts: Facts) -> bool:
    """Whether instalments or held amounts of the bonus came from earlier periods."""
    names = facts.snapshot.state
    return f"held.{bonus.code}" in names or any(
        name.startswith(f"due.{bonus.code}.") for name in names
    )


def is_complete(limit: Limit, ledger: Mapping[str, Sequence[Block]], plan: Plan) -> bool:
    """Whether all its bonuses were paid: here, or at payment before."""
    return all(code in ledger or plan.bonus(code).trigger == PAYMENT for code in limit.bonuses)


def cut(
    limit: Limit,
    ledger: Mapping[str, Sequence[Block]],
    left: limits.Earnings,
    facts: Facts,
) -> list[Block]:
    limits.add_earnings(left, limit, ledger, facts)
    block = limits.apply(limit, left, facts)
    return [block] if len(block) else []


def checks(
    plan: Plan, totals: Mapping[str, int], standings: Standings, snapshot: Snapshot
) -> tuple[LimitCheck, ...]:
    """The limits that refuse, with what was paid at payment as far as the snapshot knows it."""
    both = dict(totals)
    for bonus in plan.triggered_by(PAYMENT):
        both[bonus.code] = exact_sum(limits.paid_before(bonus.code, snapshot))
    return limits.check_limits(plan, both, standings.metrics)


def earned(paid: Mapping[str, Paid], facts: Facts) -> Int64s:
    """By member: all of this result, and what was paid at payment within the period."""
    blocks = [block for one in paid.values() for block in one.ledger]
    here = by_member(blocks, len(facts.snapshot.members))
    before = (
        limits.paid_before(bonus.code, facts.snapshot) for bonus in facts.plan.triggered_by(PAYMENT)
    )
    return added([here, *before], "what was earned")


def carried_on(facts: Facts) -> State:
    """What was put into the state, and what belongs to programmes that the plan no longer has: it
    waits, should they come back. All others had their say, and what they left out is zero."""
    known = {programme.code for programme in facts.plan.programmes}
    asleep = {
        name: figures
        for name, figures in facts.snapshot.state.items()
        if name.startswith(LASTING) and name.split(".")[1] not in known
    }
    return {**asleep, **facts.state_out}
