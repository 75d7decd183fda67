"""Staff enrol somebody, who is a distributor at once; a message may ask the person for the rest."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.events import told_together
from accounts.models import User
from accounts.services.registration import user_of_address
from genealogy.models import Distributor, Enrolment
from genealogy.services.completion import agreement_of
from genealogy.services.enrolment import EnrolmentRefused, enrol_distributor
from genealogy.services.enrolment_links import invite
from genealogy.services.enrolment_steps import is_open
from genealogy.services.enrolments import Person, start_sign_in
from genealogy.services.moves import MoveRefused, Place, first_day_for_moves
from genealogy.services.placement import place_by_hand, place_by_rule

Placement = Enrolment.Placement


class FieldRefused(EnrolmentRefused):
    """What staff asked for is not possible; `field` names what is at fault."""

    def __init__(self, message: str, field: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True)
class Application:
    """What staff know of somebody to be enrolled.

    Without `paper_signed_on` the agreement is asked for by the message, which needs an address.
    """

    person: Person
    sponsor: Distributor | None
    enroller: Distributor | None
    joined_on: date
    paper_signed_on: date | None = None
    placement: str = ""
    place: Place | None = None
    external_reference: str = ""


def refuse_unless_possible(application: Application) -> None:
    """Raise FieldRefused for the first thing that stands in the way; asked before, and again."""
    day, first = application.joined_on, first_day_for_moves()
    if day > timezone.localdate():
        raise FieldRefused("Nobody joins on a day to come.", "joined_on")
    if first and day < first:
        raise FieldRefused(
            f"The tree is final before {first:%d %B %Y}: a period that is closed used it.",
            "joined_on",
        )
    for field, person in (("sponsor", application.sponsor), ("enroller", application.enroller)):
        if person and person.status == Distributor.Status.TERMINATED:
            raise FieldRefused(f"{person} has left the company.", field)
        if person and day < person.joined_on:
            raise FieldRefused(f"{person} joined on {person.joined_on:%d %B %Y}.", "joined_on")
    _refuse_known_address(application.person.email)
    _refuse_without_agreement(application)


def _refuse_known_address(email: str) -> None:
    """Staff may know whose an address is, so that nobody waits for an answer that never comes."""
    user = user_of_address(email)
    if user is None:
        return
    if user.is_staff:
        raise FieldRefused("This is the address of somebody of the staff.", "email")
    if distributor := Distributor.objects.filter(user=user).first():
        raise FieldRefused(f"This is the address of {distributor}.", "email")


def _refuse_without_agreement(application: Application) -> None:
    signed_on = application.paper_signed_on
    if signed_on is None:
        if not application.person.email:
            raise FieldRefused("The agreement is asked for by a message: say to where.", "email")
        if not is_open():
            raise FieldRefused(
                "The company has published no agreement. Publish one under Consent texts.",
                "agreement",
            )
    elif signed_on > timezone.localdate():
        raise FieldRefused("This day is in the future.", "paper_signed_on")
    elif agreement_of(signed_on) is None:
        raise FieldRefused("No published agreement was in force on this day.", "paper_signed_on")


@transaction.atomic
@told_together()
def enrol_by_staff(*, application: Application, actor: User) -> Distributor:
    """Enrol somebody, give him a place, and ask him by mail to sign in where he has an address.

    Raises FieldRefused or EnrolmentRefused, and then nothing has happened.
    """
    refuse_unless_possible(application)
    person = application.person
    distributor = enrol_distributor(
        sponsor=application.sponsor,
        enroller=application.enroller,
        display_name=f"{person.first_name} {person.last_name}".strip(),
        joined_on=application.joined_on,
        actor=actor,
        country=person.country,
        external_reference=application.external_reference,
        is_placed_after=bool(application.placement),
    )
    if application.placement == Placement.RULE:
        place_by_rule(distributor=distributor)
    elif application.place is not None:
        try:
            place_by_hand(distributor=distributor, to=application.place, actor=actor)
        except MoveRefused as refused:
            raise FieldRefused(str(refused), _FIELDS.get(refused.field, "placement")) from refused
    if signed_on := application.paper_signed_on:
        audit.record(
            actor=actor,
            action="distributor.agreement_on_paper",
            target=distributor,
            after={"signed_on": str(signed_on), "text": str(agreement_of(signed_on))},
        )
    if person.email:
        ask_to_sign_in(
            distributor=distributor, person=person, actor=actor, paper_signed_on=signed_on
        )
    return distributor


_FIELDS = {"to_parent": "under", "to_leg": "leg"}


@transaction.atomic
def ask_to_sign_in(
    *, distributor: Distributor, person: Person, actor: User, paper_signed_on: date | None = None
) -> Enrolment:
    """Ask a distributor without an account by a message to agree and to choose a password.

    Raises EnrolmentRefused where he signs in, was asked already, or has left, and FieldRefused for
    an address that somebody else has.
    """
    _refuse_known_address(person.email)
    if distributor.status == Distributor.Status.TERMINATED:
        raise EnrolmentRefused(f"{distributor} has left the company.")
    if paper_signed_on is None and not is_open():
        raise EnrolmentRefused(
            "The company has published no agreement. Publish one under Consent texts."
        )
    enrolment = start_sign_in(
        distributor=distributor, person=person, actor=actor, paper_signed_on=paper_signed_on
    )
    return invite(enrolment=enrolment, actor=actor)
