"""What refunds undo of lines without an order: the periods of their orders, worked out again.

A period that may still lose orders is carried on with all it went by (`ClosedPeriod`), so it can be
worked out again by the same code, also in a later run:

    July    a pool of 10 % of 1,000.00 for two      line 7  Asha  50.00     line 8  Bela  50.00
    August  refund of 300.00, no other of July      Asha -15.00, reverses line 7; Bela the same

`engine.restatement` says how much. A line names the refund where one alone came back of its period.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from commissions.engine.money import by_member
from commissions.engine.plan import PAYMENT, Plan
from commissions.engine.restatement import (
    Closed,
    Restated,
    Returns,
    due_now,
    in_window,
    is_concerned,
    lines_in_step,
    more,
    restate,
    rows_of,
    totals,
)
from commissions.engine.result import Block, Result
from commissions.engine.rounding import Int64s
from commissions.engine.snapshot import Snapshot
from commissions.simulation.company import (
    Carried,
    ClosedPeriod,
    Company,
    LedgerLine,
    OrderLine,
    Refund,
)
from commissions.simulation.facts import Moment, columns, moment

Late = Sequence[tuple[Refund, OrderLine]]
Work = Callable[[Snapshot, Plan], tuple[Result | None, Result, Snapshot]]
"""What is paid at payment and at the close on a snapshot, and the snapshot the close knew."""


@dataclass(frozen=True, slots=True)
class Reversed:
    """A ledger line that undoes one of an earlier period; of the refund that alone caused it."""

    line: LedgerLine
    undoes: LedgerLine
    refund: Refund | None


@dataclass(frozen=True, slots=True)
class Again:
    """A closed period worked out again as it was."""

    here: Moment
    closed: Closed
    payment: Result | None

    @property
    def earlier_rows(self) -> tuple[int, int]:
        """How many lines are numbered before the close's ledger, and before what it keeps."""
        paid = () if self.payment is None else (self.payment.ledger, self.payment.retained)
        counts = [sum(map(len, blocks)) for blocks in (*paid, self.closed.result.ledger)]
        return (0, counts[0]) if self.payment is None else (counts[0], sum(counts))


def undo_sums(
    company: Company, late: Late, carried: Carried, work: Work
) -> tuple[list[Reversed], Carried]:
    """The reversing lines in the order of the periods, and what is carried with corrected figures
    and with what the closed periods have now lost."""
    found: list[Reversed] = []
    closed_periods: list[ClosedPeriod] = []
    for one in carried.closed:
        new = [refund for refund, sale in late if one.has(sale)]
        if new:
            again = work_again(company, one, carried, work)
            lines, one, carried = undo_of(again, one, new, carried, company.plan)
            found += lines
        closed_periods.append(one)
    return found, replace(carried, closed=closed_periods)


def work_again(company: Company, one: ClosedPeriod, carried: Carried, work: Work) -> Again:
    then = Carried(figures=one.figures, title=one.title, highest=one.highest)
    sold = [sale for sale in carried.sold.values() if one.has(sale)]
    late = [(refund, carried.sold[refund.of]) for refund in one.refunds]
    here = moment(company, one.period, then, sold, late)
    payment, close, snapshot = work(here.snapshot, company.plan)
    return Again(here, Closed(snapshot, company.plan, close), payment)


def undo_of(
    again: Again, one: ClosedPeriod, new: Sequence[Refund], carried: Carried, plan: Plan
) -> tuple[list[Reversed], ClosedPeriod, Carried]:
    """What the period's new refunds undo, the period as it is carried on, and what is carried."""
    before = restated(again, one.returns, plan)
    now = restated(again, (*one.returns, *new), plan)
    rows, kept = rows_of(again.closed.result.ledger), rows_of(again.closed.result.retained)
    first, first_kept = (one.first_number + count for count in again.earlier_rows)
    number, number_kept = first + rows.place, first_kept + kept.place
    names, size = again.here.names, len(again.here.names)
    held = {
        name: np.array([figures.get(who, 0) for who in names], np.int64)
        for name, figures in carried.figures.items()
    }
    amount, change = due_now(plan, rows, now.undone, so_far(one, number), held, size)
    amount_kept = more(now.retained, so_far(one, number_kept))
    for name, given in now.given_back.items():
        change[name] = given - before.given_back.get(name, 0)
    lines = [
        *reversing(again, again.closed.result.ledger, number, amount, new),
        *reversing(again, again.closed.result.retained, number_kept, amount_kept, new),
    ]
    undone = dict(one.undone)
    for entry in lines:
        undone[entry.undoes.number] = undone.get(entry.undoes.number, 0) + entry.line.amount
    one = replace(one, returns=(*one.returns, *new), undone=undone)
    return lines, one, replace(carried, figures=added(carried.figures, change, names))


def so_far(one: ClosedPeriod, numbers: Int64s) -> Int64s:
    return np.array([one.undone.get(number, 0) for number in numbers.tolist()], np.int64)


def added(
    figures: Mapping[str, Mapping[str, int]], change: Mapping[str, Int64s], names: Iterable[str]
) -> dict[str, dict[str, int]]:
    """The carried figures with a change of some names by person."""
    found = {name: dict(known) for name, known in figures.items()}
    for name, amounts in change.items():
        known = found.setdefault(name, {})
        for who, amount in zip(names, amounts.tolist(), strict=True):
            known[who] = known.get(who, 0) + amount
    return found


def restated(again: Again, refunds: Sequence[Refund], plan: Plan) -> Restated:
    lines = again.here.lines
    place = {line.key: at for at, line in enumerate(lines)}
    back = [refund for refund in refunds if lines[place[refund.of]].whole > 0]
    sales = [lines[place[refund.of]] for refund in back]
    pairs = list(zip(back, sales, strict=True))
    figures = columns(plan, [sale.back(refund) for refund, sale in pairs], again.here.index)
    returns = Returns(
        line=np.array([place[refund.of] for refund in back], np.int32),
        quantity=np.array([sale.whole for sale in sales], np.int64),
        returned=np.array([sale.part(refund) for refund, sale in pairs], np.int64),
        days=np.array([refund.day - sale.day for refund, sale in pairs], np.int64),
        volumes={code: np.array(each, np.int64) for code, each in figures["volumes"].items()},
    )
    returns = replace(returns, paid=undone_at_payment(again, returns, plan))
    return restate(again.closed, returns, plan.reversal)


def undone_at_payment(again: Again, returns: Returns, plan: Plan) -> dict[str, Int64s]:
    """By `paid.<bonus>` and member what these refunds undo of what was paid at payment."""
    if again.payment is None or plan.reversal.commissions == "none":
        return {}
    paid = replace(again.closed, result=again.payment)
    counted = returns.kept(in_window(returns, plan.reversal))
    sold, back = totals(paid.snapshot.lines, counted, plan.reversal)
    size, found = len(again.here.names), {}
    for bonus in plan.triggered_by(PAYMENT):
        place = plan.programmes.index(bonus)
        left = lines_in_step(paid, bonus, (sold, back, sold < 0), plan.reversal).ledger
        was = [block for block in again.payment.ledger if block.bonus == place]
        found[f"paid.{bonus.code}"] = by_member(left, size) - by_member(was, size)
    return found


def reversing(
    again: Again,
    blocks: Sequence[Block],
    numbers: Int64s,
    amounts: Int64s,
    new: Sequence[Refund],
) -> Iterator[Reversed]:
    """One line a row of which something is undone; they are numbered later."""
    rows, names = rows_of(blocks), (*again.here.names, "")
    for at in np.flatnonzero(amounts).tolist():
        undoes = LedgerLine(
            number=int(numbers[at]),
            earner=names[int(rows.earner[at])],
            source=names[int(rows.source[at])],
            bonus=again.closed.plan.programmes[int(rows.bonus[at])].code,
            level=int(rows.level[at]),
            order="",
            line="",
            amount=int(rows.amount[at]),
        )
        line = replace(undoes, amount=int(amounts[at]))
        yield Reversed(line, undoes, new[0] if len(new) == 1 else None)


def kept_on(closed: Iterable[ClosedPeriod], plan: Plan, last: int) -> list[ClosedPeriod]:
    """Those that a refund in a later period may still take something from."""
    window = plan.reversal.window_days
    if not is_concerned(plan) or plan.reversal.commissions == "none":
        return []
    return [one for one in closed if window is None or last - one.period.ends_on < window]
