"""Identity papers: sent in, reviewed by somebody else, expired; each step with its facts."""

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.events import publish
from accounts.history import explain_change
from accounts.models import User
from accounts.numbering import take_number
from accounts.permissions import require
from compliance.models import KYCDocument, KYCImage
from compliance.models.kyc import KYC_EDGES
from compliance.services.images import Picture
from compliance.services.numbers import number_index
from mlmcrm.transitions import advance

Status = KYCDocument.Status
# A verified person may send the next paper this long before the last one expires.
RENEWAL = timedelta(days=60)


class SubmissionRefused(Exception):
    """No paper can be sent in now; the message says why."""


class ReviewRefused(Exception):
    """This person may not decide about this paper, or the decision lacks something."""


def refusal(user: User, latest: KYCDocument | None) -> str:
    """Why the user cannot send in a paper now; empty when he can."""
    if latest is None:
        return ""
    if latest.status == Status.PENDING:
        return "Your document is in review. You can send another one when it has been checked."
    if latest.status == Status.VERIFIED and not is_due_for_renewal(latest):
        return "Your identity is verified. There is nothing to send."
    return ""


def is_due_for_renewal(document: KYCDocument) -> bool:
    return document.expires_on is not None and document.expires_on <= timezone.localdate() + RENEWAL


@transaction.atomic
def submit_document(
    *, user: User, declared: dict[str, Any], number: str, front: Picture, back: Picture | None
) -> KYCDocument:
    """Book a paper for review, its pictures sealed, naming the one it replaces.

    `declared` holds the model's declared fields; `number` is checked already, and of an Aadhaar
    only its last four digits and the blind index remain. Raises SubmissionRefused.
    """
    user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
    latest = KYCDocument.objects.filter(user=user).order_by("-pk").first()
    if reason := refusal(user, latest):
        raise SubmissionRefused(reason)
    document = KYCDocument(number=take_number("K"), user=user, resubmission_of=latest, **declared)
    document.document_number = number
    document.document_number_index = number_index(document.document_type, number)
    document._history_user = user  # type: ignore[attr-defined]
    document._change_reason = "Submitted"  # type: ignore[attr-defined]
    document.save()
    _keep_pictures(document, front, back)
    if user.kyc_status != User.KYCStatus.VERIFIED:
        _set_facts(user, actor=user, reason="Document submitted", kyc_status="pending")
    record(actor=user, action="kyc.submitted", target=document, after=_summary(document))
    publish(
        "kyc.submitted",
        users=[user],
        staff=True,
        ref=document.number,
        document=document.get_document_type_display(),
        person=document.full_name,
    )
    return document


def _keep_pictures(document: KYCDocument, front: Picture, back: Picture | None) -> None:
    for side, picture in (("front", front), ("back", back)):
        if picture is not None:
            image = KYCImage(document=document, side=side, sha256=picture.sha256)
            image.width, image.height = picture.width, picture.height
            image.content = picture.content
            image.save()


@transaction.atomic
def verify_document(*, document: KYCDocument, actor: User) -> KYCDocument:
    """Accept the paper: the person's identity is verified, and payouts are open to him.

    Raises ReviewRefused, and TransitionRefused when somebody else has decided meanwhile.
    """
    document, user = _locked(document, actor)
    if document.expires_on and document.expires_on < timezone.localdate():
        raise ReviewRefused("The document has expired. Reject it with that reason.")
    _decide(document, actor, Status.VERIFIED, "Verified")
    _set_facts(
        user,
        actor=actor,
        reason=f"{document.number} verified",
        kyc_status="verified",
        kyc_verified_at=document.reviewed_at,
        kyc_verified_by=actor,
        kyc_document_number=f"****{document.document_number_last4}",
    )
    _tell("kyc.verified", document, document.get_document_type_display())
    return document


@transaction.atomic
def reject_document(
    *, document: KYCDocument, actor: User, reason: str, note: str = ""
) -> KYCDocument:
    """Refuse the paper with a reason of the list and a note, both of which the person reads.

    A person who is verified by an earlier paper stays so until that expires. Raises
    ReviewRefused, and TransitionRefused when somebody else has decided meanwhile.
    """
    if reason not in KYCDocument.Reason.values:
        raise ReviewRefused("Choose a reason.")
    document, user = _locked(document, actor)
    label = str(KYCDocument.Reason(reason).label)
    _decide(document, actor, Status.REJECTED, label, rejection_code=reason, rejection_note=note)
    if user.kyc_status != User.KYCStatus.VERIFIED:
        _set_facts(user, actor=actor, reason=f"{document.number}: {label}", kyc_status="rejected")
    _tell(
        "kyc.rejected", document, document.get_document_type_display(), f"{label}. {note}".strip()
    )
    return document


def expire_documents(*, today: date | None = None) -> int:
    """Expire verified papers whose last day has passed. Running it again changes nothing."""
    due = KYCDocument.objects.filter(
        status=Status.VERIFIED, expires_on__lt=today or timezone.localdate()
    )
    count = 0
    for document in due.order_by("pk").iterator():
        count += _expire(document)
    return count


@transaction.atomic
def _expire(document: KYCDocument) -> bool:
    user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=document.user_id)
    document = KYCDocument.objects.select_for_update(of=("self",), no_key=True).get(pk=document.pk)
    if document.status != Status.VERIFIED:
        return False
    advance(document, Status.EXPIRED, KYC_EDGES)
    _write_history(document, None, "Expired")
    record(actor=None, action="kyc.expired", target=document, after=_summary(document))
    if not KYCDocument.objects.filter(user=user, status=Status.VERIFIED).exists():
        waits = KYCDocument.objects.filter(user=user, status=Status.PENDING).exists()
        status = "pending" if waits else "expired"
        _set_facts(user, actor=None, reason=f"{document.number} expired", kyc_status=status)
    _tell("kyc.expired", document, document.get_document_type_display())
    return True


def _locked(document: KYCDocument, actor: User) -> tuple[KYCDocument, User]:
    """The subject's row, locked, and a fresh document; always in this order."""
    require(actor, "compliance.review_kycdocument")
    if actor.pk == document.user_id:
        raise ReviewRefused("Nobody reviews his own document.")
    user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=document.user_id)
    return KYCDocument.objects.get(pk=document.pk), user


def _decide(document: KYCDocument, actor: User, status: str, reason: str, **fields: str) -> None:
    advance(document, status, KYC_EDGES, reviewed_by=actor, reviewed_at=timezone.now(), **fields)
    _write_history(document, actor, reason)
    record(
        actor=actor,
        action=f"kyc.{status}",
        target=document,
        before={"status": "pending"},
        after=_summary(document),
        reason=reason,
    )


def _write_history(document: KYCDocument, actor: User | None, reason: str) -> None:
    """The conditional update goes round save(), which would have written it."""
    KYCDocument.history.bulk_history_create(
        [document], update=True, default_user=actor, default_change_reason=reason
    )


def _set_facts(user: User, *, actor: User | None, reason: str, **facts: Any) -> None:
    """What the apps above ask for, written down to the user."""
    for name, value in facts.items():
        setattr(user, name, value)
    explain_change(user, actor=actor, reason=reason)
    user.save(update_fields=[*facts, "updated_at"])


def _tell(name: str, document: KYCDocument, kind: str, reason: str = "") -> None:
    facts = {"document": kind, "person": document.full_name, "reason": reason}
    publish(name, users=[document.user_id], staff=True, ref=document.number, **facts)


def _summary(document: KYCDocument) -> dict[str, Any]:
    """What the audit record keeps of a paper: no name, no number."""
    return {
        "status": document.status,
        "document_type": document.document_type,
        "rejection_code": document.rejection_code,
    }
