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

Pairs have taken volume out of the legs that now was never matched, and the refund takes it out of
them once more, in its own period. So what they took too much goes back into the legs:

    July    legs 200.00, 500.00: matched 200.00, at 10 % 20.00; carried 0, 300.00
    August  100.00 of the left leg come back: 10.00 undone, and 100.00 go back into either leg
            legs 0 - 100.00 + 100.00 = 0, and 300.00 + 100.00 = 400.00, as if sold never
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from commissions.engine import pairs
from commissions.engine.awards import Earlier
from commissions.engine.calculate import pay, pay_bonus
from commissions.engine.errors import SnapshotError
from commissions.engine.facts import Facts
from commissions.engine.money import Paid, by_member
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
from commissions.engine.rounding import Int64s, added, proportion
from commissions.engine.snapshot import Lines, Snapshot, State
from commissions.engine.trees import Pointers


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed period: what it knew, by which plan it was paid, what came out."""

    snapshot: Snapshot
    plan: Plan
    result: Result


@dataclass(frozen=True, slots=True)
class Returns:
    """All that has come back of a closed period's lines since it ended, one entry a refund.

    `line`: place in its snapshot's lines. `quantity`: what the line stood for at the close, and
    `returned`: of which this came back, in one unit. `days`: from the sale. `volumes`: the line's
    figures that came back, negative. `paid`: what has been undone of `paid.<bonus>`, negative, by
    member.
    """

    line: Pointers
    quantity: Int64s
    returned: Int64s
    days: NDArray[np.signedinteger]
    volumes: Mapping[str, Int64s]
    paid: State = field(default_factory=dict)

    def kept(self, keep: NDArray[np.bool_]) -> Returns:
        return Returns(
            line=self.line[keep],
            quantity=self.quantity[keep],
            returned=self.returned[keep],
            days=self.days[keep],
            volumes={code: figures[keep] for code, figures in self.volumes.items()},
            paid=self.paid,
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """The lines of a close that have no order line, in their order; Block's columns and bonus."""

    place: NDArray[np.int64]
    bonus: NDArray[np.int64]
    level: NDArray[np.int64]
    earner: NDArray[np.int64]
    source: NDArray[np.int64]
    rank_level: NDArray[np.int64]
    amount: Int64s

    @property
    def keys(self) -> tuple[Int64s, Int64s]:
        """What makes a line the same line in both calculations."""
        what = (self.bonus << 32) | (self.level << 16) | self.rank_level
        return what, (self.earner << 32) | (self.source + 1)


@dataclass(frozen=True, slots=True)
class Restated:
    """`undone`: of each of the `Rows` all that refunds undo of it, opposite in sign. `retained`:
    the same of what the company keeps. `given_back`: by member what pairs took too much of legs."""

    undone: Int64s
    retained: Int64s
    given_back: State


def is_concerned(plan: Plan) -> bool:
    """Whether the plan can have lines that this module undoes."""
    bonuses = plan.triggered_by(PERIOD_CLOSE)
    cuts = any(limit.enforcement != "refuse" for limit in plan.limits)
    return cuts or any(on_sums(bonus) for bonus in bonuses)


def on_sums(bonus: Bonus) -> bool:
    if isinstance(bonus.base, OfCommissions):
        return bonus.base.per == "member"
    return isinstance(bonus.pays, PaysPairs | PaysPool) or isinstance(bonus.base, OfMetric)


def rows_of(blocks: Sequence[Block]) -> Rows:
    """The lines without an order line; `place` counts all lines of the blocks."""
    found: dict[str, list[NDArray[np.int64]]] = {name: [np.empty(0, np.int64)] for name in ROWS}
    first = 0
    for block in blocks:
        hit = np.flatnonzero(block.line < 0)
        found["place"].append(first + hit)
        for name in ("bonus", "level"):
            found[name].append(np.full(len(hit), getattr(block, name), np.int64))
        for name in ("earner", "source", "rank_level", "amount"):
            found[name].append(getattr(block, name)[hit].astype(np.int64))
        first += len(block)
    return Rows(**{name: np.concatenate(parts) for name, parts in found.items()})


ROWS = tuple(Rows.__dataclass_fields__)


def restate(closed: Closed, returns: Returns, rule: Reversal) -> Restated:
    """All that these refunds undo of the period's lines without an order line.

    `rule`: of the plan in force at the refund. Raises SnapshotError where more came back than was
    sold.
    """
    rows, kept = rows_of(closed.result.ledger), rows_of(closed.result.retained)
    counted = returns.kept(in_window(returns, rule))
    if rule.commissions == "none" or not (counted.line.size or returns.paid):
        return Restated(np.zeros_like(rows.amount), np.zeros_like(kept.amount), {})
    sold, back = totals(closed.snapshot.lines, counted, rule)
    gone = (back >= sold) & (sold > 0)
    before = Facts(closed.snapshot, closed.plan, closed.result.standings)
    facts = Facts(left(closed.snapshot, counted, gone), closed.plan, stood=before)
    bonuses = closed.plan.triggered_by(PERIOD_CLOSE)
    in_step = {
        bonus.code: lines_in_step(closed, bonus, (sold, back, gone), rule) for bonus in bonuses
    }

    def work(bonus: Bonus, facts: Facts, earlier: Earlier) -> Paid:
        stepped = in_step[bonus.code]
        if not is_worked_out(bonus, stepped, rule):
            return stepped
        return with_lines_of(stepped, pay_bonus(bonus, facts, earlier))

    paid = pay(bonuses, facts, closed.plan.limits, work)
    ledger = [block for one in paid.values() for block in one.ledger]
    undone = less_now(rows, rows_of(ledger))
    within_losses(closed, rows, undone, ledger, counted.paid)
    retained = rows_of([block for one in paid.values() for block in one.retained])
    return Restated(undone, less_now(kept, retained), given_back(closed, before, facts))


def in_window(returns: Returns, rule: Reversal) -> NDArray[np.bool_]:
    if rule.window_days is None:
        return np.ones(len(returns.line), np.bool_)
    inside: NDArray[np.bool_] = returns.days <= rule.window_days
    return inside


def is_worked_out(bonus: Bonus, stepped: Paid, rule: Reversal) -> bool:
    """Whether it has lines that no order line undoes and that may become less, or has legs."""
    if isinstance(bonus.pays, PaysPairs):
        return True
    kind = isinstance(bonus.pays, PaysPool) or isinstance(bonus.base, OfMetric | OfCommissions)
    blocks = (*stepped.ledger, *stepped.retained)
    return kind and not stands(bonus, rule) and any((block.line < 0).any() for block in blocks)


def with_lines_of(stepped: Paid, worked: Paid) -> Paid:
    """What was worked out, but lines of an order line as they are in step."""

    def both(mine: Sequence[Block], theirs: Sequence[Block]) -> list[Block]:
        lined = [block.kept(block.line >= 0) for block in mine]
        return lined + [block.kept(block.line < 0) for block in theirs]

    return Paid(both(stepped.ledger, worked.ledger), both(stepped.retained, worked.retained))


def stands(bonus: Bonus, rule: Reversal) -> bool:
    return isinstance(bonus.base, OfCommissions) and not rule.derived


# What is left of the period's lines


def totals(lines: Lines, returns: Returns, rule: Reversal) -> tuple[Int64s, Int64s]:
    """By line: what it stood for (0 where nothing came back) and how much of it came back."""
    sold, back = np.zeros((2, len(lines)), np.int64)
    sold[returns.line] = returns.quantity
    np.add.at(back, returns.line, returns.returned)
    if (back > sold).any():
        raise SnapshotError("more came back of an order line than was sold")
    return sold, np.where(back > 0, sold, 0) if rule.commissions == "full" else back


def left(snapshot: Snapshot, returns: Returns, gone: NDArray[np.bool_]) -> Snapshot:
    """The facts with less sold, without the lines that came back whole, and less paid before."""
    lines = snapshot.lines
    volumes = {code: figures.copy() for code, figures in lines.volumes.items()}
    for code, figures in returns.volumes.items():
        np.add.at(volumes[code], returns.line, figures)
    paid = {
        name: added([snapshot.state[name], undone], name) for name, undone in returns.paid.items()
    }
    return replace(
        snapshot,
        lines=replace(lines, volumes=volumes).kept(~gone),
        state={**snapshot.state, **paid},
    )


def lines_in_step(
    closed: Closed,
    bonus: Bonus,
    returned: tuple[Int64s, Int64s, NDArray[np.bool_]],
    rule: Reversal,
) -> Paid:
    """What is left of a bonus that is undone line by line, as lines of what is left of the sales.

    Its lines without an order line are instalments and held amounts of earlier periods: they stand.
    """
    sold, back, gone = returned
    place = closed.plan.programmes.index(bonus)
    places = np.append(np.where(gone, -1, np.cumsum(~gone) - 1), -1).astype(np.int32)
    share, whole = np.append(back, 0), np.append(sold, 0)

    def step(block: Block) -> Block:
        if not stands(bonus, rule):
            part, of = share[block.line], np.maximum(whole[block.line], 1)
            undone = proportion(block.amount, part, of, closed.plan.money.rounding)
            block = replace(block, amount=block.amount - undone)
        return replace(block, line=places[block.line])

    return Paid(
        [step(block) for block in closed.result.ledger if block.bonus == place],
        [step(block) for block in closed.result.retained if block.bonus == place],
    )


# What that leaves of each line


def less_now(rows: Rows, now: Rows) -> Int64s:
    """By how much each line is less now, opposite in sign. Lines with one key are filled in turn:
    of 30 and 20 are 40 left, so the second gives 10."""
    what, whose = (
        np.concatenate([one, other]) for one, other in zip(rows.keys, now.keys, strict=True)
    )
    order = np.lexsort((whose, what))
    new = np.append(True, (np.diff(what[order]) != 0) | (np.diff(whose[order]) != 0))
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(new[: len(order)]) - 1
    mine, theirs = group[: len(rows.amount)], group[len(rows.amount) :]
    left = np.zeros(int(new.sum()), np.int64)
    np.add.at(left, theirs, now.amount)
    sign, whole = np.sign(rows.amount), np.abs(rows.amount)
    over = running_before(mine, whole)
    kept = np.clip(sign * left[mine] - over, 0, whole)
    less: Int64s = sign * (kept - whole)
    return less


def running_before(group: Int64s, values: Int64s) -> Int64s:
    """For each entry the sum of those before it in its group."""
    order = np.argsort(group, kind="stable")
    running = np.cumsum(values[order]) - values[order]
    first = np.searchsorted(group[order], group[order], "left")
    before = np.empty_like(values)
    before[order] = running - running[first]
    return before


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


def more(undone: Int64s, so_far: Int64s) -> Int64s:
    """What goes beyond what was undone before; what is once undone stays undone."""
    further: Int64s = np.sign(undone) * np.maximum(np.abs(undone) - np.abs(so_far), 0)
    return further
