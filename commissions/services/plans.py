"""Plans in versions: written by one person, activated by another, never edited after."""

from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.history import explain_change
from accounts.models import User
from commissions.engine import Plan, PlanError, load_plan
from commissions.models import Bonus, CommissionPeriod, CompensationPlan, PlanVersion
from commissions.models.plan import PLAN_VERSION_EDGES
from genealogy.models import Rank
from mlmcrm.transitions import advance


class PlanRefused(Exception):
    """The version cannot be stored or activated; `faults` has one sentence for each reason."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__(" ".join(faults))


@transaction.atomic
def create_version(
    *,
    plan: CompensationPlan,
    definition: dict[str, Any],
    effective_from: date,
    actor: User | None,
) -> PlanVersion:
    """Store a plan document as the plan's next draft, with a row for each bonus.

    Raises PlanRefused for a document that the engine does not take, for a currency other than the
    company's and for a ladder other than the ranks.
    """
    parsed = parse(definition)
    CompensationPlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    newest = plan.versions.order_by("-number").first()
    version = PlanVersion(
        plan=plan,
        number=newest.number + 1 if newest else 1,
        definition=definition,
        definition_hash=parsed.content_hash,
        effective_from=effective_from,
        created_by=actor,
    )
    explain_change(version, actor=actor, reason="Created")
    version.save()
    Bonus.objects.bulk_create(
        Bonus(
            version=version,
            code=bonus.code,
            name=bonus.name,
            ledger_type=bonus.ledger_type,
            trigger=bonus.trigger,
            position=bonus.position,
        )
        for bonus in parsed.bonuses
    )
    after = {"effective_from": str(effective_from), "hash": parsed.content_hash}
    audit.record(actor=actor, action="plan_version.created", target=version, after=after)
    return version


def parse(definition: object) -> Plan:
    """The document as a plan that this company can pay by. Raises PlanRefused."""
    try:
        plan = load_plan(definition)
    except PlanError as error:
        raise PlanRefused(str(error).splitlines()) from error
    faults = []
    if plan.currency != settings.COMPANY_CURRENCY:
        faults.append(f"The plan pays in {plan.currency}, not in {settings.COMPANY_CURRENCY}.")
    ranks = dict(Rank.objects.values_list("code", "level"))
    faults += [
        f"The plan's rank {rank.code} at level {rank.level} is not among the company's ranks."
        for rank in plan.ladder.ranks
        if ranks.get(rank.code) != rank.level
    ]
    if faults:
        raise PlanRefused(faults)
    return plan


@transaction.atomic
def activate_version(*, version: PlanVersion, actor: User, reason: str = "") -> PlanVersion:
    """Let periods that start on or after its day be paid by this version.

    Not by its author. Raises PlanRefused, also where a period from that day on pays by another
    version already; TransitionRefused when the version is not a draft.
    """
    if version.created_by_id == actor.pk:
        raise PlanRefused(["A plan version is activated by somebody else than its author."])
    parse(version.definition)
    bound = CommissionPeriod.objects.filter(
        Q(plan_version__isnull=False) | ~Q(status=CommissionPeriod.Status.OPEN),
        starts_on__gte=version.effective_from,
    ).first()
    if bound:
        raise PlanRefused([f"{bound.name} pays by another version already; choose a later day."])
    advance(
        version,
        PlanVersion.Status.ACTIVE,
        PLAN_VERSION_EDGES,
        approved_by=actor,
        approved_at=timezone.now(),
    )
    _keep_history(version, actor, reason or "Activated")
    audit.record(actor=actor, action="plan_version.activated", target=version, reason=reason)
    return version


def _keep_history(version: PlanVersion, actor: User, reason: str) -> None:
    """`advance` writes by a conditional UPDATE, which leaves no history row of itself."""
    explain_change(version, actor=actor, reason=reason)
    version.save()


def version_for(day: date) -> PlanVersion | None:
    """The version that a period starting on this day is paid by."""
    active = PlanVersion.objects.filter(status=PlanVersion.Status.ACTIVE, effective_from__lte=day)
    return active.order_by("-effective_from", "-id").first()


def bonus_ids(version: PlanVersion) -> list[int]:
    """Ids of the version's bonuses by their place in the plan, as the engine's blocks name them."""
    return list(version.bonuses.order_by("position").values_list("pk", flat=True))
