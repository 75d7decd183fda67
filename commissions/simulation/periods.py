"""Period after period, each with what the one before carried out.

In a period stand the orders dated in it, less what came back of them in it. Bonuses that are final
at payment are worked out first, on the period's lines together; then comes the close. A refund of
an order of an earlier period lowers the figures of its own period, and undoes the ledger lines that
the order has earned, match and all, by lineage and in proportion (`engine.reversal`):

    July    s1  500.00 CV                 Asha 10 %     50.00
    August  r1  refund of s1, 250.00      Asha         -25.00, reverses line 1

What is undone comes off the wallet as well. For lines without an order (a match of somebody's sum,
pairs, pools) their period is worked out again (`sums`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from commissions.engine.calculate import calculate
from commissions.engine.money import by_member
from commissions.engine.payout import WALLET
from commissions.engine.plan import PAYMENT, Plan
from commissions.engine.result import Block, Result
from commissions.engine.reversal import Refunded, reverse
from commissions.engine.snapshot import Snapshot
from commissions.simulation.calendar import Calendar, Period, periods
from commissions.simulation.company import (
    Carried,
    ClosedPeriod,
    Company,
    LedgerLine,
    OrderLine,
    Refund,
)
from commissions.simulation.facts import Moment, moment
from commissions.simulation.sums import Reversed, kept_on, undo_sums

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A period: what went in, what came out. Lines of the ledger have numbers from `first_number`
    on, then those of what the company keeps, then `reversed`. `brought`: the wallets before;
    `refunds`: those of orders of earlier periods."""

    moment: Moment
    payment: Result | None
    close: Result
    reversed: tuple[Reversed, ...]
    first_number: int
    brought: Mapping[str, int]
    refunds: tuple[tuple[Refund, OrderLine], ...]

    @property
    def results(self) -> tuple[Result, ...]:
        return (self.close,) if self.payment is None else (self.payment, self.close)

    @property
    def ledger(self) -> tuple[Block, ...]:
        return tuple(block for result in self.results for block in result.ledger)

    @property
    def retained(self) -> tuple[Block, ...]:
        return tuple(block for result in self.results for block in result.retained)

    @property
    def held(self) -> tuple[Block, ...]:
        return tuple(block for result in self.results for block in result.held)


def run(
    company: Company, calendar: Calendar = "month", until: int | None = None
) -> tuple[list[Outcome], Carried]:
    """Every period from the first order (or the end of the state) to the last order, or `until`;
    and what the last one carries out."""
    carried, outcomes = company.carried, []
    for period in periods(calendar, *span(company, until)):
        outcome, carried = run_period(company, period, carried)
        outcomes.append(outcome)
    return outcomes, carried


def span(company: Company, until: int | None) -> tuple[int, int]:
    """The first and the last day on which anything happens."""
    days = [line.day for line in company.lines] + [refund.day for refund in company.refunds]
    if not days:
        days = [max((person.joined or 0) for person in company.distributors.values())]
    last = company.carried.last_day
    first = min(days) if last is None else last + 1
    return first, max(first, *days, until or 0)


def run_period(company: Company, period: Period, carried: Carried) -> tuple[Outcome, Carried]:
    plan = company.plan
    refunds = [
        refund for refund in company.refunds if period.starts_on <= refund.day <= period.ends_on
    ]
    lines = sold_in(company.lines, refunds, period)
    late = [(refund, carried.sold[refund.of]) for refund in refunds if refund.of in carried.sold]
    first = 1 + carried.last_number
    undone, brought = undo(late, carried, plan), carried.figures.get(WALLET, {})
    of_sums, carried = undo_sums(company, late, carried, results)
    undone += of_sums
    before = replace(carried, figures={**carried.figures, WALLET: less_undone(brought, undone)})
    here = moment(company, period, before, lines, late)
    payment, close, _ = results(here.snapshot, plan)
    outcome = Outcome(here, payment, close, (), first, brought, tuple(late))
    booked = lineage(outcome, plan)
    numbered = number(undone, 1 + max((line.number for line in booked), default=first - 1))
    outcome = replace(outcome, reversed=tuple(numbered))
    told = (before.figures, before.title, before.highest)
    closed = ClosedPeriod(period, first, *told, tuple(refund for refund, _ in late))
    carried = replace(carried, closed=[*carried.closed, closed])
    orders = bought(company, period, carried)
    return outcome, replace(carry(outcome, carried, plan, booked), bought=orders)


def bought(company: Company, period: Period, carried: Carried) -> dict[str, int]:
    """How many orders each buyer has made by the end of the period."""
    made = {
        (line.buyer, line.order)
        for line in company.lines
        if period.starts_on <= line.day <= period.ends_on
    }
    so_far = dict(carried.bought)
    for buyer, _ in sorted(made):
        so_far[buyer] = so_far.get(buyer, 0) + 1
    return so_far


def sold_in(
    lines: Iterable[OrderLine], refunds: Iterable[Refund], period: Period
) -> list[OrderLine]:
    """The period's lines without what came back of them in it; none that came back whole."""
    left = {line.key: line for line in lines if period.starts_on <= line.day <= period.ends_on}
    for refund in refunds:
        if refund.of in left:
            left[refund.of] = left[refund.of].less(refund)
            if not any(left[refund.of].volumes.values()):
                del left[refund.of]
    return list(left.values())


def results(snapshot: Snapshot, plan: Plan) -> tuple[Result | None, Result, Snapshot]:
    """What is final at payment, and the close, which is told what that came to, on which facts."""
    if not plan.triggered_by(PAYMENT):
        return None, calculate(snapshot, plan), snapshot
    payment = calculate(snapshot, plan, PAYMENT)
    paid = {
        f"paid.{bonus.code}": by_member(
            [block for block in payment.ledger if plan.programmes[block.bonus] is bonus],
            len(snapshot.members),
        )
        for bonus in plan.triggered_by(PAYMENT)
    }
    told = replace(snapshot, state={**snapshot.state, **paid})
    return payment, calculate(told, plan), told


# Refunds of earlier periods


def undo(late: Sequence[tuple[Refund, OrderLine]], carried: Carried, plan: Plan) -> list[Reversed]:
    """The reversing lines of refunds, in the order of the refunds, without those of nothing."""
    returned, pairs, parts = dict(carried.returned), [], []
    by_sale: dict[Key, list[LedgerLine]] = {}
    for line in carried.ledger:
        by_sale.setdefault((line.order, line.line), []).append(line)
    for refund, sale in late:
        before = returned.get(sale.key, 0)
        returned[sale.key] = before + sale.part(refund)
        for line in by_sale.get(sale.key, ()):
            if sale.whole > 0:
                pairs.append((refund, line))
                parts.append((sale.whole, before, returned[sale.key], refund.day - sale.day))
    codes = [programme.code for programme in plan.programmes]
    whole, before_, after, days = np.array(parts, np.int64).reshape(-1, 4).T
    refunded = Refunded(
        amount=np.array([line.amount for _, line in pairs], np.int64),
        quantity=whole,
        before=before_,
        after=after,
        days=days,
        bonus=np.array([codes.index(line.bonus) for _, line in pairs], np.int64),
    )
    return [
        Reversed(replace(line, amount=int(amount)), line, refund)
        for (refund, line), amount in zip(pairs, reverse(refunded, plan), strict=True)
        if amount
    ]


def less_undone(brought: Mapping[str, int], undone: Iterable[Reversed]) -> dict[str, int]:
    """The wallets after the reversals; what is below zero is set off against what comes."""
    wallet = dict(brought)
    for entry in undone:
        if entry.line.earner:
            wallet[entry.line.earner] = wallet.get(entry.line.earner, 0) + entry.line.amount
    return wallet


def number(undone: Iterable[Reversed], first: int) -> Iterator[Reversed]:
    for count, entry in enumerate(undone, start=first):
        yield replace(entry, line=replace(entry.line, number=count))


# What goes on


def lineage(outcome: Outcome, plan: Plan) -> list[LedgerLine]:
    """Every line of the period as it is numbered: the ledger's, then what the company keeps."""
    names, lines = (*outcome.moment.names, ""), outcome.moment.lines
    found: list[LedgerLine] = []
    for block in (*outcome.ledger, *outcome.retained):
        code = plan.programmes[block.bonus].code
        for earner, source, place, amount in zip(
            block.earner.tolist(),
            block.source.tolist(),
            block.line.tolist(),
            block.amount.tolist(),
            strict=True,
        ):
            order, line = lines[place].key if place >= 0 else ("", "")
            count = outcome.first_number + len(found)
            found.append(
                LedgerLine(
                    count, names[earner], names[source], code, block.level, order, line, amount
                )
            )
    return found


def carry(outcome: Outcome, carried: Carried, plan: Plan, booked: Sequence[LedgerLine]) -> Carried:
    """What the next period is told."""
    here, last = outcome.moment, outcome.moment.period.ends_on
    ranks = outcome.close.standings.ranks if outcome.close.standings else {}
    sold = {**carried.sold, **{line.key: line for line in here.lines}}
    returned = dict(carried.returned)
    for refund, sale in outcome.refunds:
        returned[sale.key] = returned.get(sale.key, 0) + sale.part(refund)
    numbers = (*(line.number for line in booked), *(one.line.number for one in outcome.reversed))
    return Carried(
        figures={
            name: dict(zip(here.names, figures.tolist(), strict=True))
            for name, figures in outcome.close.state.items()
        },
        title={
            code: dict(zip(here.names, known.title.tolist(), strict=True))
            for code, known in ranks.items()
        },
        highest={
            code: dict(zip(here.names, known.highest.tolist(), strict=True))
            for code, known in ranks.items()
        },
        sold=sold,
        returned=returned,
        ledger=[line for line in (*carried.ledger, *booked) if reversible(line, sold, plan, last)],
        closed=kept_on(carried.closed, plan, last),
        last_day=last,
        last_number=max(numbers, default=outcome.first_number - 1),
    )


def reversible(line: LedgerLine, sold: Mapping[Key, OrderLine], plan: Plan, last: int) -> bool:
    """Whether a refund in a later period may still undo the line."""
    sale, window = sold.get((line.order, line.line)), plan.reversal.window_days
    return sale is not None and (window is None or last - sale.day < window)
