"""The steps of an enrolment, and what each of them still wants: asked on every page, and of all of
them together at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone

from accounts.models import ConsentText
from genealogy.models import Enrolment
from genealogy.services.first_orders import first_orders
from genealogy.services.placement import the_rule
from genealogy.services.referrals import why_not

Purpose = ConsentText.Purpose
REQUIRED = (Purpose.DISTRIBUTOR_AGREEMENT, Purpose.DATA_PROCESSING)


class Step(TextChoices):
    SPONSOR = "sponsor", "Your sponsor"
    YOU = "you", "About you"
    PLACE = "place", "Your place"
    AGREEMENT = "agreement", "Agreement"
    ORDER = "order", "First order"
    FINISH = "finish", "Finish"


@dataclass(frozen=True)
class Obstacle:
    """A step that wants something, and what, in words for whoever is at it."""

    step: Step
    words: str


def steps_for_person(enrolment: Enrolment) -> list[Step]:
    """The steps that somebody goes who enrols himself, or whom a sponsor or the staff invited."""
    steps = [Step.YOU]
    if not enrolment.is_sign_in:
        steps.insert(0, Step.SPONSOR)
        if _may_wait() and not (enrolment.started_by_id and enrolment.placement):
            steps.append(Step.PLACE)
    if not enrolment.paper_signed_on or texts_to_show(enrolment):
        steps.append(Step.AGREEMENT)
    if not enrolment.is_sign_in and (enrolment.order_lines or first_orders().is_offered()):
        steps.append(Step.ORDER)
    return [*steps, Step.FINISH]


def _may_wait() -> bool:
    """Whether there is a choice: where the rule gives places at once, nobody is asked."""
    rule = the_rule()
    return rule is not None and rule.waiting_days != 0


def steps_for_sponsor() -> list[Step]:
    """The steps of a sponsor who enrols somebody; the last of them sends the message."""
    steps = [Step.YOU]
    if the_rule():
        steps.append(Step.PLACE)
    if first_orders().is_offered():
        steps.append(Step.ORDER)
    return [*steps, Step.FINISH]


def is_open() -> bool:
    """Whether anybody can enrol: the company has published the agreement it asks for."""
    return ConsentText.objects.filter(purpose=Purpose.DISTRIBUTOR_AGREEMENT).in_force().exists()


def first_obstacle(enrolment: Enrolment, steps: list[Step]) -> Obstacle | None:
    """The first of the steps that wants something; None where all may be carried out."""
    for step in steps:
        if step in _WANTS and (words := _WANTS[step](enrolment)):
            return Obstacle(step, words)
    return None


def first_obstacle_for_sponsor(enrolment: Enrolment, steps: list[Step]) -> Obstacle | None:
    if not (enrolment.first_name and enrolment.last_name and enrolment.email):
        return Obstacle(Step.YOU, "Say who it is.")
    return first_obstacle(enrolment, [step for step in steps if step != Step.YOU])


# What each wants


def _sponsor(enrolment: Enrolment) -> str:
    return why_not(enrolment.code) if enrolment.code else ""


def _you(enrolment: Enrolment) -> str:
    wanted = [
        label
        for label, value in (
            ("first name", enrolment.first_name),
            ("last name", enrolment.last_name),
            ("date of birth", enrolment.birth_date),
            ("country", enrolment.country),
            ("e-mail", enrolment.email),
        )
        if not value
    ]
    if wanted:
        return f"Still wanted: {', '.join(wanted)}."
    if enrolment.birth_date and too_young(enrolment.birth_date):
        return f"Whoever joins is {settings.ENROLMENT_MIN_AGE} or older."
    if not enrolment.is_confirmed:
        return "Open the link in the message that we sent you."
    return ""


def too_young(birth_date: date) -> bool:
    """Whether somebody is below the age from which the company contracts, today."""
    today = timezone.localdate()
    birthday_is_to_come = (today.month, today.day) < (birth_date.month, birth_date.day)
    return today.year - birth_date.year - birthday_is_to_come < settings.ENROLMENT_MIN_AGE


def _place(enrolment: Enrolment) -> str:
    return "" if enrolment.placement else "Choose how you get a place."


def _agreement(enrolment: Enrolment) -> str:
    """Why the texts have to be read, again perhaps: what was agreed to is no longer in force."""
    in_force = texts_to_show(enrolment)
    if not enrolment.paper_signed_on and not any(
        text.purpose == Purpose.DISTRIBUTOR_AGREEMENT for text in in_force
    ):
        return "Enrolment is not open yet: the company has published no agreement."
    required = {text.pk for text in in_force if text.purpose in REQUIRED}
    agreed = set(enrolment.agreed_to.values_list("pk", flat=True))
    if required <= agreed <= {text.pk for text in in_force}:
        return ""
    if agreed:
        return "A text has changed since you agreed. Please read the new one."
    return "Read the texts, and say to which you agree."


def texts_to_show(enrolment: Enrolment) -> list[ConsentText]:
    """The texts in force that the person is asked about: the agreement first, then in order.

    Without the agreement where it was signed on paper.
    """
    order = list(Purpose)
    texts = list(ConsentText.objects.in_force())
    if enrolment.paper_signed_on:
        texts = [text for text in texts if text.purpose != Purpose.DISTRIBUTOR_AGREEMENT]
    return sorted(texts, key=lambda text: order.index(Purpose(text.purpose)))


def _order(enrolment: Enrolment) -> str:
    if enrolment.order_lines is None:
        return "Choose what to order, or nothing."
    return first_orders().obstacle(enrolment.order_lines)


_WANTS: dict[Step, Callable[[Enrolment], str]] = {
    Step.SPONSOR: _sponsor,
    Step.YOU: _you,
    Step.PLACE: _place,
    Step.AGREEMENT: _agreement,
    Step.ORDER: _order,
}
