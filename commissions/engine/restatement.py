"""Undoing lines without an order line: a closed period worked out again without what came back.

A line that names an order line is undone by itself (`reversal`). A unilevel on somebody's volume, a
match on somebody's sum, pairs, a pool or what a limit cut stand on many sales at once. There the
closed period is worked out again on its own facts, and of each line is undone what it is less now:

    July    Asha and Bela sold 600.00 and 400.00; a pool of 10 % for two, in equal shares
    paid    50.00 each
    August  300.00 of Asha's come back                 the pool would have been 70.00
    undone  -15.00 each                                more comes back: what it is less, all in all

What stands, and what is worked out:

    stands      ranks, activity, conditions, bands, packages, shares in a pool, what a limit allows:
                whoever qualified stays qualified (`reevaluate_rank` never); the refund lowers these
                figures in its own period. So a bonus paid for a rank stands as well
    in step     lines of an order line: less what `reversal` undoes of them, to the unit
    worked out  bonuses on a metric or on a member's commissions, pairs, pools, and limits: by the
                rules and roundings of the close, on the volumes and lines that are left

Each undoing is of all that has come back since, less what the books have undone of the line before.
So the parts add up to the whole, and never to more than the line. A refund pays nobody: where
another's line would be more now, it stays as it is, and what is once undone stays undone.

What a limit cut is negative, and undone upward: of 8,000.00 with 3,000.00 cut, a refund that takes
2,000.00 off leaves 1,000.00 cut, so -2,000.00 and +2,000.00; the next takes money. Nobody gets more
back from limits than he loses by their bonuses. A cut that is held is given back out of what is
held, as far as it still is.

What is still to come of a sale that came back is less as well. Each instalment is undone in the
same proportion, rounded for itself, and so is what is held; of lines without an order line in the
proportion in which the whole amount is less. The first instalment stands in the ledger, the others
in what the period hands on (`Restated.waiting`). The next period is told less (`Returns.told`):
what it paid of that is undone there, with what was matched of it and what limits cut, and what it
handed on in its turn is less. So one goes from period to period up to the one under way.

    July    30.00 in three parts of 10.00; a third comes back in September
    undone  July -3.33, August -3.33, and 6.67 fall due in September

Pairs have taken volume out of the legs that now was never matched, and the refund takes it out of
them once more, in its own period. So what they took too much goes back into the legs:

    July    legs 200.00, 500.00: matched 200.00, at 10 % 20.00; carried 0, 300.00
    August  100.00 of the left leg come back: 10.00 undone, and 100.00 go back into either leg
            legs 0 - 100.00 + 100.00 = 0, and 300.00 + 100.00 = 400.00, as if sold never
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from commissions.engine import pairs
from commissions.engine.awards import Earlier
from commissions.engine.calculate import WAITING, carried_on, earn, is_waiting, let_wait, pay
from commissions.engine.facts import Facts
from commissions.engine.money import Paid, by_member
from commissions.engine.occurrence import split
from commissions.engine.plan import (
    PERIOD_CLOSE,
    Bonus,
    Limit,
    OfCommissions,
    OfMetric,
    PaysPairs,
    PaysPool,
    Plan,
    Reversal,
)
from commissions.engine.result import Block, Result
from commissions.engine.returned import (
    Back,
    Returns,
    in_step,
    in_window,
    left_of,
    returned,
    with_lines_of,
)
from commissions.engine.rounding import Int64s, added
from commissions.engine.rows import Rows, less_now, more, rows_of
from commissions.engine.snapshot import Snapshot, State


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed period: what it knew, by which plan it was paid, what came out."""

    snapshot: Snapshot
    plan: Plan
    result: Result

    def lines_of(self, bonus: Bonus) -> Paid:
        place, result = self.plan.programmes.index(bonus), self.result
        kinds = (result.ledger, result.retained, result.held)
        return Paid(*([block for block in blocks if block.bonus == place] for blocks in kinds))


@dataclass(frozen=True, slots=True)
class Restated:
    """`undone`: of each of the `Rows` all that refunds undo of it, opposite in sign. `retained`:
    the same of what the company keeps. `given_back`: by member what pairs took too much of legs.
    `waiting`: what the period hands on of money that waits, under the names where it is less now.
    """

    undone: Int64s
    retained: Int64s
    given_back: State = field(default_factory=dict)
    waiting: State = field(default_factory=dict)


def is_concerned(plan: Plan) -> bool:
    """Whether the plan can have lines, or money that waits, which this module undoes."""
    bonuses = plan.triggered_by(PERIOD_CLOSE)
    cuts = any(limit.enforcement != "refuse" for limit in plan.limits)
    return cuts or any(on_sums(bonus) or waits(bonus) for bonus in bonuses)


def on_sums(bonus: Bonus) -> bool:
    if isinstance(bonus.base, OfCommissions):
        return bonus.base.per == "member"
    return isinstance(bonus.pays, PaysPairs | PaysPool) or isinstance(bonus.base, OfMetric)


def waits(bonus: Bonus) -> bool:
    return bonus.instalments > 1 or bonus.eligibility.otherwise == "held"


def restate(closed: Closed, returns: Returns, rule: Reversal) -> Restated:
    """All that these refunds undo of the period's lines without an order line, and of what waits.

    `rule`: of the plan in force at the refund. Raises SnapshotError where more came back than was
    sold.
    """
    rows, kept = rows_of(closed.result.ledger), rows_of(closed.result.retained)
    counted = returns.kept(in_window(returns, rule))
    if rule.commissions == "none" or not (counted.line.size or returns.told):
        return Restated(np.zeros_like(rows.amount), np.zeros_like(kept.amount))
    back = returned(closed.snapshot.lines, counted, rule)
    before = Facts(closed.snapshot, closed.plan, closed.result.standings)
    facts = Facts(left(closed.snapshot, counted, back), closed.plan, stood=before)
    own = own_lines(closed, before)

    def work(bonus: Bonus, facts: Facts, earlier: Earlier) -> Paid:
        return what_is_left(bonus, own[bonus.code], back, rule, facts, earlier)

    paid = pay(closed.plan.triggered_by(PERIOD_CLOSE), facts, closed.plan.limits, work)
    ledger = [block for one in paid.values() for block in one.ledger]
    undone = less_now(rows, rows_of(ledger))
    within_losses(closed, rows, undone, ledger, counted.told)
    retained = rows_of([block for one in paid.values() for block in one.retained])
    return Restated(
        undone=undone,
        retained=less_now(kept, retained),
        given_back=given_back(closed, before, facts),
        waiting=less_waiting(closed, facts),
    )


def left(snapshot: Snapshot, returns: Returns, back: Back) -> Snapshot:
    """The facts with less sold, without the lines that came back whole, and less told."""
    lines = snapshot.lines
    volumes = {code: figures.copy() for code, figures in lines.volumes.items()}
    for code, figures in returns.volumes.items():
        np.add.at(volumes[code], returns.line, figures)
    told = {name: added([snapshot.state[name], less], name) for name, less in returns.told.items()}
    return replace(
        snapshot,
        lines=replace(lines, volumes=volumes).kept(~back.gone),
        state={**snapshot.state, **told},
    )


def own_lines(closed: Closed, before: Facts) -> dict[str, Paid]:
    """By bonus what the period's own items brought, in whole amounts: the instalments of a line
    together, and without what fell due of earlier periods."""
    own: dict[str, Paid] = {}

    def note(bonus: Bonus, facts: Facts, earlier: Earlier) -> Paid:
        booked = closed.lines_of(bonus)
        in_parts = bonus.instalments > 1 or is_waiting(bonus, facts)
        own[bonus.code] = earn(bonus, facts, earlier) if in_parts else booked
        return booked

    pay(closed.plan.triggered_by(PERIOD_CLOSE), before, closed.plan.limits, note)
    return own


def what_is_left(
    bonus: Bonus, own: Paid, back: Back, rule: Reversal, facts: Facts, earlier: Earlier
) -> Paid:
    """The bonus's lines on what is left of the sales; what goes on waiting goes into the state.

    Each instalment, and what is held, is less in proportion: by what came back of an order line, or
    by what the whole amount is less now.
    """
    if stands(bonus, rule):
        back = back.nothing()
    worked = earn(bonus, facts, earlier) if is_worked_out(bonus, own, rule) else None
    now = in_step(own, back, facts.plan.money)
    if worked is not None:
        now = with_lines_of(now, worked)
    held = worked.held if worked else None
    now.held[:] = [
        replace(block, amount=kept(block.amount))
        for block, kept in left_of(own.held, held, back, facts.plan.money)
    ]
    if bonus.instalments > 1:
        whole = worked.ledger if worked else None
        parts = left_of(own.ledger, whole, back, facts.plan.money)
        now.ledger[:] = [split(bonus, block, facts, kept) for block, kept in parts]
    let_wait(bonus, now, facts)
    return now


def is_worked_out(bonus: Bonus, own: Paid, rule: Reversal) -> bool:
    """Whether it has lines that no order line undoes and that may become less, or has legs, or a
    pool that waits for somebody."""
    pays = bonus.pays
    if isinstance(pays, PaysPairs) or (isinstance(pays, PaysPool) and pays.if_nobody == "carry"):
        return True
    kind = isinstance(pays, PaysPool) or isinstance(bonus.base, OfMetric | OfCommissions)
    blocks = (*own.ledger, *own.retained, *own.held)
    return kind and not stands(bonus, rule) and any((block.line < 0).any() for block in blocks)


def stands(bonus: Bonus, rule: Reversal) -> bool:
    return isinstance(bonus.base, OfCommissions) and not rule.derived


def less_waiting(closed: Closed, facts: Facts) -> State:
    """What is handed on now of money that waits, where it is less than was handed on."""
    then, now = closed.result.state, carried_on(facts)
    found: dict[str, Int64s] = {}
    for name, figures in then.items():
        if name.startswith(WAITING):
            left = np.minimum(figures, now.get(name, np.zeros_like(figures)))
            if (left < figures).any():
                found[name] = left
    return found


def less_told(handed_on: State, told: State) -> dict[str, Int64s]:
    """By how much a period was told more than what it would be handed on now; negative.

    July hands on 70.00 now; August was told 100.00, and so -30.00.
    """
    found: dict[str, Int64s] = {}
    for name, figures in handed_on.items():
        less = np.minimum(figures - told.get(name, 0), 0)
        if less.any():
            found[name] = less
    return found


# What limits give back, and legs


def within_losses(
    closed: Closed, rows: Rows, undone: Int64s, ledger: Sequence[Block], paid: State
) -> None:
    """Holds what a limit gives back to what each member loses by its bonuses, and did not get back
    from limits before it."""
    programmes, size = closed.plan.programmes, len(closed.snapshot.members)
    gained: dict[str, Int64s] = {}
    for limit in cutting(closed.plan):
        lost = np.zeros(size, np.int64)
        for code in limit.bonuses:
            place = programmes.index(closed.plan.bonus(code))
            for blocks, sign in ((closed.result.ledger, 1), (ledger, -1)):
                lost += sign * by_member([b for b in blocks if b.bonus == place], size)
            lost -= paid.get(f"paid.{code}", 0)
        for other in cutting(closed.plan):
            if other.code in gained and set(other.bonuses) & set(limit.bonuses):
                lost -= gained[other.code]
        mine = np.flatnonzero((rows.bonus == programmes.index(limit)) & (undone > 0))
        earner = rows.earner[mine]
        undone[mine] = np.minimum(undone[mine], np.maximum(lost[earner], 0))
        gained[limit.code] = np.zeros(size, np.int64)
        np.add.at(gained[limit.code], earner, undone[mine])


def cutting(plan: Plan) -> list[Limit]:
    return [limit for limit in plan.limits if limit.enforcement != "refuse"]


def given_back(closed: Closed, before: Facts, facts: Facts) -> State:
    """What pairs took out of the legs, by matching or flushing, and would not have taken."""
    found: dict[str, Int64s] = {}
    for bonus in closed.plan.triggered_by(PERIOD_CLOSE):
        if not isinstance(bonus.pays, PaysPairs):
            continue
        then, now = pairs.legs_before(bonus, before), pairs.legs_before(bonus, facts)
        for side in ("left", "right"):
            name = pairs.name(bonus, side)
            took = getattr(then, side) - closed.result.state[name]
            takes = getattr(now, side) - facts.state_out[name]
            found[name] = took - takes
    return found


# One period's undoing


def due_now(
    plan: Plan, rows: Rows, undone: Int64s, so_far: Int64s, carried: State, members: int
) -> tuple[Int64s, dict[str, Int64s]]:
    """What the open period undoes of each of the rows, and by how much held amounts are less.

    `plan`: of the closed period. `undone`: all in all, `so_far`: before. `carried`: what is carried
    into the open period, of whose members the rows' earners are places: of `limit.<code>` a cut is
    given back.
    """
    amount, held = more(undone, so_far), dict[str, Int64s]()
    for limit in cutting(plan):
        if limit.overflow == "held":
            name = f"limit.{limit.code}"
            mine = np.flatnonzero((rows.bonus == plan.programmes.index(limit)) & (amount > 0))
            waits = carried.get(name, np.zeros(members, np.int64))
            amount[mine] = np.minimum(amount[mine], waits[rows.earner[mine]])
            held[name] = np.zeros(members, np.int64)
            np.add.at(held[name], rows.earner[mine], -amount[mine])
    return amount, held
