"""What past periods would have paid by another plan, worked out on the facts they were closed on.

    for worked in work_through(periods, plan):      # one Worked a period, in their order
        ...

Each period is calculated as its close calculates it: the same snapshot, its own sales at payment,
refunds undone by lineage, ranks and carried figures handed from one trial period to the next; what
came before the first is taken from the books. Limits count what was paid at payment as the close
counts it: less what refunds took back of it in the period. What refunds undo of lines without an
order line is worked out with the period they belong to (`trial_sums`). Sales from before the first
period were paid by the plan of their time, so what refunds undo of them is what they undid. The
plan that a period was paid by therefore gives exactly what was paid.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from commissions.engine import (
    PAYMENT,
    Closed,
    Plan,
    Refunded,
    Result,
    Snapshot,
    calculate,
    reverse,
)
from commissions.engine.money import by_member
from commissions.engine.snapshot import Lines
from commissions.models import CommissionPeriod
from commissions.services import facts
from commissions.services.arrays import Array, Lookup, read_columns
from commissions.services.attributes import next_change, read_attributes
from commissions.services.carried import NOT_KEPT
from commissions.services.figures import figures_of, ranks_seen
from commissions.services.opening import ONE_DAY
from commissions.services.trial_rewards import Given, given_in
from commissions.services.trial_sums import Sums

Int64s = NDArray[np.int64]
CLOSING, PAYING = 0, 1


@dataclass(frozen=True)
class Worked:
    """One period by the plan: people by id, what each would have earned, totals by bonus code;
    `given`: what it would have given besides."""

    period: CommissionPeriod
    ids: Int64s
    earned: Int64s
    rank: NDArray[np.int16]
    totals: dict[str, int]
    volume: int
    given: Given


@dataclass
class Memory:
    """What one trial period hands to the next, by id of the members it had."""

    ids: Int64s
    state: dict[str, Int64s]
    highest: dict[str, NDArray[np.int16]]
    title: dict[str, NDArray[np.int16]]


class OfOld(NamedTuple):
    """What a period took back of lines from before the trial: sums by earner and bonus."""

    earner: int
    code: str
    at_payment: bool
    amount: int


LINE_KINDS = {"entry": "i8", "earner": "i8", "bonus": "i8", "how": "i8", "amount": "i8"}
NO_LINES: dict[str, Int64s] = {name: np.empty(0, np.int64) for name in LINE_KINDS}


def work_through(periods: Sequence[CommissionPeriod], plan: Plan) -> Iterator[Worked]:
    """The periods one after the other. Raises EngineError and FactsRefused."""
    memory: Memory | None = None
    refunds, lines = read_refunds(), NO_LINES
    refunded = np.unique(refunds["sale"])
    sums = Sums(periods, plan)
    for period in periods:
        cut = facts.cut_of(period)
        snapshot = remembered(facts.read_snapshot(cut, plan), memory)
        snapshot, undone = sums.due(period, snapshot)
        paid = list(pay_by_spans(gross(snapshot, cut, plan), cut, plan))
        at_sale = [result for result, _ in paid]
        paying = joined(*(lines_of(result, sold, PAYING, refunded) for result, sold in paid))
        lines, of_old = joined(lines, paying), undone_of_old(period, periods)
        undone += [undo(period, refunds, lines, plan)]
        snapshot = with_paid(snapshot, at_sale, plan, undone[-1], of_old)
        closed = calculate(snapshot, plan)
        lines = joined(lines, lines_of(closed, snapshot, CLOSING, refunded))
        at_payment = {
            later.pk: undo(later, refunds, paying, plan) for later in sums.later_than(period)
        }
        sums.work_out(period, Closed(snapshot, plan, closed), refunds, at_payment)
        yield summed(period, snapshot, plan, [*at_sale, closed], undone, of_old)
        memory = handed_on(snapshot, closed)


def read_refunds() -> dict[str, Int64s]:
    """Everything that ever came back, in one reading.

    `own`: in the period of its sale. `before`: pieces of the sale that came back earlier, by entry.
    `own_returned`: those of the sale's own period. `later_before`: those after it and before this.
    """
    columns = read_columns(_REFUNDS, None, **_REFUND_KINDS)
    found = {name: column.astype(np.int64) for name, column in columns.items()}
    until = last_days()(found["sale_day"])
    found["own"] = (found["day"] <= until).astype(np.int64)
    own, pieces = found["own"], found["returned"]
    by_entry = np.lexsort((found["id"], found["sale"]))
    by_day = np.lexsort((found["id"], found["day"], found["sale"]))
    found["before"] = sums_before(found["sale"], pieces, by_entry)
    found["later_before"] = sums_before(found["sale"], pieces * (1 - own), by_day)
    _, place = np.unique(found["sale"], return_inverse=True)
    returned = np.zeros(place.max(initial=-1) + 1, np.int64)
    np.add.at(returned, place, pieces * own)
    found["own_returned"] = returned[place]
    return found


def last_days() -> Callable[[Int64s], Int64s]:
    """From days to the last day of the period that each lies in."""
    periods = CommissionPeriod.objects.order_by("starts_on").values_list("starts_on", "ends_on")
    days = [(facts.day_number(first), facts.day_number(last)) for first, last in periods]
    firsts, lasts = np.array(days, np.int64).reshape(-1, 2).T
    return lambda day: lasts[np.searchsorted(firsts, day, "right") - 1]


def sums_before(group: Int64s, values: Int64s, order: NDArray[np.intp]) -> Int64s:
    """For each entry the sum of the values before it in its group, in this order."""
    sorted_group, running = group[order], np.cumsum(values[order]) - values[order]
    first = np.searchsorted(sorted_group, sorted_group, "left")
    sums = np.empty(values.size, np.int64)
    sums[order] = running - running[first]
    return sums


_REFUND_KINDS = {
    "id": "i8", "sale": "i8", "day": "i4", "sale_day": "i4", "returned": "i8", "sold": "i8",
    "pv": "i8", "cv": "i8", "margin": "i8",
}  # fmt: skip
_REFUNDS = """
select r.id, r.reverses_id as sale, r.counts_on - date '1970-01-01' as day,
       s.counts_on - date '1970-01-01' as sale_day, ri.quantity as returned, i.quantity as sold,
       r.pv, r.cv, r.margin
from commerce_volumeentry r
join commerce_refunditem ri on ri.id = r.refund_item_id
join commerce_volumeentry s on s.id = r.reverses_id
join commerce_orderitem i on i.id = s.order_item_id
where r.kind = 'refund'
"""


def remembered(snapshot: Snapshot, memory: Memory | None) -> Snapshot:
    """The snapshot as if the trial's own period had gone before it."""
    if memory is None:
        return snapshot
    place = Lookup(memory.ids)(snapshot.members.id)
    known = place >= 0

    def moved(column: Array) -> Array:
        taken = np.zeros(place.size, column.dtype)
        taken[known] = column[place[known]]
        return taken

    members = replace(
        snapshot.members,
        highest={code: moved(levels) for code, levels in memory.highest.items()},
        title={code: moved(levels) for code, levels in memory.title.items()},
    )
    state = {name: moved(figures) for name, figures in memory.state.items()}
    return replace(snapshot, members=members, state=state)


def gross(snapshot: Snapshot, cut: facts.Cut, plan: Plan) -> Snapshot:
    """The period's sales as they were when they were paid, before anything came back."""
    sales = read_columns(facts.sales_query(plan), cut.params, **facts.VOLUME_KINDS)
    sales = {name: column[np.argsort(sales["id"], kind="stable")] for name, column in sales.items()}
    volumes = {code: sales[code] for code in snapshot.lines.volumes}
    none = {code: column[:0] for code, column in snapshot.lines.volumes.items()}
    refunds = snapshot.refunds
    nothing = Lines(refunds.id[:0], refunds.seller[:0], refunds.kind[:0], refunds.day[:0], none)
    return replace(
        snapshot, lines=replace(snapshot.lines, volumes=volumes), refunds=nothing, state={}
    )


def pay_by_spans(sold: Snapshot, cut: facts.Cut, plan: Plan) -> Iterator[tuple[Result, Snapshot]]:
    """What the sales paid at payment, with the snapshots: one for each span of days on which nobody
    comes to hold something else."""
    until = cut.ends_on + ONE_DAY
    first = cut.starts_on
    while first < until:
        turn = next_change(plan, after=first, known_at=cut.known_at)
        last = min(turn or until, until)
        days = sold.lines.day
        within = (days >= facts.day_number(first)) & (days < facts.day_number(last))
        held = (
            read_attributes(plan, Lookup(sold.members.id), on=first, known_at=cut.known_at)
            if last < until
            else {}
        )
        members = replace(sold.members, **held)
        then = replace(sold, members=members, lines=sold.lines.kept(within))
        yield calculate(then, plan, PAYMENT), then
        first = last


def with_paid(
    snapshot: Snapshot,
    paid: Sequence[Result],
    plan: Plan,
    undone: dict[str, Int64s],
    of_old: list[OfOld],
) -> Snapshot:
    """The snapshot that knows, for the limits, what bonuses paid at payment, less what the period's
    refunds took back of that: of its own sales, and of earlier ones (`undone`, `of_old`)."""
    state = {name: f for name, f in snapshot.state.items() if not name.startswith("paid.")}
    lookup, size = Lookup(snapshot.members.id), len(snapshot.members)
    blocks = [block for result in paid for block in result.ledger]
    for bonus in plan.triggered_by(PAYMENT):
        place = plan.programmes.index(bonus)
        figures = by_member([block for block in blocks if block.bonus == place], size)
        mine = undone["bonus"] == place
        np.add.at(figures, lookup(undone["earner"][mine]), undone["amount"][mine])
        old = [(o.earner, o.amount) for o in of_old if o.at_payment and o.code == bonus.code]
        earners, amounts = np.array(old, np.int64).reshape(-1, 2).T
        np.add.at(figures, lookup(earners), amounts)
        state[f"paid.{bonus.code}"] = figures
    return replace(snapshot, state=state)


def lines_of(result: Result, snapshot: Snapshot, how: int, refunded: Int64s) -> dict[str, Int64s]:
    """The ledger lines of sales of which something came back, now or later."""
    parts = [NO_LINES]
    for block in result.blocks():
        on_sales = np.flatnonzero(block.line >= 0)
        entry = snapshot.lines.id[block.line[on_sales]]
        taken = on_sales[np.isin(entry, refunded)]
        many = taken.size
        parts.append(
            {
                "entry": snapshot.lines.id[block.line[taken]],
                "earner": snapshot.members.id[block.earner[taken]],
                "bonus": np.full(many, block.bonus, np.int64),
                "how": np.full(many, how, np.int64),
                "amount": block.amount[taken],
            }
        )
    return joined(*parts)


def joined(*parts: dict[str, Int64s]) -> dict[str, Int64s]:
    return {name: np.concatenate([part[name] for part in parts]) for name in LINE_KINDS}


def undo(
    period: CommissionPeriod, refunds: dict[str, Int64s], lines: dict[str, Int64s], plan: Plan
) -> dict[str, Int64s]:
    """What the period's refunds undo of the trial's own lines: earner, bonus, amount."""
    first_day, last_day = facts.day_number(period.starts_on), facts.day_number(period.ends_on)
    here = (refunds["day"] >= first_day) & (refunds["day"] <= last_day)
    back = {name: column[here] for name, column in refunds.items()}
    order = np.argsort(lines["entry"], kind="stable")
    entries = lines["entry"][order]
    first = np.searchsorted(entries, back["sale"], "left")
    many = np.searchsorted(entries, back["sale"], "right") - first
    refund = np.repeat(np.arange(many.size), many)
    within = np.arange(refund.size) - np.repeat(np.cumsum(many) - many, many)
    line = order[np.repeat(first, many) + within]
    closing = lines["how"][line] == CLOSING
    kept = ~(closing & (back["own"][refund] == 1))
    refund, line, closing = refund[kept], line[kept], closing[kept]
    of_own = np.where(closing, back["own_returned"][refund], 0)
    before = np.where(closing, back["later_before"][refund], back["before"][refund])
    amount = reverse(
        Refunded(
            amount=lines["amount"][line],
            quantity=back["sold"][refund] - of_own,
            before=before,
            after=before + back["returned"][refund],
            days=(back["day"] - back["sale_day"])[refund],
            bonus=lines["bonus"][line],
        ),
        plan,
    )
    return {"earner": lines["earner"][line], "bonus": lines["bonus"][line], "amount": amount}


def undone_of_old(period: CommissionPeriod, periods: Sequence[CommissionPeriod]) -> list[OfOld]:
    with connection.cursor() as cursor:
        runs = list(period.runs.values_list("pk", flat=True))
        cursor.execute(_OLD, {"runs": runs, "first": periods[0].starts_on})
        return [
            OfOld(earner, code, at_payment, int(amount))
            for earner, code, at_payment, amount in cursor.fetchall()
        ]


_OLD = """
select l.distributor_id, b.code, here.kind = 'payment', sum(l.amount)
from commissions_ledgerentry l
join commissions_commissionrun here on here.id = l.run_id
join commissions_commissionrun run on run.id = l.reverses_id >> 32
join commissions_commissionperiod p on p.id = run.period_id and p.starts_on < %(first)s
join commissions_bonus b on b.id = l.bonus_id
where l.run_id = any(%(runs)s) and l.reverses_id is not null
group by 1, 2, 3
"""


def summed(
    period: CommissionPeriod,
    snapshot: Snapshot,
    plan: Plan,
    results: list[Result],
    undone: list[dict[str, Int64s]],
    of_old: list[OfOld],
) -> Worked:
    ids, ranks = snapshot.members.id, results[-1].standings
    if ranks is None:
        raise ValueError("a close has standings")
    earned = sum((result.earned() for result in results), np.zeros(ids.size, np.int64))
    totals: dict[str, int] = {}
    for result in results:
        for code, amount in result.totals.items():
            totals[code] = totals.get(code, 0) + amount
    for part in undone:
        np.add.at(earned, Lookup(ids)(part["earner"]), part["amount"])
        for place in np.unique(part["bonus"]).tolist():
            amount = int(part["amount"][part["bonus"] == place].sum())
            totals[plan.programmes[place].code] += amount
    place_of = Lookup(ids)(np.array([old.earner for old in of_old], np.int64))
    for place, old in zip(place_of.tolist(), of_old, strict=True):
        earned[place] += old.amount
        totals[old.code] = totals.get(old.code, 0) + old.amount
    return Worked(
        period=period,
        ids=ids,
        earned=earned,
        rank=ranks_seen(ranks, plan).paid_as,
        totals=totals,
        volume=int(figures_of(ranks, snapshot, plan)["cv"].sum()),
        given=given_in(results[-1], plan),
    )


def handed_on(snapshot: Snapshot, closed: Result) -> Memory:
    standings = closed.standings
    if standings is None:
        raise ValueError("a close has standings")
    return Memory(
        ids=snapshot.members.id,
        state={
            name: f for name, f in closed.state.items() if name.partition(".")[0] not in NOT_KEPT
        },
        highest={code: ranks.highest for code, ranks in standings.ranks.items()},
        title={code: ranks.title for code, ranks in standings.ranks.items()},
    )
