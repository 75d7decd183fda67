"""Plans in versions: written by one person, activated by another, never edited after."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.history import explain_change
from accounts.models import User
from commissions.engine import PERIOD_CLOSE, Plan, PlanError, load_plan
from commissions.engine.plan import Limit
from commissions.models import Bonus, CommissionPeriod, CompensationPlan, PlanVersion
from commissions.models.plan import PLAN_VERSION_EDGES
from commissions.services.plan_checks import faults_in, faults_in_force
from commissions.services.ranks import add_missing
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
    """Store a plan document as the plan's next draft, with a row for whatever writes lines.

    Raises PlanRefused for a document that the engine does not take, and for one that the books
    cannot keep.
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
    Bonus.objects.bulk_create(programme_rows(version, parsed))
    after = {"effective_from": str(effective_from), "hash": parsed.content_hash}
    audit.record(actor=actor, action="plan_version.created", target=version, after=after)
    return version


def programme_rows(version: PlanVersion, plan: Plan) -> Iterator[Bonus]:
    """A row for each bonus, and for each limit that cuts: one that refuses writes no line."""
    for position, programme in enumerate(plan.programmes):
        if isinstance(programme, Limit) and programme.enforcement == "refuse":
            continue
        yield Bonus(
            version=version,
            code=programme.code,
            name=programme.name,
            ledger_type="adjustment" if isinstance(programme, Limit) else programme.ledger_type,
            trigger=PERIOD_CLOSE if isinstance(programme, Limit) else programme.trigger,
            position=position,
        )


def parse(definition: object) -> Plan:
    """The document as a plan that this company can keep. Raises PlanRefused."""
    try:
        plan = load_plan(definition)
    except PlanError as error:
        raise PlanRefused(str(error).splitlines()) from error
    if faults := faults_in(plan):
        raise PlanRefused(faults)
    return plan


@transaction.atomic
def activate_version(*, version: PlanVersion, actor: User, reason: str = "") -> PlanVersion:
    """Let periods that start on or after its day be paid by this version.

    Ranks of its first ladder that the company does not have are added to the company's.
    Not by its author. Raises PlanRefused, also where the plan asks for what is not recorded or is
    not allowed, or a period from that day on pays by another version already; TransitionRefused
    when the version is not a draft.
    """
    if version.created_by_id == actor.pk:
        raise PlanRefused(["A plan version is activated by somebody else than its author."])
    plan = parse(version.definition)
    if faults := faults_in_force(plan):
        raise PlanRefused(faults)
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
    add_missing(plan, actor=actor)
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
    """Ids of the version's bonuses by their place in the plan, as the engine's blocks name them.

    0 at the place of a limit that writes no lines.
    """
    by_position = dict(version.bonuses.values_list("position", "pk"))
    return [by_position.get(place, 0) for place in range(max(by_position, default=-1) + 1)]
