"""Undoing the commissions of refunded sales: which earlier lines, in what proportion.

The engine says how much (`reverse`); here is found what: for each refund the lines of its sale, how
many pieces they were paid on, and how many had come back before.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from commissions.engine import Plan, Refunded, reverse
from commissions.engine.plan import OfCommissions
from commissions.models import Bonus
from commissions.services.arrays import Array, read_columns
from commissions.services.facts import Cut

COLUMNS = {
    "refund": "i8",
    "line": "i8",
    "bonus_id": "i8",
    "distributor_id": "i8",
    "source_distributor_id": "i8",
    "level": "i2",
    "rank_level": "i2",
    "base": "i8",
    "rate": "i8",
    "amount": "i8",
    "quantity": "i8",
    "before": "i8",
    "returned": "i8",
    "days": "i4",
}


def reversed_at_payment(refunds: list[int], plan: Plan) -> dict[str, Array]:
    """What these refund entries take back of what was paid at payment."""
    return reversed_lines(OF_PAYMENTS, {"refunds": refunds}, REFUNDED_CLAIMS, plan)


def reversed_at_close(cut: Cut, plan: Plan, earner: int | None = None) -> dict[str, Array]:
    """What the refunds of a period take back of what earlier closes paid; of one earner, if any."""
    query = OF_CLOSES if earner is None else f"{OF_CLOSES} and l.distributor_id = %(earner)s"
    return reversed_lines(query, cut.params | {"earner": earner}, REFUNDED_CLOSES, plan)


def reversed_lines(
    query: str, params: Mapping[str, Any], runs_query: str, plan: Plan
) -> dict[str, Array]:
    """The reversing lines of what a query finds, as columns of the ledger.

    The query gives one row a pair of refund entry and earlier line (COLUMNS), out of the runs that
    another one names beforehand: so only their tables are read. Lines that rounding leaves at
    nothing are left out. The order is by refund, then by line.
    """
    with connection.cursor() as cursor:
        cursor.execute(runs_query, params)
        runs = [run for (run,) in cursor.fetchall()]
    found = read_columns(query, {**params, "runs": runs}, **COLUMNS)
    order = np.lexsort((found["line"], found["refund"]))
    found = {name: column[order] for name, column in found.items()}
    found["place"] = places_of(found["bonus_id"], plan)
    amount = undo(found, found["amount"], plan)
    kept = amount != 0
    lines: dict[str, Array] = {
        "bonus_id": found["bonus_id"],
        "distributor_id": found["distributor_id"],
        "source_distributor_id": found["source_distributor_id"],
        "volume_entry_id": found["refund"],
        "level": found["level"],
        "rank_level": found["rank_level"],
        "base": undo(found, found["base"], plan),
        "rate": found["rate"],
        "amount": amount,
        "reverses_id": found["line"],
    }
    return {name: column[kept] for name, column in lines.items()}


def undo(found: dict[str, Array], value: NDArray[np.int64], plan: Plan) -> NDArray[np.int64]:
    """The part of a value that this return takes back, in opposite sign."""
    before = found["before"]
    return reverse(
        Refunded(
            amount=value,
            quantity=found["quantity"],
            before=before,
            after=before + found["returned"],
            days=found["days"],
            bonus=found["place"],
        ),
        plan,
    )


def places_of(bonus_ids: NDArray[np.int64], plan: Plan) -> NDArray[np.int64]:
    """The place of each line's bonus in the plan of the refund, by its code.

    A bonus that this plan has no more counts as one that was paid on orders.
    """
    place_of = {programme.code: place for place, programme in enumerate(plan.programmes)}
    on_orders = (
        place
        for place, bonus in enumerate(plan.bonuses)
        if not isinstance(bonus.base, OfCommissions)
    )
    other = next(on_orders, 0)
    ids, inverse = np.unique(bonus_ids, return_inverse=True)
    codes = dict(Bonus.objects.filter(pk__in=ids.tolist()).values_list("pk", "code"))
    places = np.array([place_of.get(codes[pk], other) for pk in ids.tolist()], np.int64)
    return places[inverse] if ids.size else places


# Paid at payment, on all that was sold: what came back before is what was claimed before.
OF_PAYMENTS = """
select r.id as refund, l.id as line, l.bonus_id, l.distributor_id,
       coalesce(l.source_distributor_id, l.distributor_id) as source_distributor_id,
       l.level, l.rank_level, l.base, l.rate, l.amount, i.quantity, ri.quantity as returned,
       r.counts_on - s.counts_on as days,
       coalesce((select sum(bi.quantity) from commerce_volumeentry b
                 join commerce_refunditem bi on bi.id = b.refund_item_id
                 where b.reverses_id = r.reverses_id and b.kind = 'refund'
                   and ((b.id < r.id and b.id = any(%(refunds)s))
                     or (b.id <> all(%(refunds)s) and exists (
                          select 1 from commissions_volumeclaim c where c.volume_entry_id = b.id)))
                ), 0) as before
from commerce_volumeentry r
join commerce_refunditem ri on ri.id = r.refund_item_id
join commerce_volumeentry s on s.id = r.reverses_id
join commerce_orderitem i on i.id = s.order_item_id
join commissions_volumeclaim claim on claim.volume_entry_id = s.id
join commissions_ledgerentry l on l.run_id = any(%(runs)s)
  and l.run_id = claim.run_id and l.volume_entry_id = s.id and l.reverses_id is null
where r.id = any(%(refunds)s)
"""
REFUNDED_CLAIMS = """
select distinct c.run_id from commerce_volumeentry r
join commissions_volumeclaim c on c.volume_entry_id = r.reverses_id
where r.id = any(%(refunds)s)
"""

# Paid at the close, on what its own period left of the sale.
OF_CLOSES = """
with refunds as (
  select r.id, r.reverses_id, r.counts_on, ri.quantity, s.order_item_id,
         r.counts_on - s.counts_on as days,
         p.ends_on as sale_until, run.id as run_id
  from commerce_volumeentry r
  join commerce_refunditem ri on ri.id = r.refund_item_id
  join commerce_volumeentry s on s.id = r.reverses_id
  join commissions_commissionperiod p on s.counts_on between p.starts_on and p.ends_on
  join commissions_commissionrun run on run.period_id = p.id
    and run.kind = 'close' and run.status = 'done'
  where r.kind = 'refund' and r.counts_on between %(starts_on)s and %(ends_on)s
    and r.id <= %(refunds_until)s and s.counts_on < %(starts_on)s
), returns as (
  select f.id, coalesce(sum(bi.quantity) filter (where b.counts_on <= f.sale_until), 0) as own,
         coalesce(sum(bi.quantity) filter (where b.counts_on > f.sale_until
           and (b.counts_on, b.id) < (f.counts_on, f.id)), 0) as before
  from refunds f
  join commerce_volumeentry b on b.reverses_id = f.reverses_id and b.kind = 'refund'
    and b.id <= %(refunds_until)s
  join commerce_refunditem bi on bi.id = b.refund_item_id
  group by f.id
)
select f.id as refund, l.id as line, l.bonus_id, l.distributor_id,
       coalesce(l.source_distributor_id, l.distributor_id) as source_distributor_id,
       l.level, l.rank_level, l.base, l.rate, l.amount,
       i.quantity - n.own as quantity, f.quantity as returned, n.before, f.days
from refunds f
join returns n on n.id = f.id
join commerce_orderitem i on i.id = f.order_item_id
join commissions_ledgerentry l on l.run_id = any(%(runs)s)
  and l.run_id = f.run_id and l.volume_entry_id = f.reverses_id and l.reverses_id is null
"""
REFUNDED_CLOSES = """
select distinct run.id from commerce_volumeentry r
join commerce_volumeentry s on s.id = r.reverses_id
join commissions_commissionperiod p on s.counts_on between p.starts_on and p.ends_on
join commissions_commissionrun run on run.period_id = p.id
  and run.kind = 'close' and run.status = 'done'
where r.kind = 'refund' and r.counts_on between %(starts_on)s and %(ends_on)s
  and r.id <= %(refunds_until)s and s.counts_on < %(starts_on)s
"""
