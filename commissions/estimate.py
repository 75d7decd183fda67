"""What the close would bring if it were now: the engine itself, run on one's own line.

A distributor's volumes, rank and commissions at the close rest on the people below and their sales,
so the engine is given just those. It is an estimate: orders and refunds still come, and refunds of
sales of earlier periods are taken off only at the close.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from commissions.engine import PERIOD_CLOSE, Plan, Snapshot, build_snapshot, calculate
from commissions.models import CommissionPeriod
from commissions.services.arrays import Array, Lookup, read_columns
from commissions.services.facts import class_of
from commissions.standing import hundredths
from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree

LARGEST_LINE = 20_000
"""People below up to whom a page waits for an estimate."""


@dataclass(frozen=True)
class Estimate:
    """Amounts by the name of the bonus, in the order of the plan, and their sum."""

    parts: list[tuple[str, Decimal]]

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.parts), Decimal("0.00"))


def estimate_close(
    distributor: Distributor, period: CommissionPeriod, plan: Plan
) -> Estimate | None:
    """What the bonuses of the close would pay a distributor now; None for a very large line."""
    if distributor.downline_count > LARGEST_LINE:
        return None
    node = GenealogyNode.objects.filter(distributor=distributor, tree=Tree.SPONSOR).first()
    if node is None:
        return None
    snapshot = line_snapshot(node, period)
    result = calculate(snapshot, plan, PERIOD_CLOSE)
    own = int(np.searchsorted(snapshot.members.id, distributor.pk))
    earned = dict.fromkeys((bonus.position for bonus in plan.triggered_by(PERIOD_CLOSE)), 0)
    for block in result.ledger:
        earned[block.bonus] += int(block.amount[block.earner == own].sum())
    names = {bonus.position: bonus.name for bonus in plan.bonuses}
    return Estimate([(names[place], hundredths(cents)) for place, cents in earned.items()])


def line_snapshot(node: GenealogyNode, period: CommissionPeriod) -> Snapshot:
    """Somebody and everybody below, as they stand today, with their volume of the period."""
    params = {
        "lft": node.lft,
        "rgt": node.rgt,
        "starts_on": period.starts_on,
        "ends_on": period.ends_on,
    }
    people = read_columns(_PEOPLE, params, id="i8", sponsor="i8", enroller="i8", level="i2")
    order = np.argsort(people["id"], kind="stable")
    ids = people["id"][order]
    lookup = Lookup(ids)
    sales = read_columns(_SALES, params, **_KINDS)
    earlier = read_columns(_EARLIER, params, **_KINDS)
    return build_snapshot(
        members={
            "id": ids,
            "sponsor": lookup(people["sponsor"][order]),
            "enroller": lookup(people["enroller"][order]),
            "highest_level": people["level"][order],
        },
        lines=_with_sellers(sales, lookup),
        refunds=_with_sellers(earlier, lookup),
    )


def _with_sellers(rows: dict[str, Array], lookup: Lookup) -> dict[str, Array]:
    seller = lookup(rows.pop("distributor"))
    return rows | {"seller": seller}


_LINE = "join genealogy_genealogynode n on n.tree = 'sponsor' and n.lft between %(lft)s and %(rgt)s"
_PEOPLE = f"""
select d.id, coalesce(d.sponsor_id, 0) as sponsor, coalesce(d.enroller_id, 0) as enroller,
       coalesce(r.level, 0) as level
from genealogy_distributor d {_LINE} and n.distributor_id = d.id
left join genealogy_rank r on r.id = d.highest_rank_id
"""
_KINDS = {
    "id": "i8",
    "distributor": "i8",
    "order_class": "i2",
    "pv": "i8",
    "cv": "i8",
    "margin": "i8",
}
# Sales less what was refunded within the period.
_SALES = f"""
select v.id, v.distributor_id as distributor, {class_of("v")},
       v.pv + coalesce(r.pv, 0) as pv, v.cv + coalesce(r.cv, 0) as cv,
       v.margin + coalesce(r.margin, 0) as margin
from commerce_volumeentry v {_LINE} and n.distributor_id = v.distributor_id
left join (
  select reverses_id, sum(pv) as pv, sum(cv) as cv, sum(margin) as margin
  from commerce_volumeentry
  where kind = 'refund' and counts_on between %(starts_on)s and %(ends_on)s group by 1
) r on r.reverses_id = v.id
where v.kind = 'sale' and v.counts_on between %(starts_on)s and %(ends_on)s
"""
_EARLIER = f"""
select v.id, v.distributor_id as distributor, {class_of("v")}, v.pv, v.cv, v.margin
from commerce_volumeentry v {_LINE} and n.distributor_id = v.distributor_id
join commerce_volumeentry s on s.id = v.reverses_id and s.counts_on < %(starts_on)s
where v.kind = 'refund' and v.counts_on between %(starts_on)s and %(ends_on)s
"""
