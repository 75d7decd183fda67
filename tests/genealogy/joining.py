"""Short ways through an enrolment, for the tests of its services and of its pages."""

import re
from datetime import date

from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import ConsentText, User
from accounts.services.consents import publish_text
from genealogy.models import Distributor, Enrolment
from genealogy.services.enrolment_links import confirm, invite, send_message
from genealogy.services.enrolment_steps import texts_to_show
from genealogy.services.enrolments import (
    Person,
    agree,
    choose_order,
    start_enrolment,
    write_person,
)
from genealogy.services.referral_codes import current_code
from genealogy.services.referrals import Claim
from tests.cast import Cast

SECRET = "a quiet harbour at dusk"
NIA = Person(
    first_name="Nia",
    last_name="Okoro",
    country="Ireland",
    email="nia@example.com",
    birth_date=date(1990, 5, 17),
    phone="+353 1 555 0100",
)
NIA_TYPED = {
    "first_name": "Nia",
    "last_name": "Okoro",
    "country": "Ireland",
    "email": "Nia@example.com",
    "birth_date": "1990-05-17",
    "phone": "+353 1 555 0100",
}


def publish(cast: Cast, *purposes: str, version: str = "1") -> list[ConsentText]:
    """Texts in force from today on; the agreement where nothing else is said."""
    return [
        publish_text(
            purpose=purpose,
            version=version,
            title=f"{purpose} {version}",
            body="First paragraph.\n\nSecond paragraph.",
            effective_from=timezone.localdate(),
            actor=cast.user("ada"),
        )
        for purpose in purposes or ("distributor_agreement",)
    ]


def code_of(distributor: Distributor) -> str:
    code = current_code(distributor)
    assert code
    return code.code


def delivered(enrolment: Enrolment) -> str:
    """What the task does; returns the path of the link in the message.

    Where a worker of another test is about and was faster, one more message is asked for, again.
    """
    for _ in range(4):
        if send_message(enrolment.pk):
            return link_in(mail.outbox[-1].body)
        Enrolment.objects.filter(pk=enrolment.pk).update(link_wanted_at=timezone.now())
    raise AssertionError("No message was ours to send.")


def link_in(text: str) -> str:
    return re.search(r"https?://[^/\s]+(/join/link/\S+)", text)[1]


def token_of(path: str) -> str:
    return path.strip("/").rpartition("/")[2]


def begun(sponsor: Distributor, *, by: User | None = None, person: Person = NIA) -> Enrolment:
    code = current_code(sponsor)
    assert code
    enrolment = start_enrolment(claim=Claim(code), started_by=by)
    return write_person(enrolment=enrolment, person=person, by=by)


def ready(sponsor: Distributor, **begin: object) -> Enrolment:
    """All steps are taken but the last."""
    enrolment = begun(sponsor, **begin)
    invite(enrolment=enrolment, actor=None)
    enrolment = confirm(token=token_of(delivered(enrolment)))
    write_person(enrolment=enrolment, person=NIA, by=None)
    agree(enrolment=enrolment, texts=texts_to_show(enrolment))
    choose_order(enrolment=enrolment, lines=[])
    enrolment.refresh_from_db()
    return enrolment


def join(client: Client, sponsor: Distributor) -> Enrolment:
    """Begin on a device by the code, the name confirmed."""
    client.post("/join/", {"code": code_of(sponsor), "confirmed": "yes"})
    return Enrolment.objects.latest("pk")
