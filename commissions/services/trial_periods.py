"""What past periods would have paid by another plan, worked out on the facts they were closed on.

    for worked in work_through(periods, plan):      # one Worked a period, in their order
        ...

Each period is calculated as its close calculates it: the same snapshot, its own sales at payment,
refunds undone by lineage, ranks and carried figures handed from one trial period to the next; what
came before the first is taken from the books. Sales from before the first period were paid by the
plan of their time, so what refunds undo of them is what they undid. The plan that a period was paid
by therefore gives exactly what was paid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from commissions.engine import (
    PAYMENT,
    Plan,
    Refunded,
    Result,
    Snapshot,
    calculate,
    reverse,
)
from commissions.engine.snapshot import Lines
from commissions.models import CommissionPeriod
from commissions.services import facts
from commissions.services.arrays import Array, Lookup, read_columns
from commissions.services.carried import NOT_KEPT

Int64s = NDArray[np.int64]
CLOSING, PAYING = 0, 1


@dataclass(frozen=True)
class Worked:
    """One period by the plan: people by id, what each would have earned, totals by bonus code."""

    period: CommissionPeriod
    ids: Int64s
    earned: Int64s
    rank: NDArray[np.int16]
    totals: dict[str, int]
    volume: int


@dataclass
class Memory:
    """What one trial period hands to the next, by id of the members it had."""

    ids: Int64s
    state: dict[str, Int64s]
    highest: dict[str, NDArray[np.int16]]
    title: dict[str, NDArray[np.int16]]


LINE_KINDS = {"entry": "i8", "earner": "i8", "bonus": "i8", "how": "i8", "amount": "i8"}
NO_LINES: dict[str, Int64s] = {name: np.empty(0, np.int64) for name in LINE_KINDS}


def work_through(periods: Sequence[CommissionPeriod], plan: Plan) -> Iterator[Worked]:
    """The periods one after the other. Raises EngineError and FactsRefused."""
    memory: Memory | None = None
    refunded, lines = refunded_entries(periods[0]), NO_LINES
    for period in periods:
        cut = facts.cut_of(period)
        snapshot = remembered(facts.read_snapshot(cut, plan), memory)
        paid = calculate(gross(snapshot, cut, plan), plan, PAYMENT)
        closed = calculate(with_paid(snapshot, paid, plan), plan)
        lines = joined(
            lines,
            lines_of(paid, snapshot, PAYING, refunded),
            lines_of(closed, snapshot, CLOSING, refunded),
        )
        undone = undo(period, lines, plan)
        yield summed(period, snapshot, plan, [paid, closed], undone, undone_of_old(period, periods))
        memory = handed_on(snapshot, closed)


def refunded_entries(first: CommissionPeriod) -> Int64s:
    """The sales from the first period on of which something came back, whenever."""
    rows = read_columns(
        "select distinct r.reverses_id as id from commerce_volumeentry r "
        "join commerce_volumeentry s on s.id = r.reverses_id "
        "where r.kind = 'refund' and s.counts_on >= %(day)s",
        {"day": first.starts_on},
        id="i8",
    )
    return np.sort(rows["id"])


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


def with_paid(snapshot: Snapshot, paid: Result, plan: Plan) -> Snapshot:
    """The snapshot that knows, for the limits, what bonuses paid at payment."""
    state = {name: f for name, f in snapshot.state.items() if not name.startswith("paid.")}
    for block in paid.ledger:
        name = f"paid.{plan.bonuses[block.bonus].code}"
        figures = state.setdefault(name, np.zeros(len(snapshot.members), np.int64))
        np.add.at(figures, block.earner, block.amount)
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


def undo(period: CommissionPeriod, lines: dict[str, Int64s], plan: Plan) -> dict[str, Int64s]:
    """What the period's refunds undo of the trial's own lines: earner, bonus, amount."""
    days = {"starts_on": period.starts_on, "ends_on": period.ends_on}
    back = read_columns(_REFUNDS, days, **_REFUND_KINDS)
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
            days=back["days"][refund],
            bonus=lines["bonus"][line],
        ),
        plan,
    )
    return {"earner": lines["earner"][line], "bonus": lines["bonus"][line], "amount": amount}


_REFUND_KINDS = {
    "sale": "i8", "returned": "i8", "sold": "i8", "days": "i4", "own": "i2", "before": "i8",
    "own_returned": "i8", "later_before": "i8",
}  # fmt: skip
# `own`: in the period of its sale. `own_returned`: pieces that came back in that period.
_REFUNDS = """
select r.reverses_id as sale, ri.quantity as returned, i.quantity as sold,
       r.counts_on - s.counts_on as days, (s.counts_on >= %(starts_on)s)::int as own,
       coalesce(sum(bi.quantity) filter (where b.id < r.id), 0) as before,
       coalesce(sum(bi.quantity) filter (where b.counts_on <= p.ends_on), 0) as own_returned,
       coalesce(sum(bi.quantity) filter (where b.counts_on > p.ends_on
         and (b.counts_on, b.id) < (r.counts_on, r.id)), 0) as later_before
from commerce_volumeentry r
join commerce_refunditem ri on ri.id = r.refund_item_id
join commerce_volumeentry s on s.id = r.reverses_id
join commerce_orderitem i on i.id = s.order_item_id
join commissions_commissionperiod p on s.counts_on between p.starts_on and p.ends_on
left join commerce_volumeentry b on b.reverses_id = s.id and b.kind = 'refund'
left join commerce_refunditem bi on bi.id = b.refund_item_id
where r.kind = 'refund' and r.counts_on between %(starts_on)s and %(ends_on)s
group by r.id, r.reverses_id, r.counts_on, ri.quantity, i.quantity, s.counts_on
"""


def undone_of_old(
    period: CommissionPeriod, periods: Sequence[CommissionPeriod]
) -> list[tuple[int, str, int]]:
    """What the period took back of lines from before the trial: (earner, bonus, sum)."""
    with connection.cursor() as cursor:
        cursor.execute(_OLD, {"period": period.pk, "first": periods[0].starts_on})
        return [(earner, code, int(amount)) for earner, code, amount in cursor.fetchall()]


_OLD = """
select l.distributor_id, b.code, sum(l.amount)
from commissions_ledgerentry l
join commissions_commissionrun run on run.id = l.reverses_id >> 32
join commissions_commissionperiod p on p.id = run.period_id and p.starts_on < %(first)s
join commissions_bonus b on b.id = l.bonus_id
where l.period_id = %(period)s and l.reverses_id is not null
group by 1, 2
"""


def summed(
    period: CommissionPeriod,
    snapshot: Snapshot,
    plan: Plan,
    results: list[Result],
    undone: dict[str, Int64s],
    of_old: list[tuple[int, str, int]],
) -> Worked:
    ids, ranks = snapshot.members.id, results[-1].standings
    if ranks is None:
        raise ValueError("a close has standings")
    earned = sum((result.earned() for result in results), np.zeros(ids.size, np.int64))
    np.add.at(earned, Lookup(ids)(undone["earner"]), undone["amount"])
    totals: dict[str, int] = {}
    for result in results:
        for code, amount in result.totals.items():
            totals[code] = totals.get(code, 0) + amount
    for place in np.unique(undone["bonus"]).tolist():
        amount = int(undone["amount"][undone["bonus"] == place].sum())
        totals[plan.programmes[place].code] += amount
    place_of = Lookup(ids)(np.array([earner for earner, _, _ in of_old], np.int64))
    for place, (_, code, amount) in zip(place_of.tolist(), of_old, strict=True):
        earned[place] += amount
        totals[code] = totals.get(code, 0) + amount
    return Worked(
        period=period,
        ids=ids,
        earned=earned,
        rank=ranks.ranks[plan.ladders[0].code].paid_as,
        totals=totals,
        volume=int(ranks.metrics["cv"].sum()),
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
