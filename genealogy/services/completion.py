"""The end of an enrolment: account, consents, place in the trees and first order, all or nothing.

    enrolment = complete_enrolment(enrolment=enrolment, account=None, password="...")

One transaction under the enrolment's lock: whoever presses twice, in two windows or after a crash,
becomes one distributor.
"""

from datetime import date

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.events import publish, told_together
from accounts.history import explain_change
from accounts.models import ConsentText, User
from accounts.services import consents
from accounts.services.registration import (
    Registration,
    RegistrationRefused,
    complete_profile,
    register_user,
    user_of_address,
)
from genealogy.models import Distributor, Enrolment
from genealogy.models.node import Tree
from genealogy.services.enrolment import EnrolmentRefused, enrol_distributor
from genealogy.services.enrolment_steps import (
    Purpose,
    Step,
    first_obstacle,
    steps_for_person,
    texts_to_show,
)
from genealogy.services.enrolments import end, held, note
from genealogy.services.first_orders import first_orders
from genealogy.services.locks import lock_trees, stand_behind_the_clock
from genealogy.services.moves import MoveRefused, Place
from genealogy.services.placement import place_by_hand, place_by_rule, the_rule
from genealogy.services.referral_codes import issue_codes
from genealogy.services.referrals import Claim

Placement = Enrolment.Placement


class StepRefused(EnrolmentRefused):
    """The enrolment cannot be completed before a step is taken, again perhaps; `step` names it."""

    def __init__(self, message: str, step: Step) -> None:
        self.step = step
        super().__init__(message)


@transaction.atomic
@told_together()
def complete_enrolment(
    *, enrolment: Enrolment, account: User | None, password: str = ""
) -> Enrolment:
    """Carry out all that was typed: with the account that is signed in, or with a new one.

    All steps are checked again. What was completed before is returned as it is. Raises
    StepRefused or EnrolmentRefused, and then nothing has happened.
    """
    password_hash = make_password(password) if account is None else ""  # before any lock
    now = Enrolment.objects.select_for_update(of=("self",), no_key=True).get(pk=enrolment.pk)
    if now.status == Enrolment.Status.COMPLETED:
        return now
    lock_trees(*Tree)  # behind them the sponsor is as the enrolment will find him
    stand_behind_the_clock()
    enrolment = held(now)
    if obstacle := first_obstacle(enrolment, steps_for_person(enrolment)):
        raise StepRefused(obstacle.words, obstacle.step)
    user = _account(enrolment, account, password_hash)
    _give_consents(enrolment, user)
    if enrolment.code:
        distributor = _enrol(enrolment, Claim(enrolment.code, enrolment.click), user)
    else:
        distributor = _sign_in(enrolment, user)
    after = {"distributor": distributor.number}
    if enrolment.order_lines:
        orders = first_orders().place(distributor, enrolment.order_lines, user)
        after["orders"] = ", ".join(orders)
    end(enrolment, Enrolment.Status.COMPLETED, distributor=distributor)
    note(enrolment, "completed", user, after)
    return enrolment


def _account(enrolment: Enrolment, account: User | None, password_hash: str) -> User:
    registration = Registration(
        email=enrolment.email,
        first_name=enrolment.first_name,
        last_name=enrolment.last_name,
        birth_date=enrolment.birth_date,
        country=enrolment.country,
        phone=enrolment.phone,
    )
    if account is None:
        try:
            return register_user(registration=registration, password_hash=password_hash)
        except RegistrationRefused as refused:
            raise EnrolmentRefused(str(refused)) from refused
    if user_of_address(enrolment.email) != account:
        raise EnrolmentRefused(f"This enrolment is not for {account.email}.")
    if account.is_staff:
        raise EnrolmentRefused("An account of the staff cannot become a distributor.")
    complete_profile(user=account, registration=registration)
    return account


def _give_consents(enrolment: Enrolment, user: User) -> None:
    shown = texts_to_show(enrolment)
    agreed = set(enrolment.agreed_to.values_list("pk", flat=True))
    shows = {"email", "phone"} if user.phone else {"email"}
    for text in shown:
        if text.pk in agreed:
            consents.give(user=user, text=text, actor=user, channel="enrolment", shows=shows)
    signed_on = enrolment.paper_signed_on
    signed = agreement_of(signed_on) if signed_on else None
    if signed and enrolment.started_by:
        consents.give(user=user, text=signed, actor=enrolment.started_by, channel="paper")


def agreement_of(day: date) -> ConsentText | None:
    """The distributor agreement that was in force on a day."""
    return consents.text_in_force(Purpose.DISTRIBUTOR_AGREEMENT, on=day)


def _enrol(enrolment: Enrolment, claim: Claim, user: User) -> Distributor:
    distributor = enrol_distributor(
        sponsor=None,
        display_name=enrolment.person,
        joined_on=timezone.localdate(),
        actor=user,
        user=user,
        country=enrolment.country,
        claim=claim,
        is_placed_after=bool(enrolment.placement),
    )
    _place(enrolment, distributor)
    return distributor


def _place(enrolment: Enrolment, distributor: Distributor) -> None:
    """As was chosen. Where a place by hand is not free any more, the sponsor is told, and the
    person waits for another one: that is no fault of his."""
    if enrolment.placement == Placement.RULE:
        place_by_rule(distributor=distributor)
    is_by_hand = enrolment.placement == Placement.BY_HAND and the_rule() is not None
    if not is_by_hand or enrolment.started_by is None:
        return
    place = Place(enrolment.place_parent, enrolment.place_leg)
    try:
        with transaction.atomic():
            place_by_hand(distributor=distributor, to=place, actor=enrolment.started_by)
    except MoveRefused:
        publish(
            "enrolment.place_taken",
            users=[enrolment.started_by],
            ref=distributor.number,
            person=distributor.display_name,
        )


def _sign_in(enrolment: Enrolment, user: User) -> Distributor:
    """Give an existing distributor the account."""
    rows = Distributor.objects.select_for_update(of=("self",), no_key=True)
    distributor = rows.get(enrolments=enrolment)
    if distributor.user_id is not None:
        raise EnrolmentRefused(f"{distributor.number} has an account already. Sign in with it.")
    if distributor.status == Distributor.Status.TERMINATED:
        raise EnrolmentRefused(f"{distributor.number} has left the company.")
    if Distributor.objects.filter(user=user).exists():
        raise EnrolmentRefused(f"{user.email} is a distributor already.")
    distributor.user = user
    explain_change(distributor, actor=user, reason="Signed in for the first time")
    distributor.save(update_fields=["user", "updated_at"])
    issue_codes([distributor.pk], user)
    return distributor
