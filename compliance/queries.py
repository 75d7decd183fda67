"""What a reviewer wants to know about a paper besides the paper."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from compliance.models import KYCDocument


@dataclass(frozen=True)
class Comparison:
    """One declared thing beside what the profile says; None when the profile is silent."""

    label: str
    declared: Any
    known: Any

    @property
    def fits(self) -> bool | None:
        if not self.known:
            return None
        return _plain(self.declared) == _plain(self.known)


def _plain(value: Any) -> str:
    return " ".join(str(value).casefold().split())


def comparisons(document: KYCDocument) -> list[Comparison]:
    profile = getattr(document.user, "profile", None)
    address = profile.address if profile else {}
    known_name = profile.full_name if profile else ""
    known_birth = profile.date_of_birth if profile else None
    return [
        Comparison("Full name", document.full_name, known_name),
        Comparison("Date of birth", document.date_of_birth, known_birth),
        Comparison("Street and number", document.address_line, address.get("address_line")),
        Comparison("City", document.city, address.get("city")),
        Comparison("Postcode", document.postal_code, address.get("postal_code")),
        Comparison("Country", document.country, address.get("country")),
    ]


def same_paper(document: KYCDocument) -> QuerySet[KYCDocument]:
    """Papers of other people with the same number."""
    return (
        KYCDocument.objects.filter(document_number_index=document.document_number_index)
        .exclude(user=document.user_id)
        .select_related("user")[:20]
    )


def same_person(document: KYCDocument) -> QuerySet[KYCDocument]:
    """Papers of other users with the same name and date of birth."""
    return (
        KYCDocument.objects.filter(
            full_name__iexact=document.full_name, date_of_birth=document.date_of_birth
        )
        .exclude(user=document.user_id)
        .select_related("user")[:20]
    )


def earlier_versions(document: KYCDocument) -> QuerySet[KYCDocument]:
    return (
        KYCDocument.objects.filter(user=document.user_id, pk__lt=document.pk)
        .select_related("reviewed_by")
        .order_by("-pk")[:20]
    )


def next_waiting(reviewer: User, *, after: KYCDocument | None = None) -> KYCDocument | None:
    """The oldest paper that waits and that the reviewer may decide about."""
    waiting = KYCDocument.objects.waiting().exclude(user=reviewer)
    if after is not None:
        waiting = waiting.exclude(pk=after.pk)
    return waiting.first()


def queue_figures() -> dict[str, int]:
    return KYCDocument.objects.aggregate(
        waiting=Count("pk", filter=Q(status="pending")),
        resubmitted=Count("pk", filter=Q(status="pending", resubmission_of__isnull=False)),
    )


def steps_of(document: KYCDocument) -> list[dict[str, Any]]:
    """What happened to the paper, by whom and why, from its history."""
    rows = list(document.history.order_by("history_date", "history_id"))
    people = User.objects.select_related("profile").in_bulk(
        {row.history_user_id for row in rows if row.history_user_id}
    )
    return [
        {
            "at": row.history_date,
            "status": row.status,
            "reason": row.history_change_reason,
            "who": people.get(row.history_user_id),
        }
        for row in rows
    ]
