"""A paper's way from submission to verdict, and what the person's record says meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent, Event, Notification, User
from compliance.models import KYCDocument
from compliance.services import kyc
from mlmcrm.transitions import TransitionRefused
from tests.kyc.papers import AADHAAR, PAN, picture, submitted

pytestmark = pytest.mark.django_db


def facts(user: User) -> tuple[str, bool, str]:
    user.refresh_from_db()
    return user.kyc_status, user.kyc_verified_at is not None, user.kyc_document_number


def told(user: User) -> list[str]:
    rows = Notification.objects.filter(user=user).order_by("pk")
    return list(rows.values_list("event__name", flat=True))


def test_submission_is_sealed_and_waits(cast) -> None:
    chloe = cast.user("chloe")

    document = submitted(chloe)

    document.refresh_from_db()
    assert document.status == "pending"
    assert document.document_number == PAN
    assert PAN not in document.document_number_sealed
    assert document.document_number_last4 == "234F"
    assert facts(chloe) == ("pending", False, "")
    assert told(chloe) == ["kyc.submitted"]
    assert Event.objects.filter(stream_id="staff", name="kyc.submitted").count() == 1
    image = document.images.get()
    assert image.content.startswith(b"\xff\xd8\xff")
    assert b"\xff\xd8\xff" not in bytes(image.sealed_content)[:40]


def test_aadhaar_number_is_not_kept_at_all(cast) -> None:
    document = submitted(cast.user("chloe"), number=AADHAAR, document_type="aadhaar")

    document.refresh_from_db()
    assert document.document_number_sealed == ""
    assert document.document_number == ""
    assert document.document_number_last4 == "2346"


def test_verification_opens_payouts_and_tells_the_person(cast) -> None:
    chloe, ada = cast.user("chloe"), cast.user("ada")
    document = submitted(chloe)

    kyc.verify_document(document=document, actor=ada)

    document.refresh_from_db()
    assert (document.status, document.reviewed_by) == ("verified", ada)
    assert facts(chloe) == ("verified", True, "****234F")
    assert chloe.kyc_verified_by == ada
    assert told(chloe) == ["kyc.submitted", "kyc.verified"]
    row = chloe.history.first()
    assert (row.history_user_id, row.history_change_reason) == (
        ada.pk,
        f"{document.number} verified",
    )
    assert [row.history_change_reason for row in document.history.all()] == [
        "Verified",
        "Submitted",
    ]


def test_rejection_says_why_and_the_next_paper_names_the_old_one(cast) -> None:
    chloe, ada = cast.user("chloe"), cast.user("ada")
    first = submitted(chloe)

    kyc.reject_document(document=first, actor=ada, reason="unreadable", note="Use daylight.")
    assert facts(chloe) == ("rejected", False, "")
    event = Event.objects.get(stream_id=f"user:{chloe.pk}", name="kyc.rejected")
    assert event.facts["reason"] == "The picture cannot be read. Use daylight."
    second = submitted(chloe)

    assert second.resubmission_of == first
    assert facts(chloe) == ("pending", False, "")
    assert KYCDocument.objects.filter(user=chloe).count() == 2


def test_only_one_paper_waits_at_a_time(cast) -> None:
    chloe = cast.user("chloe")
    submitted(chloe)

    with pytest.raises(kyc.SubmissionRefused, match="in review"):
        submitted(chloe)

    assert KYCDocument.objects.count() == 1


def test_verified_person_has_nothing_to_send(cast) -> None:
    chloe = cast.user("chloe")
    kyc.verify_document(document=submitted(chloe), actor=cast.user("ada"))

    with pytest.raises(kyc.SubmissionRefused, match="nothing to send"):
        submitted(chloe)


def test_nobody_reviews_his_own_paper(cast) -> None:
    ada = cast.user("ada")
    document = submitted(ada)

    with pytest.raises(kyc.ReviewRefused, match="own document"):
        kyc.verify_document(document=document, actor=ada)

    document.refresh_from_db()
    assert document.status == "pending"


@pytest.mark.parametrize("name", ["mona", "fiona", "otto", "ben"])
def test_reviewing_needs_the_right(cast, name: str) -> None:
    document = submitted(cast.user("chloe"))

    with pytest.raises(PermissionDenied):
        kyc.verify_document(document=document, actor=cast.user(name))

    document.refresh_from_db()
    assert document.status == "pending"


def test_second_decision_is_refused_and_changes_nothing(cast) -> None:
    chloe, ada, sam = cast.user("chloe"), cast.user("ada"), cast.user("sam")
    document = submitted(chloe)
    kyc.verify_document(document=document, actor=ada)

    with pytest.raises(TransitionRefused):
        kyc.reject_document(document=document, actor=sam, reason="unreadable")

    assert facts(chloe)[0] == "verified"
    assert told(chloe) == ["kyc.submitted", "kyc.verified"]


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_one_decides(cast) -> None:
    chloe = cast.user("chloe")
    document = submitted(chloe)
    line = Barrier(2)

    def decide(name: str) -> str:
        try:
            stale = KYCDocument.objects.get(pk=document.pk)
            line.wait()
            if name == "ada":
                kyc.verify_document(document=stale, actor=cast.user("ada"))
            else:
                kyc.reject_document(document=stale, actor=cast.user("sam"), reason="unreadable")
            return name
        except TransitionRefused:
            return ""
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        winners = [name for name in pool.map(decide, ["ada", "sam"]) if name]

    assert len(winners) == 1
    document.refresh_from_db()
    assert document.reviewed_by == cast.user(winners[0])
    assert facts(chloe)[0] == ("verified" if winners == ["ada"] else "rejected")
    assert AuditEvent.objects.filter(action__in=["kyc.verified", "kyc.rejected"]).count() == 1


def passport(user: User, expires_on: date) -> KYCDocument:
    return submitted(user, number="A1234567", document_type="passport", expires_on=expires_on)


def test_expired_paper_closes_payouts_once(cast) -> None:
    chloe = cast.user("chloe")
    today = timezone.localdate()
    document = passport(chloe, today + timedelta(days=1))
    kyc.verify_document(document=document, actor=cast.user("ada"))

    assert kyc.expire_documents(today=today + timedelta(days=1)) == 0
    assert kyc.expire_documents(today=today + timedelta(days=2)) == 1
    assert kyc.expire_documents(today=today + timedelta(days=2)) == 0

    document.refresh_from_db()
    assert document.status == "expired"
    assert facts(chloe)[0] == "expired"
    assert told(chloe) == ["kyc.submitted", "kyc.verified", "kyc.expired"]


def test_renewal_keeps_the_person_verified_all_along(cast) -> None:
    chloe, ada = cast.user("chloe"), cast.user("ada")
    today = timezone.localdate()
    kyc.verify_document(document=passport(chloe, today + timedelta(days=30)), actor=ada)

    refused = passport(chloe, today + timedelta(days=3000))
    assert facts(chloe)[0] == "verified"
    kyc.reject_document(document=refused, actor=ada, reason="unreadable")
    assert facts(chloe)[0] == "verified"


def test_expired_paper_is_not_verified(cast) -> None:
    document = passport(cast.user("chloe"), timezone.localdate() - timedelta(days=1))

    with pytest.raises(kyc.ReviewRefused, match="has expired"):
        kyc.verify_document(document=document, actor=cast.user("ada"))


def test_back_is_kept_beside_the_front(cast) -> None:
    document = kyc.submit_document(
        user=cast.user("chloe"),
        declared={
            "document_type": "aadhaar",
            "full_name": "Chloe Martin",
            "date_of_birth": date(1990, 5, 17),
            "address_line": "12 Quay Street",
            "city": "Bristol",
            "postal_code": "BS1 4DJ",
            "country": "United Kingdom",
        },
        number=AADHAAR,
        front=picture(),
        back=picture(),
    )

    assert set(document.images.values_list("side", flat=True)) == {"front", "back"}
