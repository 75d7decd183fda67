"""Which plans this company can keep in its books and pay by: what the engine alone cannot know.

The language says more than the portal records. A plan may be written and stored as long as its
figures are those that pages and tables show; it may be paid by only when everything it asks for is
really recorded here, and when the linter finds nothing in it that the law forbids.
"""

from collections.abc import Callable, Iterator

from django.conf import settings

from commerce.models import Order
from commissions.engine import Plan, asked_of_buyers
from commissions.engine.lint import lint
from commissions.engine.plan import (
    PLACEMENT,
    SPONSOR,
    AllOf,
    AnyOf,
    Group,
    HasFlag,
    Levels,
    Metric,
    Not,
    Own,
    parts,
)
from commissions.engine.prose.words import condition
from commissions.known import is_known
from commissions.services.facts import VOLUMES, needs_placement
from genealogy.models import DistributorPosition, Rank

HUNDREDTHS = 2


def faults_in(plan: Plan) -> list[str]:
    """Why the plan cannot be stored, a sentence each; empty when it can."""
    return [*money_faults(plan), *rank_faults(plan), *order_faults(plan), *metric_faults(plan)]


def money_faults(plan: Plan) -> Iterator[str]:
    if plan.currency != settings.COMPANY_CURRENCY:
        yield f"The plan pays in {plan.currency}, not in {settings.COMPANY_CURRENCY}."
    if plan.money.scale != HUNDREDTHS:
        yield f"The books are kept to two places: money.scale is {plan.money.scale}, not 2."
    if plan.money.zero_amounts != "omit":
        yield "The ledger keeps no lines of nothing: money.zero_amounts has to be omit."
    names = [programme.code for programme in plan.programmes]
    for code in sorted({name for name in names if names.count(name) > 1}):
        yield f"Two bonuses or limits are called {code}; the ledger could not tell them apart."


def rank_faults(plan: Plan) -> Iterator[str]:
    """The plan's first ladder is the one that people see, so its ranks are the company's."""
    if not plan.ladders:
        yield "The plan has no ladder of ranks; the portal shows everybody's rank."
        return
    ranks = dict(Rank.objects.values_list("code", "level"))
    for level, rank in enumerate(plan.ladders[0].ranks, 1):
        if ranks.get(rank.code) != level:
            yield (
                f"The plan's rank {rank.code} at level {level} is not among the company's ranks."
            )


def order_faults(plan: Plan) -> Iterator[str]:
    classes = set(Order.OrderClass.values)
    for code in sorted(classes - set(plan.kinds)):
        yield f"The plan does not know orders of the kind {code}; its kinds have to name them."
    for code in sorted(set(plan.kinds) - classes):
        yield f"There are no orders of the kind {code} here."
    for volume in plan.volumes:
        is_given = volume.of is None and volume.amounts is None
        if is_given and volume.code not in VOLUMES:
            yield f"Order lines have no figure {volume.code}; they have {', '.join(VOLUMES)}."


# What the columns of a standing mean, and the words for it.
MEANT: dict[str, tuple[str, Callable[[Metric], bool]]] = {
    "pv": (
        "the pv of each member's own orders in the period",
        lambda metric: is_sum_of(metric, "pv") and isinstance(metric.scope, Own),
    ),
    "cv": (
        "the cv of each member's own orders in the period",
        lambda metric: is_sum_of(metric, "cv") and isinstance(metric.scope, Own),
    ),
    "gv": (
        "the pv of each member's whole line in the sponsor tree",
        lambda metric: (
            is_sum_of(metric, "pv")
            and isinstance(metric.scope, Group)
            and metric.scope.tree == SPONSOR
            and metric.scope.until is None
        ),
    ),
    "legs": (
        "how many of those a member sponsored have a line with volume",
        lambda metric: (
            metric.what == "members"
            and metric.where is not None
            and metric.window == "period"
            and isinstance(metric.scope, Levels)
            and (metric.scope.tree, metric.scope.first, metric.scope.last) == (SPONSOR, 1, 1)
        ),
    ),
}


def is_sum_of(metric: Metric, volume: str) -> bool:
    return (
        metric.what == "volume"
        and metric.volume == volume
        and metric.where is None
        and metric.orders is None
        and metric.window == "period"
    )


def metric_faults(plan: Plan) -> Iterator[str]:
    found = {metric.code: metric for metric in plan.metrics}
    for code, (words, is_meant) in MEANT.items():
        if code not in found:
            yield f"The plan has no metric {code}: it has to measure {words}."
        elif not is_meant(found[code]):
            yield f"The plan's metric {code} has to measure {words}; that is what pages show."


def faults_in_force(plan: Plan) -> list[str]:
    """Why nobody can be paid by the plan, besides what keeps it from being stored."""
    forbidden = [found.message for found in lint(plan) if found.severity == "compliance"]
    return [*recorded_faults(plan), *release_faults(plan), *forbidden]


def recorded_faults(plan: Plan) -> Iterator[str]:
    """What the plan asks for and nobody records here."""
    found = [part for _, part in parts(plan)]
    if needs_placement(plan) and not DistributorPosition.objects.filter(tree=PLACEMENT).exists():
        yield "The plan needs the placement tree, and nobody has a place in it."
    if plan.packages:
        yield "The plan pays by packages, and the portal does not record who holds which."
    for flag in sorted({part.flag for part in found if isinstance(part, HasFlag)}):
        yield f'The plan asks for the mark "{flag}", and the portal sets no marks.'
    if asked_of_buyers(plan):
        yield "The plan asks who bought, and the portal tells the engine of sellers alone."
    for bonus in plan.rewards:
        yield f"{bonus.name} gives no money, and the portal keeps no record of what else is given."
    for ladder in plan.ladders:
        if ladder.source == "given":
            yield f'The ranks of the ladder "{ladder.code}" are given, and nobody gives them here.'


def release_faults(plan: Plan) -> Iterator[str]:
    """What payouts wait for is held against the stored standing of the newest final period."""
    for path, part in parts(plan.payout.when, "$.payout.when"):
        if not isinstance(part, AllOf | AnyOf | Not) and not is_known(part, plan):
            asked = condition(part, plan)
            yield (
                f"{path}: payouts cannot wait for who {asked}; of a final period the portal keeps "
                "PV, CV, GV, legs, activity and the ranks that people see."
            )
