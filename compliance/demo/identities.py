"""Identity papers in every state: most verified, some waiting, one refused, one expired later."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from compliance.demo.people import Person
from compliance.demo.pictures import passport
from compliance.models import KYCDocument
from compliance.services.images import clean_picture
from compliance.services.kyc import reject_document, submit_document, verify_document


def hand_in(user: User, person: Person, *, blurred: bool = False) -> KYCDocument:
    """Send in a specimen passport for somebody."""
    declared: dict[str, Any] = {
        "document_type": KYCDocument.DocumentType.PASSPORT,
        "full_name": user.get_full_name(),
        "date_of_birth": person.date_of_birth,
        "expires_on": valid_until(person),
        **person.address,
    }
    return submit_document(
        user=user,
        declared=declared,
        number=person.passport_number,
        front=clean_picture(passport(person, blurred=blurred)),
        back=None,
    )


def valid_until(person: Person) -> date:
    return timezone.localdate() + timedelta(days=500 + person.place * 37 % 2500)


def verify(user: User, person: Person, reviewer: User) -> None:
    verify_document(document=hand_in(user, person), actor=reviewer)


def refuse_blurred(user: User, person: Person, reviewer: User) -> None:
    reject_document(
        document=hand_in(user, person, blurred=True),
        actor=reviewer,
        reason=KYCDocument.Reason.UNREADABLE,
        note="Please photograph the page with the picture again, in daylight and without a flash.",
    )
