"""Undoing lines that name no order line: earlier periods whose sales came back, worked out again.

For each closed period of which something came back in this one, its facts are read and calculated
as at its close, and `engine.restatement` says what of its lines is undone by all that has come back
until now. The books say what was undone of them before; the difference is what this period undoes:

    July's pool paid Ben 50.00        August undid -10.00 of it
    September: all in all -15.00      so -5.00, and never more than 50.00 in all

Periods whose plan has no such lines are not read, and without refunds of earlier sales nothing is.

Where that leaves less of what a period handed on (instalments to come, what is held), the next one
is worked out again with what it would be told now, and so on up to this one: what was paid of it is
undone where it was paid, and what still waits is less from here on.

    July    30.00 in three parts      August  10.00 paid      September  a third comes back
    July -3.33, August -3.33 of what they paid, and 6.67 fall due in September

A period that another version of the engine closed may come out different now: then nothing of its
sums is undone, and whoever approves is told.
What pairs took too much of legs, and by how much held cuts and all else that waits are less,
corrects the carried figures this period starts from; its run keeps that as
`restated.<earlier run>.<name>`, so that the period can itself be worked out again, and as
`less.<earlier run>.<name>` by how much that run was told too much. A reversing line names the
refund where one alone may have caused it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from django.db import connection

from commissions.engine import ENGINE_VERSION, Closed, Plan, Returns, Snapshot, calculate, restate
from commissions.engine.restatement import due_now, is_concerned, less_told
from commissions.engine.rounding import Int64s, proportion
from commissions.engine.rows import Rows, rows_of
from commissions.engine.snapshot import State
from commissions.models import CommissionRun
from commissions.models.ledger import PLACE_BITS
from commissions.services import carried, facts
from commissions.services.arrays import Array, Lookup, read_columns
from commissions.services.plan_reading import loaded
from commissions.services.reversals import REFUNDED_CLOSES

NO_REFUND = 0
"""Where several refunds act together, a line names none."""

LINE_KINDS = {
    "id": "i8",
    "bonus_id": "i8",
    "distributor_id": "i8",
    "source_distributor_id": "i8",
    "level": "i2",
    "rank_level": "i2",
    "base": "i8",
    "rate": "i8",
    "amount": "i8",
}


@dataclass(frozen=True)
class Undone:
    """What a period undoes of such lines: columns of the ledger, the refunds that did, and by
    earlier run and member of its snapshot how it corrects what was carried in, and by how much that
    run would be told less now. `unknown`: names of periods of which that cannot be said."""

    lines: list[dict[str, Array]] = field(default_factory=list)
    refunds: list[Int64s] = field(default_factory=list)
    corrections: dict[int, dict[str, Int64s]] = field(default_factory=dict)
    less: dict[int, dict[str, Int64s]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class HandedOn:
    """What a run would hand on now of money that waits, where that is less; by member of the
    period under way. `refunds`: the new ones that may have caused it."""

    state: State = field(default_factory=dict)
    refunds: Int64s = field(default_factory=lambda: np.empty(0, np.int64))


def undo_sums(cut: facts.Cut, snapshot: Snapshot, plan: Plan) -> Undone:
    """Read, work out and compare each earlier period concerned, the oldest first.

    Raises FactsRefused where one does not come out as the same engine closed it.
    """
    undone = Undone()
    if plan.reversal.commissions == "none":
        return undone
    handed_on = HandedOn()
    for run, is_concerned_itself in runs_concerned(cut):
        if not (is_concerned_itself or handed_on.state):
            continue
        here = corrected(snapshot, undone.corrections)
        handed_on = undo_of(run, cut, here, plan, handed_on, undone)
        if handed_on.state and run.pk == cut.carried_run:
            less = less_told(handed_on.state, here.state)
            undone.corrections.setdefault(run.pk, {}).update(less)
    return undone


def runs_concerned(cut: facts.Cut) -> list[tuple[CommissionRun, bool]]:
    """Final runs of earlier periods from the first on of whose sales something came back in this
    one, and whether that is so of each."""
    with connection.cursor() as cursor:
        cursor.execute(REFUNDED_CLOSES, cut.params)
        touched = {run for (run,) in cursor.fetchall()}
    if not touched:
        return []
    runs = CommissionRun.objects.filter(
        kind=CommissionRun.Kind.CLOSE,
        status=CommissionRun.Status.DONE,
        period__starts_on__lt=cut.starts_on,
        period__starts_on__gte=CommissionRun.objects.filter(pk__in=touched)
        .order_by("period__starts_on").values("period__starts_on")[:1],
    )  # fmt: skip
    found = [
        (run, run.pk in touched and is_concerned(loaded(run.period.frozen_plan)))
        for run in runs.select_related("period__plan_version").order_by("period__starts_on")
    ]
    return found if any(concerned for _, concerned in found) else []


def corrected(snapshot: Snapshot, corrections: Mapping[int, State]) -> Snapshot:
    """The snapshot with what restating earlier periods adds to its carried figures."""
    state = dict(snapshot.state)
    none = np.zeros(len(snapshot.members), np.int64)
    for of_run in corrections.values():
        state |= {name: state.get(name, none) + figures for name, figures in of_run.items()}
    return replace(snapshot, state=state) if corrections else snapshot


def facts_of(run: CommissionRun) -> Snapshot:
    """What a final run went by, corrections included."""
    plan = loaded(run.period.frozen_plan)
    snapshot = facts.read_snapshot(facts.cut_of(run.period), plan)
    return corrected(snapshot, carried.read_corrections(run.pk, Lookup(snapshot.members.id)))


def undo_of(
    run: CommissionRun,
    cut: facts.Cut,
    here: Snapshot,
    plan: Plan,
    handed_on: HandedOn,
    undone: Undone,
) -> HandedOn:
    """Add what one earlier period's refunds undo, and what the period before it hands on now."""
    earlier_plan, earlier = loaded(run.period.frozen_plan), facts_of(run)
    closed = Closed(earlier, earlier_plan, calculate(earlier, earlier_plan))
    booked = booked_lines(run, closed)
    if booked is None:
        undone.unknown.append(run.period.name)
        return HandedOn()
    place, size = Lookup(here.members.id)(earlier.members.id), len(here.members)
    less = told_less(run, cut, here, place, earlier.state, handed_on.state)
    if less:
        undone.less[run.pk] = less
    returns, entry, is_new = read_returns(run, cut, closed)
    told = {name: figures[place] for name, figures in less.items()}
    returns = replace(returns, told={**returns.told, **told})
    now = restate(closed, returns, plan.reversal)
    before = before_of(undone_before(run, cut), booked["id"])
    rows = rows_of(closed.result.ledger)
    rows = replace(rows, earner=place[rows.earner].astype(np.int64))
    amount, corrections = due_now(earlier_plan, rows, now.undone, before, here.state, size)
    given = given_back(closed, returns, ~is_new, now.given_back, plan)
    corrections |= {name: moved(figures, place, size) for name, figures in given.items()}
    if corrections:
        undone.corrections[run.pk] = corrections
    refunds = np.union1d(handed_on.refunds, entry[is_new])
    lines = lines_reversing(booked, before, amount, refunds, earlier_plan)
    undone.lines.append(lines)
    if len(lines["amount"]) or now.waiting:
        undone.refunds.append(refunds)
    waiting = {name: moved(figures, place, size) for name, figures in now.waiting.items()}
    return HandedOn(waiting, refunds)


def moved(figures: Int64s, place: Array, size: int) -> Int64s:
    """Figures of the members of an earlier period at their places in this one."""
    found = np.zeros(size, np.int64)
    found[place] = figures
    return found


def told_less(
    run: CommissionRun, cut: facts.Cut, here: Snapshot, place: Array, told: State, now: State
) -> dict[str, Int64s]:
    """By how much a run would be told less now, by member of the period under way: by what the one
    before it hands on now, or else as an earlier close has found it."""
    if not now:
        return carried.read_less(run.pk, cut.starts_on, Lookup(here.members.id))
    size = len(here.members)
    return less_told(now, {name: moved(told[name], place, size) for name in now if name in told})


def given_back(
    closed: Closed, returns: Returns, earlier: Array, now: State, plan: Plan
) -> dict[str, Int64s]:
    """What goes back into legs because of this period's refunds alone."""
    if not now:
        return {}
    before = restate(closed, returns.kept(earlier), plan.reversal).given_back
    return {name: figures - before.get(name, 0) for name, figures in now.items()}


# The lines in the books


def booked_lines(run: CommissionRun, closed: Closed) -> dict[str, Array] | None:
    """The run's lines without an order line, in the order of the engine's.

    Where the calculation did not give the same: None if another version of the engine closed the
    period, else FactsRefused.
    """
    lines = read_columns(
        f"""select id, bonus_id, distributor_id, level, rank_level, base, rate, amount,
                   coalesce(source_distributor_id, distributor_id) as source_distributor_id
            from {run.ledger_table} where volume_entry_id is null and reverses_id is null""",
        None,
        **LINE_KINDS,
    )
    rows, members = rows_of(closed.result.ledger), closed.snapshot.members.id
    number = np.argsort(lines["id"], kind="stable")
    order = written_order(rows)
    if len(number) == len(order):
        place = np.empty_like(number)
        place[order] = number
        lines = {name: column[place] for name, column in lines.items()}
        same = lines["amount"] == rows.amount
        if (same & (lines["distributor_id"] == members[rows.earner])).all():
            return lines
    if run.engine_version != ENGINE_VERSION:
        return None
    raise facts.FactsRefused(
        f"{run.period.name} does not come out as it was closed, so that it can't be said what "
        "refunds of its sales undo."
    )


def written_order(rows: Rows) -> Array:
    """As a run numbers them: those with a source first, then by earner (`arranged`)."""
    has_source = (rows.source >= 0) & (rows.source != rows.earner)
    return np.lexsort((rows.place, rows.earner, ~has_source))


def undone_before(run: CommissionRun, cut: facts.Cut) -> dict[str, Array]:
    """What the closes between the two periods have undone of the run's lines, by line."""
    between = CommissionRun.objects.filter(
        kind=CommissionRun.Kind.CLOSE,
        status=CommissionRun.Status.DONE,
        period__starts_on__gt=run.period.starts_on,
        period__starts_on__lt=cut.starts_on,
    )
    found = [reversing(other, run) for other in between.order_by("pk")]
    return {
        name: np.concatenate([np.empty(0, np.int64), *(lines[name] for lines in found)])
        for name in ("id", "amount")
    }


def reversing(other: CommissionRun, run: CommissionRun) -> dict[str, Array]:
    """The lines of one run that undo another's; they are its last ones."""
    first = (other.pk << PLACE_BITS) + other.line_count - other.totals["reversed_lines"]
    return read_columns(
        f"""select reverses_id as id, amount from {other.ledger_table}
            where id > {first} and reverses_id between %(first)s and %(last)s""",
        {"first": run.pk << PLACE_BITS, "last": (run.pk + 1 << PLACE_BITS) - 1},
        id="i8",
        amount="i8",
    )


def before_of(so_far: dict[str, Array], ids: Int64s) -> Int64s:
    """What was undone before of each of these lines."""
    order = np.argsort(ids)
    place = np.searchsorted(ids[order], so_far["id"])
    place = np.minimum(place, max(ids.size - 1, 0))
    known = ids[order][place] == so_far["id"] if ids.size else np.zeros(place.size, np.bool_)
    before = np.zeros(ids.size, np.int64)
    np.add.at(before, order[place[known]], so_far["amount"][known])
    return before


def lines_reversing(
    booked: dict[str, Array], before: Int64s, amount: Int64s, refunds: Int64s, plan: Plan
) -> dict[str, Array]:
    """Columns of the ledger, without lines of nothing; the base goes back with the amount."""
    kept = np.flatnonzero(amount)
    line = {name: column[kept] for name, column in booked.items()}
    refund = refunds[0] if len(refunds) == 1 else NO_REFUND
    part, whole, rounding = np.abs(before[kept]), np.abs(line["amount"]), plan.money.rounding
    until = part + np.abs(amount[kept])
    taken = proportion(line["base"], until, whole, rounding)
    return {
        "bonus_id": line["bonus_id"],
        "distributor_id": line["distributor_id"],
        "source_distributor_id": line["source_distributor_id"],
        "volume_entry_id": np.full(len(kept), refund, np.int64),
        "level": line["level"],
        "rank_level": line["rank_level"],
        "base": proportion(line["base"], part, whole, rounding) - taken,
        "rate": line["rate"],
        "amount": amount[kept],
        "reverses_id": line["id"],
    }


# What came back


def read_returns(
    run: CommissionRun, cut: facts.Cut, closed: Closed
) -> tuple[Returns, Int64s, Array]:
    """All that came back of the period's sales after it; by which entries, and which are new."""
    days = {"sold_from": run.period.starts_on, "sold_until": run.period.ends_on}
    found = read_columns(
        _RETURNS, cut.params | days,
        entry="i8", sale="i8", quantity="i8", returned="i8", days="i4", is_new="i2",
        **dict.fromkeys(facts.VOLUMES, "i8"),
    )  # fmt: skip
    order = np.argsort(found["entry"], kind="stable")
    found = {name: column[order] for name, column in found.items()}
    returns = Returns(
        line=Lookup(closed.snapshot.lines.id)(found["sale"]),
        quantity=found["quantity"],
        returned=found["returned"],
        days=found["days"],
        volumes={name: found[name] for name in facts.VOLUMES},
        told=undone_at_payment(run, cut, closed),
    )
    return returns, found["entry"], found["is_new"] == 1


_RETURNS = """
with sales as (
  select s.id, s.counts_on, i.quantity - coalesce((
           select sum(oi.quantity) from commerce_volumeentry o
           join commerce_refunditem oi on oi.id = o.refund_item_id
           where o.reverses_id = s.id and o.kind = 'refund' and o.counts_on <= %(sold_until)s
         ), 0) as quantity
  from commerce_volumeentry s join commerce_orderitem i on i.id = s.order_item_id
  where s.kind = 'sale' and s.counts_on between %(sold_from)s and %(sold_until)s
    and exists (select 1 from commerce_volumeentry r where r.reverses_id = s.id
                and r.kind = 'refund' and r.counts_on > %(sold_until)s)
)
select r.id as entry, s.id as sale, s.quantity, ri.quantity as returned,
       r.counts_on - s.counts_on as days, (r.counts_on >= %(starts_on)s)::int as is_new,
       r.pv, r.cv, r.margin
from sales s
join commerce_volumeentry r on r.reverses_id = s.id and r.kind = 'refund'
join commerce_refunditem ri on ri.id = r.refund_item_id
where r.counts_on > %(sold_until)s and r.counts_on <= %(ends_on)s
  and (r.counts_on < %(starts_on)s or r.id <= %(refunds_until)s)
"""


def undone_at_payment(run: CommissionRun, cut: facts.Cut, closed: Closed) -> dict[str, Int64s]:
    """What was undone after the period of what it paid at payment, for limits that count that."""
    codes = carried.counted_at_payment(closed.plan)
    if not codes:
        return {}
    paid_in = facts.cut_of(run.period).payment_run
    lookup, found = Lookup(closed.snapshot.members.id), {}
    for code in sorted(codes):
        rows = read_columns(
            _UNDONE_AT_PAYMENT,
            cut.params
            | {"code": code, "after": run.period.ends_on}
            | {"first": paid_in << PLACE_BITS, "last": (paid_in + 1 << PLACE_BITS) - 1},
            id="i8",
            amount="i8",
        )
        found[f"paid.{code}"] = np.zeros(lookup.ids.size, np.int64)
        np.add.at(found[f"paid.{code}"], lookup(rows["id"]), rows["amount"])
    return found if any(figures.any() for figures in found.values()) else {}


_UNDONE_AT_PAYMENT = """
select l.distributor_id as id, sum(l.amount) as amount
from commissions_ledgerentry l
join commissions_bonus b on b.id = l.bonus_id and b.code = %(code)s
where l.reverses_id between %(first)s and %(last)s and l.run_id = any(array(
  select run.id from commissions_commissionrun run
  join commissions_commissionperiod p on p.id = run.period_id
  where run.kind = 'payment' and p.starts_on > %(after)s and p.starts_on <= %(starts_on)s))
group by 1
"""
