"""Enrolments under way: begun by a link or by a sponsor, filled in step by step, ended once.

    enrolment = start_enrolment(claim=find_claim(code="ABCDEFGH"), started_by=None)
    write_person(enrolment=enrolment, person=Person(...), by=None)
    enrolment_links.invite(...) → the person opens the link → completion.complete_enrolment(...)

Each function takes one step whole or not at all, and may be called again: the last answer counts.
All raise EnrolmentRefused for what is over; the row is locked while it is written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import ConsentText, User
from accounts.numbering import take_number
from genealogy.models import Distributor, Enrolment
from genealogy.models.enrolment import NOTHING_PERSONAL
from genealogy.services.enrolment import EnrolmentRefused
from genealogy.services.moves import Place
from genealogy.services.placement import the_rule
from genealogy.services.referral_codes import current_code
from genealogy.services.referrals import Claim, why_not

logger = structlog.get_logger(__name__)

Status = Enrolment.Status
Placement = Enrolment.Placement
MOST_UNDER_WAY = 50


@dataclass(frozen=True)
class Person:
    """Who joins. A sponsor says neither birth date nor phone: these are the person's to tell."""

    first_name: str
    last_name: str
    country: str
    email: str
    birth_date: date | None = None
    phone: str = ""


def start_enrolment(*, claim: Claim, started_by: User | None) -> Enrolment:
    """Begin an enrolment under whoever's claim it is; `started_by` is a sponsor, or nobody."""
    return _begin(started_by, code=claim.code, click=claim.click)


@transaction.atomic
def start_for_somebody(*, sponsor: Distributor, actor: User, person: Person) -> Enrolment:
    """Begin one as a sponsor, by the own code. Raises EnrolmentRefused where it does not work."""
    code = current_code(sponsor)
    if code is None:
        raise EnrolmentRefused("You have no code yet. Make one on the page of your referrals.")
    if Enrolment.objects.under_way().filter(started_by=actor).count() >= MOST_UNDER_WAY:
        raise EnrolmentRefused(
            f"{MOST_UNDER_WAY} of your invitations are open. Cancel one that nobody needs."
        )
    if why_not(code):
        raise EnrolmentRefused(
            "You can enrol nobody at present: the company takes no invitations, or your own "
            "membership is not active."
        )
    enrolment = start_enrolment(claim=Claim(code), started_by=actor)
    return write_person(enrolment=enrolment, person=person, by=actor)


@transaction.atomic
def start_sign_in(
    *, distributor: Distributor, person: Person, actor: User, paper_signed_on: date | None = None
) -> Enrolment:
    """Begin to ask a distributor without an account to sign in. Raises EnrolmentRefused."""
    if distributor.user_id:
        raise EnrolmentRefused(f"{distributor} signs in already.")
    try:
        with transaction.atomic():
            enrolment = _begin(
                actor,
                is_sign_in=True,
                distributor=distributor,
                paper_signed_on=paper_signed_on,
            )
    except IntegrityError as error:
        if "genealogy_enrolment_one_sign_in" not in str(error):
            raise
        raise EnrolmentRefused(f"{distributor} was asked to sign in already.") from error
    return write_person(enrolment=enrolment, person=person, by=actor)


@transaction.atomic
def _begin(started_by: User | None, **facts: Any) -> Enrolment:
    enrolment = Enrolment.objects.create(
        number=take_number("E"),
        started_by=started_by,
        expires_at=timezone.now() + timedelta(days=settings.ENROLMENT_OPEN_DAYS),
        **facts,
    )
    sponsor = enrolment.sponsor
    note(enrolment, "started", started_by, {"sponsor": sponsor.number if sponsor else None})
    return enrolment


# The steps


@transaction.atomic
def change_sponsor(*, enrolment: Enrolment, claim: Claim) -> Enrolment:
    """Come by somebody else's code. A place that the former one chose is chosen no more."""
    enrolment = held(enrolment)
    if enrolment.is_sign_in or enrolment.started_by_id:
        raise EnrolmentRefused("Whoever invited you is your sponsor in this enrolment.")
    changes: dict[str, Any] = {"code": claim.code, "click": claim.click}
    if enrolment.code_id != claim.code.pk:
        changes |= {"placement": "", "place_parent": None, "place_leg": None}
        note(enrolment, "sponsor_changed", None, {"sponsor": claim.referrer.number})
    return _write(enrolment, **changes)


@transaction.atomic
def write_person(*, enrolment: Enrolment, person: Person, by: User | None) -> Enrolment:
    """Who joins. With another address a link that is on its way works no more.

    Once the link was opened the address is the person's and stays. Raises EnrolmentRefused.
    """
    enrolment = held(enrolment)
    email = person.email.lower()
    if enrolment.is_confirmed and by is not None and by == enrolment.started_by:
        raise EnrolmentRefused("The person has taken over: nothing is changed here any more.")
    changes: dict[str, Any] = {
        "first_name": person.first_name.strip(),
        "last_name": person.last_name.strip(),
        "country": person.country.strip(),
    }
    if by is None or by != enrolment.started_by:
        changes |= {"birth_date": person.birth_date, "phone": person.phone.strip()}
    if email != enrolment.email:
        if enrolment.is_confirmed:
            raise EnrolmentRefused("The address was confirmed and stays. Begin anew for another.")
        changes |= {"email": email, "link_digest": "", "link_sent_at": None}
    return _write(enrolment, **changes)


@transaction.atomic
def choose_place(
    *, enrolment: Enrolment, choice: str, place: Place | None, by: User | None
) -> Enrolment:
    """Where the person goes in the placement tree: by the rule, later, or where `place` says.

    A place by hand is the sponsor's to choose, or the staff's. Raises EnrolmentRefused.
    """
    enrolment = held(enrolment)
    rule = the_rule()
    if rule is None:
        raise EnrolmentRefused("The company places nobody.")
    if choice == Placement.WAIT and rule.waiting_days == 0:
        raise EnrolmentRefused("Nobody waits for a place: the company's rule gives one at once.")
    if (choice == Placement.BY_HAND) != (place is not None):
        raise EnrolmentRefused("Choose a place.")
    if choice == Placement.BY_HAND and (by is None or by != enrolment.started_by):
        raise EnrolmentRefused("Only the sponsor or the staff choose a place by hand.")
    return _write(
        enrolment,
        placement=choice,
        place_parent=place.parent if place else None,
        place_leg=place.leg if place else None,
    )


@transaction.atomic
def agree(*, enrolment: Enrolment, texts: Sequence[ConsentText]) -> Enrolment:
    """Note to which texts the person agreed, in place of what was noted before."""
    enrolment = held(enrolment)
    enrolment.agreed_to.set(texts)
    note(enrolment, "agreed", None, {"texts": sorted(str(text) for text in texts)})
    return _write(enrolment, agreed_at=timezone.now())


@transaction.atomic
def choose_order(*, enrolment: Enrolment, lines: Iterable[tuple[str, int]]) -> Enrolment:
    """What is ordered with the enrolment, by SKU and quantity; nothing is an answer too."""
    kept = [{"sku": sku, "quantity": quantity} for sku, quantity in lines if quantity]
    return _write(held(enrolment), order_lines=kept)


# The end


@transaction.atomic
def cancel_enrolment(*, enrolment: Enrolment, actor: User | None, reason: str) -> Enrolment:
    """Stop it for good and delete what was typed. Raises EnrolmentRefused when it is over."""
    if not reason.strip():
        raise EnrolmentRefused("Say why.")
    enrolment = held(enrolment)
    end(enrolment, Status.CANCELLED, reason=reason.strip())
    note(enrolment, "cancelled", actor, {}, reason=reason.strip())
    return enrolment


def expire_enrolments() -> int:
    """End those whose time is over and delete what was typed; returns how many."""
    over = Enrolment.objects.under_way().filter(expires_at__lte=timezone.now())
    count = over.update(
        status=Status.EXPIRED, ended_at=timezone.now(), link_wanted_at=None, **NOTHING_PERSONAL
    )
    if count:
        logger.info("enrolments expired", count=count)
    return count


def end(enrolment: Enrolment, status: str, **facts: Any) -> None:
    """Write a locked row's end: from here on nothing personal is left in it."""
    reason = facts.pop("reason", "")
    _write(
        enrolment,
        status=status,
        ended_at=timezone.now(),
        ended_reason=reason,
        link_wanted_at=None,
        **facts,
        **NOTHING_PERSONAL,
    )


# What all of them share


def held(enrolment: Enrolment) -> Enrolment:
    """The row as it is now, locked. Raises EnrolmentRefused when it is over."""
    rows = Enrolment.objects.with_people().select_for_update(of=("self",), no_key=True)
    enrolment = rows.get(pk=enrolment.pk)
    if not enrolment.is_under_way:
        raise EnrolmentRefused(over(enrolment))
    return enrolment


def over(enrolment: Enrolment) -> str:
    """How an enrolment ended, in words for whoever comes back to it."""
    if enrolment.status == Status.COMPLETED:
        return "This enrolment is completed. Sign in to go on."
    if enrolment.status == Status.CANCELLED:
        return "This enrolment was cancelled, and what was typed is deleted."
    return "This enrolment was left for too long, and what was typed is deleted. Begin anew."


def note(
    enrolment: Enrolment, verb: str, actor: User | None, after: dict[str, Any], reason: str = ""
) -> None:
    """Who did what with it. Nothing personal goes in: this record is kept for good."""
    audit.record(
        actor=actor, action=f"enrolment.{verb}", target=enrolment, after=after, reason=reason
    )


def _write(enrolment: Enrolment, **changes: Any) -> Enrolment:
    for name, value in changes.items():
        setattr(enrolment, name, value)
    enrolment.save(update_fields=list(changes))
    return enrolment
