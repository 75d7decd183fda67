"""Pay for enrolment: what a plan pays for bringing people in rather than for selling.

Two forms. A share of an enrolment kit: a bonus whose base counts orders of that kind, directly, by
a metric, or in the legs of a pair. A head count: an amount for each new member, or for how many
there are, where nobody among them has to have sold or bought anything for it.

    "base": {"of": "flat", "per": "member"}, "pays": {"who": "upline", ...}, "sources": recruits
    -> an amount for each recruit; with "sources" asking each for 50.00 volume it is not

Such a plan can be simulated, never activated.
"""

from __future__ import annotations

from collections.abc import Iterator

from commissions.engine import plan as p
from commissions.engine.lint.asked import asks_volume
from commissions.engine.lint.findings import Finding
from commissions.engine.prose import words

KIT = p.ENROLMENT_KIT


def pays_for_enrolment(plan: p.Plan) -> Iterator[Finding]:
    for place, bonus in enumerate(plan.bonuses):
        why = on_kits(bonus, plan) or for_heads(bonus, plan)
        if why:
            yield Finding(f"$.bonuses[{place}].base", "compliance", f"{bonus.name} {why}.")


def on_kits(bonus: p.Bonus, plan: p.Plan) -> str | None:
    """Why the bonus is paid on enrolment kits."""
    if KIT not in plan.kinds or isinstance(bonus.pays, p.PaysCompany):
        return None
    if isinstance(bonus.pays, p.PaysPairs):
        counted = holds_kits(bonus.pays.volume, plan)
        return f"counts {words.plain(KIT)} orders into the legs" if counted else None
    match bonus.base:
        case p.OfOrder(volume=volume):
            paid = starts_at_kits(bonus) and holds_kits(volume, plan)
        case p.Flat(per="order"):
            paid = starts_at_kits(bonus)
        case p.OfMetric(metric=metric):
            paid = measures_kits(plan.metric(metric), plan)
        case _:
            paid = False
    return f"is paid on {words.plain(KIT)} orders" if paid else None


def starts_at_kits(bonus: p.Bonus) -> bool:
    if isinstance(bonus.rates, p.ByKind) and not any(bonus.rates.table.get(KIT, ())):
        return False
    start = bonus.pays.start if isinstance(bonus.pays, p.PaysUpline) else "source"
    return isinstance(start, str) or KIT in start


def holds_kits(code: str, plan: p.Plan) -> bool:
    """Whether lines of enrolment kits have such a figure."""
    volume = next((each for each in plan.volumes if each.code == code), None)
    if volume is None or (volume.kinds is not None and KIT not in volume.kinds):
        return False
    if volume.amounts is not None:
        return volume.amounts.get(KIT, 0) > 0
    return volume.of is None or holds_kits(volume.of, plan)


def measures_kits(metric: p.Metric, plan: p.Plan) -> bool:
    if metric.what == "sum":
        return any(measures_kits(plan.metric(code), plan) for code in metric.parts or ())
    if metric.what == "members" or (metric.kinds is not None and KIT not in metric.kinds):
        return False
    return metric.what == "orders" or holds_kits(metric.volume or "", plan)


def for_heads(bonus: p.Bonus, plan: p.Plan) -> str | None:
    """Why the bonus is paid for people as such."""
    if isinstance(bonus.base, p.OfMetric):
        counts = counts_heads(plan.metric(bonus.base.metric), plan)
        return "is paid for a number of people who need to sell nothing" if counts else None
    if bonus.base != p.Flat("flat", "member") or asks_volume(bonus.sources, plan):
        return None
    if isinstance(bonus.pays, p.PaysUpline):
        return "is paid for each member below, who needs to sell nothing"
    if isinstance(bonus.pays, p.PaysSource) and not earner_sells(bonus, plan):
        return "is an amount for members without any sale being asked"
    return None


def counts_heads(metric: p.Metric, plan: p.Plan) -> bool:
    """Whether it counts people of whom nothing is asked, or has a part that does."""
    parts = (plan.metric(code) for code in metric.parts or ())
    heads = metric.what == "members" and not asks_volume(metric.where, plan)
    return heads or any(counts_heads(part, plan) for part in parts)


def earner_sells(bonus: p.Bonus, plan: p.Plan) -> bool:
    """Whether eligibility or each paid rank asks for volume; ranks set by the company may."""
    if asks_volume(bonus.eligibility.when, plan):
        return True
    match bonus.rates:
        case p.ByRank(ladder=code, table=table):
            ladder = plan.ladder(code)
            paid = [rank for rank, row in table.items() if any(row)]
            return ladder.source == "given" or all(
                asks_volume(p.HasRank("rank", code, rank, "paid_as"), plan) for rank in paid
            )
        case p.ByBand(metric=metric, bands=bands):
            sells = asks_volume(p.AtLeast("at_least", metric, 1), plan)
            return sells and all(band.at > 0 for band in bands if any(band.rates))
        case _:
            return False
