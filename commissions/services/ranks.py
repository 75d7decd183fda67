"""The ranks of a plan's first ladder, and the company's, which are the same by their codes.

The company's ranks stand in an order of their own, since people carry the titles of earlier plans:
a plan has Silver, Gold and Platinum as its levels 1 to 3, the company as 2 to 4.
"""

from collections.abc import Iterator
from itertools import pairwise

from django.db import transaction
from django.db.models import Max

from accounts import audit
from accounts.history import explain_change
from accounts.models import User
from commissions.engine import Plan
from commissions.known import seen
from commissions.models import CommissionRun
from commissions.services.plan_reading import loaded
from genealogy.models import Rank


def company_levels(plan: Plan) -> list[tuple[int | None, int | None]]:
    """(id, level) of the company's rank for each level of the plan, from 1 up; None and None for
    one that the company does not have."""
    rows = Rank.objects.values_list("code", "pk", "level")
    found = {code: (pk, level) for code, pk, level in rows}
    return [found.get(rank.code, (None, None)) for rank in seen(plan).ranks]


def ranks_behind(run: CommissionRun | None) -> dict[str, list[int | None]]:
    """The company's ranks behind the levels of the run's plan, from 1 up: ids, and their levels in
    the company's order; what LADDER is filled with."""
    found = company_levels(loaded(run.period.frozen_plan)) if run else []
    return {"ranks": [pk for pk, _ in found], "levels": [level for _, level in found]}


LADDER = """
select place::int, id, level from unnest(%(ranks)s::bigint[], %(levels)s::int[])
  with ordinality as t(id, level, place)
"""


def faults_of_order(plan: Plan) -> Iterator[str]:
    """Where the company has two of the plan's ranks the other way round."""
    known = [
        (level, rank)
        for (_, level), rank in zip(company_levels(plan), seen(plan).ranks, strict=True)
        if level
    ]
    for (below, lower), (above, higher) in pairwise(known):
        if above <= below:
            yield (
                f"The plan has {higher.code} above {lower.code}, the company's ranks have it "
                f"below: give {higher.code} a level above {below} under Ranks."
            )


@transaction.atomic
def add_missing(plan: Plan, *, actor: User) -> list[Rank]:
    """Add the plan's ranks that the company does not have, where the plan has them: right below the
    next one that both have, else on top. Those above move up by as many levels."""
    added = []
    ranks = list(seen(plan).ranks)
    for place, rank in enumerate(ranks):
        if Rank.objects.filter(code=rank.code).exists():
            continue
        above = [later.code for later in ranks[place + 1 :]]
        following = Rank.objects.filter(code__in=above).order_by("level").first()
        top = Rank.objects.aggregate(top=Max("level"))["top"] or 0
        level = following.level if following else top + 1
        for moved in Rank.objects.filter(level__gte=level).order_by("-level"):
            moved.level += 1
            explain_change(moved, actor=actor, reason=f"{rank.name} came below it")
            moved.save()
        new = Rank(code=rank.code, name=rank.name, level=level)
        explain_change(new, actor=actor, reason=f"Added for {plan.name}")
        new.save()
        audit.record(actor=actor, action="rank.added", target=new, after={"level": level})
        added.append(new)
    return added
