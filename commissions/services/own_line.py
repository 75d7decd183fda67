"""A distributor's own line in the open period, as the engine reads it: he and everybody below.

People stand as they do today and hold what they will on the period's last day by all that is known
now; ranks and what else is carried on come from the newest final run.
"""

from dataclasses import replace

import numpy as np
from django.utils import timezone

from commissions.engine import Plan, Snapshot, build_snapshot
from commissions.engine.plan import PLACEMENT, parts
from commissions.models import CommissionPeriod
from commissions.services import carried
from commissions.services.arrays import Lookup, read_columns
from commissions.services.attributes import read_attributes
from commissions.services.facts import (
    Cut,
    day_number,
    entries,
    entry_columns,
    entry_kinds,
    lines_of,
)
from commissions.services.opening import payment_run
from commissions.services.projections import last_final_run
from commissions.services.restatements import runs_concerned
from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree

LARGEST_LINE = 20_000
"""People below up to whom a page waits for it."""
SMALL_COMPANY = 5_000
"""People, in all periods that have to be worked out, up to whom a page waits for everybody."""


def asks_for_places(plan: Plan) -> bool:
    return any(getattr(part, "tree", None) == PLACEMENT for _, part in parts(plan))


def rests_on_company(plan: Plan) -> bool:
    """Whether a line by itself does not tell what its head gets at the close."""
    return asks_for_places(plan) or knowable(plan) != without_refusals(plan)


def undoes_sums(cut: Cut) -> bool:
    """Whether refunds of earlier periods' sales undo sums, for which those are worked out again:
    then no line by itself tells it."""
    return bool(runs_concerned(cut))


def is_small_company(cut: Cut) -> bool:
    """Whether a page may work out everybody: now, and in each earlier period that refunds touch."""
    times = 1 + len(runs_concerned(cut))
    most = SMALL_COMPANY // times
    return Distributor.objects.order_by()[: most + 1].count() <= most


def cut_now(period: CommissionPeriod) -> Cut:
    """An open period with all that is known of it now."""
    run = last_final_run()
    return Cut(
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        known_at=timezone.now(),
        carried_run=run.pk if run else None,
        payment_run=payment_run(period).pk,
    )


def knowable(plan: Plan) -> Plan:
    """The plan without what only the whole company's figures decide: pools and its own limits."""
    plan = without_refusals(plan)
    return replace(
        plan,
        bonuses=tuple(bonus for bonus in plan.bonuses if bonus.pays.who not in ("pool", "company")),
        limits=tuple(limit for limit in plan.limits if limit.scope != "company"),
    )


def without_refusals(plan: Plan) -> Plan:
    """The plan without limits that change no amount: they only refuse a whole run."""
    kept = (limit for limit in plan.limits if limit.enforcement != "refuse")
    return replace(plan, limits=tuple(kept))


def read_line(distributor: Distributor, period: CommissionPeriod, plan: Plan) -> Snapshot | None:
    """Somebody and everybody below with their volume of the period.

    None for a very large line, and for a plan that goes by the placement tree: in that the people
    below are others.
    """
    if asks_for_places(plan):
        return None
    node = GenealogyNode.objects.filter(distributor=distributor, tree=Tree.SPONSOR).first()
    if node is None or node.downline > LARGEST_LINE:
        return None
    params = {
        "lft": node.lft,
        "rgt": node.rgt,
        "starts_on": period.starts_on,
        "ends_on": period.ends_on,
    }
    people = read_columns(_PEOPLE, params, id="i8", sponsor="i8", enroller="i8", joined="i4")
    order = np.argsort(people["id"], kind="stable")
    people = {name: column[order] for name, column in people.items()}
    lookup = Lookup(people["id"])
    run = last_final_run()
    state = carried.read_state(run.pk if run else None, lookup)
    ranks = carried.take_ranks(state, run.pk if run else None, lookup, plan)
    if carried.counted_at_payment(plan):
        state |= carried.read_paid(payment_run(period).pk, lookup, plan)
    kinds = entry_kinds(plan)
    return build_snapshot(
        members={
            "id": people["id"],
            "joined": people["joined"],
            "parents": {tree: lookup(people[tree]) for tree in ("sponsor", "enroller")},
            **ranks,
            **read_attributes(plan, lookup, on=period.ends_on, people=people["id"].tolist()),
        },
        lines=lines_of(read_columns(sales_query(plan), params, **kinds), lookup),
        refunds=lines_of(read_columns(earlier_query(plan), params, **kinds), lookup),
        state=state,
        starts_on=day_number(period.starts_on),
        ends_on=day_number(period.ends_on),
    )


_LINE = "join genealogy_genealogynode n on n.tree = 'sponsor' and n.lft between %(lft)s and %(rgt)s"
_PEOPLE = f"""
select d.id, coalesce(d.sponsor_id, 0) as sponsor, coalesce(d.enroller_id, 0) as enroller,
       d.joined_on - date '1970-01-01' as joined
from genealogy_distributor d {_LINE} and n.distributor_id = d.id
"""


def sales_query(plan: Plan) -> str:
    """Sales less what was refunded within the period."""
    return f"""
        select {entry_columns(plan, returned="r")}
        from {entries(plan)} {_LINE} and n.distributor_id = v.distributor_id
        left join (
          select reverses_id, sum(pv) as pv, sum(cv) as cv, sum(margin) as margin
          from commerce_volumeentry
          where kind = 'refund' and counts_on between %(starts_on)s and %(ends_on)s group by 1
        ) r on r.reverses_id = v.id
        where v.kind = 'sale' and v.counts_on between %(starts_on)s and %(ends_on)s
    """


def earlier_query(plan: Plan) -> str:
    """Refunds of sales of earlier periods."""
    return f"""
        select {entry_columns(plan)}
        from {entries(plan)} {_LINE} and n.distributor_id = v.distributor_id
        join commerce_volumeentry s on s.id = v.reverses_id and s.counts_on < %(starts_on)s
        where v.kind = 'refund' and v.counts_on between %(starts_on)s and %(ends_on)s
    """
