"""What people agreed to: asked in one version's words, given, taken back, and counted.

    text = text_in_force("contact_upline")
    give(user=user, text=text, actor=user, channel="portal", shows={"email"})
    who_consents([user.pk], "contact_upline")      # {user.pk}
    withdraw(user=user, purpose="contact_upline", actor=user, channel="portal")

A consent counts for the words that were read: where a newer text is in force, nobody consents
until he has answered that one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import CONTACT_PURPOSES, Consent, ConsentText, User
from accounts.services.consent_projections import PROJECTED, project

Purpose = ConsentText.Purpose
Channel = Consent.Channel
SHOWN = ("email", "phone")


class ConsentRefused(ValidationError):
    """This text cannot be published, or this consent not given or withdrawn; it says why."""


@transaction.atomic
def publish_text(
    *, purpose: str, version: str, title: str, body: str, effective_from: date, actor: User
) -> ConsentText:
    """Publish a text, in force from a day on; what was agreed to before does not count for it.

    Raises ConsentRefused for a day that is over and for a version that exists.
    """
    if effective_from < timezone.localdate():
        raise ConsentRefused("A text cannot come into force on a day that is over.")
    try:
        with transaction.atomic():
            text = ConsentText.objects.create(
                purpose=purpose,
                version=version,
                title=title,
                body=body,
                effective_from=effective_from,
                published_by=actor,
            )
    except IntegrityError as error:
        if "accounts_consenttext_version_once" not in str(error):
            raise
        raise ConsentRefused("There is a text of this purpose and version already.") from error
    after = {"purpose": purpose, "version": version, "effective_from": str(effective_from)}
    record(actor=actor, action="consent_text.published", target=text, after=after)
    return text


def text_in_force(purpose: str, on: date | None = None) -> ConsentText | None:
    """The text of a purpose that holds on a day (today); None where none was published."""
    return ConsentText.objects.filter(purpose=purpose).in_force(on).first()


@transaction.atomic
def give(
    *, user: User, text: ConsentText, actor: User, channel: str, shows: Collection[str] = SHOWN
) -> Consent:
    """Record that the user agrees to a text; the same answer twice is written once.

    `shows` says of a published contact which of "email" and "phone" it is about; of other purposes
    it says nothing. Raises ConsentRefused for a text that is not in force (one signed on paper may
    be an earlier one, unless a newer one was answered since), for another person's portal, and for
    a contact that shows nothing.
    """
    _refuse_another(user, actor, channel)
    _refuse_unless_open(text, channel)
    shown = _shown(user, text.purpose, shows)
    _lock(user)
    newest = standing(user).get(text.purpose)
    answer = {"text": text, "is_given": True, **shown}
    if newest and newest.text.effective_from > text.effective_from:
        raise ConsentRefused("A newer text has been answered since.")
    if newest and all(getattr(newest, name) == value for name, value in answer.items()):
        return newest
    consent = Consent.objects.create(user=user, actor=actor, channel=channel, **answer)
    _follow(consent, "consent.given", shown)
    return consent


@transaction.atomic
def withdraw(*, user: User, purpose: str, actor: User, channel: str) -> Consent | None:
    """Record that a consent is taken back; it counts from the next request on.

    None where nothing is given: then there is nothing to take back. Raises ConsentRefused for the
    agreement, which ends with the membership, and for another person's portal.
    """
    if purpose == Purpose.DISTRIBUTOR_AGREEMENT:
        raise ConsentRefused("An agreement ends with the membership. Ask support to end it.")
    _refuse_another(user, actor, channel)
    _lock(user)
    newest = standing(user).get(purpose)
    if newest is None or not newest.is_given:
        return None
    consent = Consent.objects.create(
        user=user, text=newest.text, is_given=False, actor=actor, channel=channel
    )
    _follow(consent, "consent.withdrawn", {})
    return consent


def standing(user: User) -> dict[str, Consent]:
    """The newest answer of a user to each purpose, given or withdrawn."""
    rows = Consent.objects.filter(user=user).select_related("text").newest()
    return {row.text.purpose: row for row in rows}


def who_consents(user_ids: Iterable[int], purpose: str) -> set[int]:
    """Those of the users whose newest answer is yes to the text in force. Two statements."""
    return {row.user_id for row in _holding(user_ids, purpose)}


@dataclass(frozen=True)
class Contact:
    """How somebody may be reached, as far as he lets it be seen; "" where he does not."""

    email: str = ""
    phone: str = ""


def published_contacts(user_ids: Iterable[int], purpose: str) -> dict[int, Contact]:
    """What those of the users who consent now let be seen of their contact. Two statements.

    `purpose` is contact_upline for readers above them, contact_downline for those below.
    """
    return {
        row.user_id: Contact(
            email=row.user.email if row.shows_email else "",
            phone=row.user.phone if row.shows_phone else "",
        )
        for row in _holding(user_ids, purpose)
    }


def _holding(user_ids: Iterable[int], purpose: str) -> Iterable[Consent]:
    text = text_in_force(purpose)
    if text is None:
        return []
    rows = Consent.objects.filter(user_id__in=list(user_ids), text__purpose=purpose)
    rows = rows.select_related("user").newest()
    return [row for row in rows if row.is_given and row.text_id == text.pk]


def _refuse_another(user: User, actor: User, channel: str) -> None:
    if channel == Channel.PORTAL and user.pk != actor.pk:
        raise ConsentRefused("In the portal everybody answers for himself.")


def _refuse_unless_open(text: ConsentText, channel: str) -> None:
    newest = text_in_force(text.purpose)
    if channel == Channel.PAPER and text.effective_from <= timezone.localdate():
        return
    if newest is None or newest.pk != text.pk:
        raise ConsentRefused("This text is not the one in force. Read the one that is.")


def _shown(user: User, purpose: str, shows: Collection[str]) -> dict[str, bool]:
    """A number that nobody knows yet is not agreed to: once it is there, it is asked about."""
    if purpose not in CONTACT_PURPOSES:
        return {"shows_email": False, "shows_phone": False}
    shown = {
        "shows_email": "email" in shows,
        "shows_phone": "phone" in shows and bool(user.phone),
    }
    if not any(shown.values()):
        raise ConsentRefused("Choose e-mail, phone or both.")
    return shown


def _lock(user: User) -> None:
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)


def _follow(consent: Consent, action: str, shown: dict[str, bool]) -> None:
    """The audit record of an answer, and the profile's columns along with it."""
    text = consent.text
    after: dict[str, Any] = {"purpose": text.purpose, "version": text.version}
    after |= {"channel": consent.channel} | {name: True for name, is_on in shown.items() if is_on}
    record(actor=consent.actor, action=action, target=consent.user, after=after)
    if text.purpose in PROJECTED:
        project(consent.user, actor=consent.actor, reason=str(consent))
