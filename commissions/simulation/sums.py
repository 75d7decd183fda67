"""What refunds undo of lines without an order: the periods of their orders, worked out again.

A period that may still lose orders is carried on with all it went by (`ClosedPeriod`), so it can be
worked out again by the same code, also in a later run:

    July    a pool of 10 % of 1,000.00 for two      line 7  Asha  50.00     line 8  Bela  50.00
    August  refund of 300.00, no other of July      Asha -15.00, reverses line 7; Bela the same

Where that leaves less of what a period handed on (instalments to come, what is held), the next one
is worked out again with what it would be told now, and so on: what it paid of it is undone there,
and what still waits is less in the period under way.

`engine.restatement` says how much. A line names the refund where one alone may have caused it.
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
    due_now,
    is_concerned,
    less_told,
    restate,
    stands,
)
from commissions.engine.result import Block, Result
from commissions.engine.returned import Returns, in_step, in_window, returned
from commissions.engine.rounding import Int64s
from commissions.engine.rows import more, rows_of
from commissions.engine.snapshot import Snapshot
from commissions.simulation.company import (
    Carried,
    ClosedPeriod,
    Company,
    LedgerLine,
    OrderLine,
    Refund,
)
from commissions.simulation.facts import Moment, moment, volumes

Late = Sequence[tuple[Refund, OrderLine]]
Figures = Mapping[str, Mapping[str, int]]
"""By name of the state and of the person."""
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
    and with what the closed periods have now lost.

    Where a period hands on less now, the next one is worked out again as well, up to this one.
    """
    found: list[Reversed] = []
    closed_periods: list[ClosedPeriod] = []
    handed_on: Figures = {}
    causes: list[Refund] = []
    for one in carried.closed:
        new = [refund for refund, sale in late if one.has(sale)]
        less = less_by_name(handed_on, one.figures) or one.less
        is_less, handed_on = less != one.less, {}
        if new or is_less:
            again = work_again(company, one, carried, work)
            causes = [*(causes if is_less else ()), *new]
            one = replace(one, less=less, returns=(*one.returns, *new))
            lines, one, carried, handed_on = undo_of(again, one, new, causes, carried)
            found += lines
        closed_periods.append(one)
    figures = added(carried.figures, less_by_name(handed_on, carried.figures))
    return found, replace(carried, closed=closed_periods, figures=figures)


def less_by_name(handed_on: Figures, told: Figures) -> dict[str, dict[str, int]]:
    """By how much what a period was told is less now, people without any left out."""
    found: dict[str, dict[str, int]] = {}
    for name, figures in handed_on.items():
        before = np.array([told.get(name, {}).get(who, 0) for who in figures], np.int64)
        now = np.array(list(figures.values()), np.int64)
        for less in less_told({name: now}, {name: before}).values():
            known = zip(figures, less.tolist(), strict=True)
            found[name] = {who: amount for who, amount in known if amount}
    return found


def work_again(company: Company, one: ClosedPeriod, carried: Carried, work: Work) -> Again:
    then = Carried(figures=one.figures, title=one.title, highest=one.highest)
    sold = [sale for sale in carried.sold.values() if one.has(sale)]
    late = [(refund, carried.sold[refund.of]) for refund in one.refunds]
    here = moment(company, one.period, then, sold, late)
    payment, close, snapshot = work(here.snapshot, company.plan)
    return Again(here, Closed(snapshot, company.plan, close), payment)


def undo_of(
    again: Again,
    one: ClosedPeriod,
    new: Sequence[Refund],
    causes: Sequence[Refund],
    carried: Carried,
) -> tuple[list[Reversed], ClosedPeriod, Carried, Figures]:
    """What is undone of a period because of its new refunds and of those before it (`causes`), the
    period as it is carried on, what is carried, and what the period would hand on now."""
    plan, names = again.closed.plan, again.here.names
    now = restated(again, one.returns, one.less, plan)
    rows, kept = rows_of(again.closed.result.ledger), rows_of(again.closed.result.retained)
    first, first_kept = (one.first_number + count for count in again.earlier_rows)
    number, number_kept = first + rows.place, first_kept + kept.place
    held = columns_of(carried.figures, names)
    amount, change = due_now(plan, rows, now.undone, so_far(one, number), held, len(names))
    amount_kept = more(now.retained, so_far(one, number_kept))
    if now.given_back:
        earlier = restated(again, one.returns[: len(one.returns) - len(new)], one.less, plan)
        for name, given in now.given_back.items():
            change[name] = given - earlier.given_back.get(name, 0)
    lines = [
        *reversing(again, again.closed.result.ledger, number, amount, causes),
        *reversing(again, again.closed.result.retained, number_kept, amount_kept, causes),
    ]
    undone = dict(one.undone)
    for entry in lines:
        undone[entry.undoes.number] = undone.get(entry.undoes.number, 0) + entry.line.amount
    figures = added(carried.figures, named(change, names))
    one, carried = replace(one, undone=undone), replace(carried, figures=figures)
    return lines, one, carried, named(now.waiting, names)


def columns_of(figures: Figures, names: Sequence[str]) -> dict[str, Int64s]:
    """Figures by name of person as one entry a member."""
    return {
        name: np.array([known.get(who, 0) for who in names], np.int64)
        for name, known in figures.items()
    }


def named(columns: Mapping[str, Int64s], names: Sequence[str]) -> dict[str, dict[str, int]]:
    return {
        name: dict(zip(names, figures.tolist(), strict=True)) for name, figures in columns.items()
    }


def so_far(one: ClosedPeriod, numbers: Int64s) -> Int64s:
    return np.array([one.undone.get(number, 0) for number in numbers.tolist()], np.int64)


def added(figures: Figures, change: Figures) -> dict[str, dict[str, int]]:
    """The carried figures with a change of some names by person."""
    found = {name: dict(known) for name, known in figures.items()}
    for name, amounts in change.items():
        known = found.setdefault(name, {})
        for who, amount in amounts.items():
            known[who] = known.get(who, 0) + amount
    return found


def restated(again: Again, refunds: Sequence[Refund], less: Figures, plan: Plan) -> Restated:
    lines = again.here.lines
    place = {line.key: at for at, line in enumerate(lines)}
    back = [refund for refund in refunds if lines[place[refund.of]].whole > 0]
    sales = [lines[place[refund.of]] for refund in back]
    pairs = list(zip(back, sales, strict=True))
    figures = volumes(plan, [sale.back(refund) for refund, sale in pairs])
    returns = Returns(
        line=np.array([place[refund.of] for refund in back], np.int32),
        quantity=np.array([sale.whole for sale in sales], np.int64),
        returned=np.array([sale.part(refund) for refund, sale in pairs], np.int64),
        days=np.array([refund.day - sale.day for refund, sale in pairs], np.int64),
        volumes={code: np.array(each, np.int64) for code, each in figures.items()},
    )
    told = undone_at_payment(again, returns, plan) | columns_of(less, again.here.names)
    return restate(again.closed, replace(returns, told=told), plan.reversal)


def undone_at_payment(again: Again, returns: Returns, plan: Plan) -> dict[str, Int64s]:
    """By `paid.<bonus>` and member what these refunds undo of what was paid at payment."""
    if again.payment is None or plan.reversal.commissions == "none":
        return {}
    paid = replace(again.closed, result=again.payment)
    counted = returns.kept(in_window(returns, plan.reversal))
    back = returned(paid.snapshot.lines, counted, plan.reversal)
    size, found = len(again.here.names), {}
    for bonus in plan.triggered_by(PAYMENT):
        was = paid.lines_of(bonus)
        left = was if stands(bonus, plan.reversal) else in_step(was, back, plan.money)
        less = by_member(left.ledger, size) - by_member(was.ledger, size)
        if less.any():
            found[f"paid.{bonus.code}"] = less
    return found


def reversing(
    again: Again,
    blocks: Sequence[Block],
    numbers: Int64s,
    amounts: Int64s,
    causes: Sequence[Refund],
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
        yield Reversed(line, undoes, causes[0] if len(causes) == 1 else None)


def kept_on(closed: Iterable[ClosedPeriod], plan: Plan, last: int) -> list[ClosedPeriod]:
    """Those that a refund in a later period may still take something from."""
    window = plan.reversal.window_days
    if not is_concerned(plan) or plan.reversal.commissions == "none":
        return []
    return [one for one in closed if window is None or last - one.period.ends_on < window]
