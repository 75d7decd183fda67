"""Which plans this company can keep in its books and pay by: what the engine alone cannot know.

A plan may be written and stored as long as the books can keep what it pays and order lines have the
figures it measures; it may be paid by only when everything it asks for is recorded here, and when
the linter finds nothing in it that the law forbids.
"""

from collections.abc import Iterator

from django.conf import settings

from commerce.models import Order
from commissions.engine import Plan
from commissions.engine.lint import lint
from commissions.engine.plan import (
    PLACEMENT,
    AllOf,
    AnyOf,
    Not,
    parts,
)
from commissions.engine.prose.words import condition
from commissions.known import is_known
from commissions.services.facts import VOLUMES, needs_placement
from commissions.services.ranks import faults_of_order
from genealogy.models import DistributorPosition

HUNDREDTHS = 2


def faults_in(plan: Plan) -> list[str]:
    """Why the plan cannot be stored, a sentence each; empty when it can."""
    return [*money_faults(plan), *faults_of_order(plan), *order_faults(plan)]


def money_faults(plan: Plan) -> Iterator[str]:
    if plan.currency != settings.COMPANY_CURRENCY:
        yield (
            f"The plan pays in {plan.currency}, the company in {settings.COMPANY_CURRENCY}: write "
            f'"currency": "{settings.COMPANY_CURRENCY}" and the amounts in that currency. Only a '
            f"company that has no books yet can be set up with COMPANY_CURRENCY={plan.currency} "
            "instead."
        )
    if plan.money.scale != HUNDREDTHS:
        yield f"The books are kept to two places: money.scale is {plan.money.scale}, not 2."
    if plan.money.zero_amounts != "omit":
        yield "The ledger keeps no lines of nothing: money.zero_amounts has to be omit."
    names = [programme.code for programme in plan.programmes]
    for code in sorted({name for name in names if names.count(name) > 1}):
        yield f"Two bonuses or limits are called {code}; the ledger could not tell them apart."


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


def faults_in_force(plan: Plan) -> list[str]:
    """Why nobody can be paid by the plan, besides what keeps it from being stored."""
    forbidden = [found.message for found in lint(plan) if found.severity == "compliance"]
    return [*recorded_faults(plan), *release_faults(plan), *forbidden]


def recorded_faults(plan: Plan) -> Iterator[str]:
    """What the plan asks for and nobody records here."""
    if needs_placement(plan) and not DistributorPosition.objects.filter(tree=PLACEMENT).exists():
        yield "The plan needs the placement tree, and nobody has a place in it."


def release_faults(plan: Plan) -> Iterator[str]:
    """What payouts wait for is held against the stored standing of the newest final period."""
    for path, part in parts(plan.payout.when, "$.payout.when"):
        if not isinstance(part, AllOf | AnyOf | Not) and not is_known(part, plan):
            asked = condition(part, plan)
            yield (
                f"{path}: payouts cannot wait for who {asked}; of a final period the portal keeps "
                "PV, CV, GV, legs, activity, the ranks that people see, packages and marks."
            )
