"""The message with the link that brings the person to an enrolment, on any device.

    invite(enrolment=enrolment, actor=None)     # asked for; the page says that it is on its way
    send_message(enrolment.pk)                  # by the task, and by the sweep where that was lost
    enrolment = enrolment_behind(token)         # the link was opened
    confirm(token=token)                        # and its button pressed: the address is his

Whether an account has the address is looked up where the message is written, never where the page
is answered: nobody learns it but whoever reads the mailbox. Only a digest of the token is kept.
"""

import hashlib
import secrets
import smtplib
from datetime import timedelta

import structlog
from celery import current_app
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.services.registration import user_of_address
from accounts.throttling import count_in_window
from genealogy.models import Distributor, Enrolment
from genealogy.models.enrolment import MOST_MESSAGES
from genealogy.services.enrolment import EnrolmentRefused
from genealogy.services.enrolments import held, note, over
from mlmcrm.encryption import blind_index

logger = structlog.get_logger(__name__)

Status = Enrolment.Status
TASK = "genealogy.tasks.send_enrolment_message"
MOST_TO_ONE_ADDRESS = 5
BETWEEN_MESSAGES = timedelta(minutes=1)
ONE_DAY = 86_400
AT_ONCE = 500
FOR_ONE_MESSAGE = timedelta(minutes=5)
"""Whoever takes a message on writes into `link_wanted_at` until when nobody else does."""


class LinkRefused(EnrolmentRefused):
    """The link brings nobody on; `may_be_renewed` where another one can be asked for."""

    def __init__(self, message: str, may_be_renewed: bool = False) -> None:
        self.may_be_renewed = may_be_renewed
        super().__init__(message)


@transaction.atomic
def invite(*, enrolment: Enrolment, actor: User | None) -> Enrolment:
    """Ask for the message with a new link; the former link works until the new one is sent.

    Raises EnrolmentRefused when too many were sent, for this enrolment or to this address.
    """
    enrolment = held(enrolment)
    if not enrolment.email:
        raise EnrolmentRefused("Say to which address.")
    if enrolment.link_wanted_at:
        return enrolment
    _refuse_too_many(enrolment)
    enrolment.status, enrolment.link_wanted_at = Status.INVITED, timezone.now()
    enrolment.save(update_fields=["status", "link_wanted_at"])
    note(enrolment, "invited", actor, {})
    transaction.on_commit(lambda: _send(enrolment.pk), robust=True)
    return enrolment


def _refuse_too_many(enrolment: Enrolment) -> None:
    sent = enrolment.link_sent_at
    if sent and timezone.now() - sent < BETWEEN_MESSAGES:
        raise EnrolmentRefused("A message was sent a moment ago. Look for it before another one.")
    address = blind_index(enrolment.email, purpose="throttle|enrolment_message")
    count = count_in_window(f"throttle.{address}", seconds=ONE_DAY)
    if enrolment.messages_sent >= MOST_MESSAGES or count > MOST_TO_ONE_ADDRESS:
        raise EnrolmentRefused(
            "No more messages go to this address today. Look in the folder for unwanted mail."
        )


def _send(enrolment_id: int) -> None:
    current_app.send_task(TASK, args=[enrolment_id])


def send_waiting_messages() -> None:
    """Send what was asked for and is not sent, because a task was lost or the server was away."""
    rows = Enrolment.objects.under_way().filter(link_wanted_at__lte=timezone.now())
    for enrolment_id in rows.order_by("link_wanted_at").values_list("pk", flat=True)[:AT_ONCE]:
        try:
            send_message(enrolment_id)
        except OSError as error:
            logger.warning("message not sent", enrolment=enrolment_id, error=type(error).__name__)


def send_message(enrolment_id: int) -> bool:
    """Write the message that was asked for; False when there is none to send any more.

    Nothing is locked while the mail server takes its time. Where it is away, the former link goes
    on working and the sweep tries again, as it does for one who died over it. An address that the
    server refuses is given up. Raises OSError.
    """
    enrolment = take_on(enrolment_id)
    if enrolment is None:
        return False
    token = secrets.token_urlsafe(32)
    try:
        _mail(enrolment, token)
    except smtplib.SMTPRecipientsRefused:
        logger.warning("address refused", enrolment=enrolment.pk)
    except OSError:
        mine = Enrolment.objects.filter(pk=enrolment.pk, link_wanted_at=enrolment.link_wanted_at)
        mine.update(link_wanted_at=timezone.now())
        raise
    note_sent(enrolment, token)
    return True


def take_on(enrolment_id: int) -> Enrolment | None:
    """Be the only one who sends its message, for a while; None where none is wanted."""
    rows = Enrolment.objects.under_way().filter(pk=enrolment_id)
    until = timezone.now() + FOR_ONE_MESSAGE
    if not rows.filter(link_wanted_at__lte=timezone.now()).update(link_wanted_at=until):
        return None
    return rows.with_people().filter(link_wanted_at=until).first()


@transaction.atomic
def note_sent(sent: Enrolment, token: str) -> None:
    """From here on the link works. Where the address has changed meanwhile it never does, and the
    message goes to the new one; of an enrolment that has ended nothing is written."""
    rows = Enrolment.objects.under_way().select_for_update(no_key=True)
    enrolment = rows.filter(pk=sent.pk).first()
    if enrolment is None:
        return
    enrolment.link_wanted_at = timezone.now()
    if enrolment.email == sent.email:
        enrolment.link_digest, enrolment.link_wanted_at = _digest(token), None
        enrolment.link_sent_at = timezone.now()
        enrolment.messages_sent += 1
    enrolment.save(update_fields=["link_digest", "link_wanted_at", "link_sent_at", "messages_sent"])


def _mail(enrolment: Enrolment, token: str) -> None:
    kind = _kind_of(enrolment.email)
    starter = enrolment.started_by
    context = {
        "enrolment": enrolment,
        "company": settings.COMPANY_NAME,
        "current_site": {"name": settings.COMPANY_NAME},
        "sponsor": enrolment.sponsor.display_name if enrolment.sponsor else "",
        "is_invited": starter is not None and not starter.is_staff,
        "link": _absolute("genealogy:join_link", token),
        "sign_in": _absolute("account_login"),
        "days": settings.ENROLMENT_LINK_DAYS,
    }
    name = f"genealogy/email/enrolment_{kind}"
    subject = render_to_string(f"{name}_subject.txt", context).strip()
    body = render_to_string(f"{name}_message.txt", context)
    send_mail(f"{settings.COMPANY_NAME}: {subject}", body, None, [enrolment.email])


def _kind_of(email: str) -> str:
    """Which message an address gets: new, account (without a distributor), or known."""
    user = user_of_address(email)
    if user is None:
        return "new"
    is_known = user.is_staff or Distributor.objects.filter(user=user).exists()
    return "known" if is_known else "account"


def _absolute(name: str, *args: str) -> str:
    return f"{settings.PORTAL_URL}{reverse(name, args=args)}"


# The link


def enrolment_behind(token: str) -> Enrolment:
    """The enrolment a link leads to. Raises LinkRefused with what became of it."""
    rows = Enrolment.objects.with_people().filter(link_digest=_digest(token))
    enrolment = rows.first()
    if enrolment is None:
        raise LinkRefused("This link does not work. Perhaps a later message has a newer one.")
    if not enrolment.is_under_way:
        raise LinkRefused(over(enrolment))
    until = enrolment.link_valid_until
    if until is None or until <= timezone.now():
        raise LinkRefused("This link is too old. Nothing you typed is lost.", may_be_renewed=True)
    return enrolment


@transaction.atomic
def confirm(*, token: str) -> Enrolment:
    """Whoever has the link has the mailbox: from here on the enrolment is his, on this device too.

    Opening it again, on another device, changes nothing. Raises LinkRefused.
    """
    enrolment = held(enrolment_behind(token))
    if not enrolment.is_confirmed:
        _confirm(enrolment)
    return enrolment


@transaction.atomic
def confirm_by_sign_in(*, enrolment: Enrolment, user: User) -> Enrolment:
    """The address is that of the account which is signed in: no message is needed."""
    enrolment = held(enrolment)
    if user.email != enrolment.email or not user.email_verified:
        raise EnrolmentRefused("The address is not that of your account.")
    if not enrolment.is_confirmed:
        enrolment.status = Status.INVITED
        _confirm(enrolment)
    return enrolment


def _confirm(enrolment: Enrolment) -> None:
    enrolment.confirmed_at = timezone.now()
    enrolment.save(update_fields=["status", "confirmed_at"])
    note(enrolment, "confirmed", None, {})


@transaction.atomic
def renew(*, token: str) -> None:
    """Send another message to the address of a link that is too old. Raises EnrolmentRefused."""
    enrolment = Enrolment.objects.under_way().filter(link_digest=_digest(token)).first()
    if enrolment is None:
        raise LinkRefused("This link does not work. Perhaps a later message has a newer one.")
    invite(enrolment=enrolment, actor=None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
