"""Plan versions before they are active: written again and again, by whoever may write plans."""

from datetime import date
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.history import explain_change
from accounts.models import User
from commissions.models import Bonus, PlanVersion
from commissions.services.plans import PlanRefused, create_version, parse, programme_rows


@transaction.atomic
def revise_draft(
    *, version: PlanVersion, definition: dict[str, Any], effective_from: date, actor: User
) -> PlanVersion:
    """Write a draft's document and first day anew; the same ones change nothing.

    Whoever changes the document becomes its author, so that it is activated by somebody else than
    its last hand. Raises PlanRefused for a document that this company cannot pay by, and for a
    version that is no draft any more.
    """
    draft = PlanVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    if draft.status != PlanVersion.Status.DRAFT:
        raise PlanRefused([f"{draft} is {draft.get_status_display().lower()} and cannot change."])
    if (draft.definition, draft.effective_from) == (definition, effective_from):
        return draft
    parsed = parse(definition)
    before = {"effective_from": str(draft.effective_from), "hash": draft.definition_hash}
    draft.definition, draft.definition_hash = definition, parsed.content_hash
    draft.effective_from, draft.created_by = effective_from, actor
    explain_change(draft, actor=actor, reason="Draft written anew")
    draft.save()
    draft.bonuses.all().delete()
    Bonus.objects.bulk_create(programme_rows(draft, parsed))
    audit.record(
        actor=actor,
        action="plan_version.revised",
        target=draft,
        before=before,
        after={"effective_from": str(effective_from), "hash": parsed.content_hash},
    )
    return draft


def copy_version(*, version: PlanVersion, effective_from: date, actor: User) -> PlanVersion:
    """A new draft with the document of an earlier version. Raises PlanRefused."""
    return create_version(
        plan=version.plan,
        definition=version.definition,
        effective_from=effective_from,
        actor=actor,
    )
