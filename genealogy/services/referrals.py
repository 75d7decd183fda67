"""Codes, clicks and referrals: from the opened link to the first order, each step a fact."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.events import publish
from accounts.history import explain_change
from accounts.models import User
from genealogy.models import (
    Distributor,
    Referral,
    ReferralClick,
    ReferralCode,
    ReferralProgram,
)
from genealogy.services.referral_codes import normalised
from mlmcrm.transitions import TransitionRefused

SALT = "genealogy.referral"
COOKIE = "invitation"

_ROBOT = re.compile(r"bot|crawl|spider|preview|facebookexternalhit|whatsapp|slack|monitor", re.I)
_TABLET = re.compile(r"ipad|tablet|android(?!.*mobile)", re.I)
_PHONE = re.compile(r"mobi|iphone|android", re.I)
_COMPUTER = re.compile(r"windows|macintosh|x11|cros", re.I)


class ReferralRefused(Exception):
    """The code brings nobody in, or the referral cannot take this step; the message says why."""


@dataclass(frozen=True)
class Claim:
    """By which code somebody comes, and the click it was remembered from, if it was."""

    code: ReferralCode
    click: ReferralClick | None = None

    @property
    def referrer(self) -> Distributor:
        return self.code.distributor


@dataclass(frozen=True)
class PaidOrder:
    """An order of a distributor's own that was paid."""

    distributor_id: int
    number: str
    paid_at: datetime


# Clicks


def record_click(code: ReferralCode, browser: str) -> ReferralClick | None:
    """Note that a link was opened; None for a robot that looks at links before people do."""
    if not browser or _ROBOT.search(browser):
        return None
    return ReferralClick.objects.create(code=code, device=device_of(browser))


def device_of(browser: str) -> str:
    """The kind of device by what the browser says of itself; all that is kept of it."""
    for kind, words in (("tablet", _TABLET), ("phone", _PHONE), ("computer", _COMPUTER)):
        if words.search(browser):
            return kind
    return ReferralClick.Device.UNKNOWN


def cookie_for(click: ReferralClick) -> str:
    """What the device remembers: the click's token, signed."""
    return signing.dumps(click.token.hex, salt=SALT)


def click_of(cookie: str) -> ReferralClick | None:
    """The click that a cookie remembers; None when it is not ours, too old or altered."""
    days = ReferralProgram.current().cookie_days
    try:
        token = uuid.UUID(signing.loads(cookie, salt=SALT, max_age=days * 86400))
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None
    clicks = ReferralClick.objects.select_related("code__distributor__user")
    return clicks.filter(token=token).first()


# Attribution


def find_claim(*, code: str = "", cookie: str = "") -> Claim | None:
    """Who brought somebody in: the typed code before what the device remembers.

    A typed code that is unknown or closed raises ReferralRefused, so that it can be corrected;
    a remembered one that no longer works is passed over in silence.
    """
    click = click_of(cookie) if cookie else None
    if typed := normalised(code):
        found = _open_code(typed)
        return Claim(found, click if click and click.code_id == found.pk else None)
    if click is None or why_not(click.code):
        return None
    return Claim(click.code, click)


def why_not(code: ReferralCode) -> str:
    """Why a code brings nobody in, in words for whoever was given it; nothing where it does."""
    if not ReferralProgram.current().is_open:
        return "The company takes no invitations at present. Try again later."
    if code.closed_at:
        return f"The code {code} is closed. Ask whoever gave it to you for the new one."
    if code.distributor.status == Distributor.Status.TERMINATED:
        return f"Whoever gave out the code {code} has left the company. Ask somebody who is in it."
    if not code.is_open:
        return f"The code {code} brings nobody in at present. Ask whoever gave it to you."
    return ""


def _open_code(typed: str) -> ReferralCode:
    codes = ReferralCode.objects.select_related("distributor__user")
    code = codes.filter(code=typed).first()
    if code is None:
        raise ReferralRefused(f"There is no code {typed}. Check it letter by letter.")
    if obstacle := why_not(code):
        raise ReferralRefused(obstacle)
    return code


def attribute(
    *, distributor: Distributor, actor: User | None, code: str = "", cookie: str = ""
) -> Referral | None:
    """Write down through whose code a new distributor came, up to the program's depth.

    Returns the referral of tier 1: a second call gives back the first one's and changes nothing.
    None when there is neither code nor cookie. Publishes referral.created. Raises ReferralRefused
    for a typed code that does not work or is his own.
    """
    known = Referral.objects.filter(referred=distributor, tier=1).first()
    claim = None if known else find_claim(code=code, cookie=cookie)
    return credit(distributor=distributor, claim=claim, actor=actor) if claim else known


@transaction.atomic
def credit(*, distributor: Distributor, claim: Claim, actor: User | None) -> Referral:
    """The referral of a new distributor by a claim that was found before; the first one stays.

    Raises ReferralRefused when the claim is his own or of somebody who joined after him.
    """
    Distributor.objects.select_for_update(of=("self",), no_key=True).get(pk=distributor.pk)
    if known := Referral.objects.filter(referred=distributor, tier=1).first():
        return known
    if claim.referrer.pk == distributor.pk:
        raise ReferralRefused("Nobody can refer themselves.")
    if claim.referrer.pk > distributor.pk:
        raise ReferralRefused(f"{claim.referrer.number} joined after {distributor.number}.")
    referrals = _write(claim, distributor, actor)
    _tell("referral.created", referrals[0], actor)
    return referrals[0]


def _write(claim: Claim, distributor: Distributor, actor: User | None) -> list[Referral]:
    above = Referral.objects.filter(referred=claim.referrer).order_by("tier")
    line = [claim.referrer.pk, *above.values_list("referrer_id", flat=True)]
    written = []
    for tier, referrer_id in enumerate(line[: ReferralProgram.current().max_tier_level], 1):
        referral = Referral(
            referrer_id=referrer_id,
            referred=distributor,
            tier=tier,
            code=claim.code,
            click=claim.click,
            channel=Referral.Channel.LINK if claim.click else Referral.Channel.CODE,
        )
        explain_change(referral, actor=actor, reason=f"Enrolled with the code {claim.code}")
        referral.save()
        written.append(referral)
    return written


# What becomes of it


@transaction.atomic
def complete_referrals(
    orders: Iterable[PaidOrder], *, actor: User | None = None, is_history: bool = False
) -> int:
    """The first paid order of somebody referred completes his referral; returns how many.

    Orders of others change nothing, nor does a second call. Publishes referral.activated to whose
    code it was, unless the orders are history.
    """
    first: dict[int, PaidOrder] = {}
    for order in sorted(orders, key=lambda order: (order.paid_at, order.number)):
        first.setdefault(order.distributor_id, order)
    waiting = _held(Referral.objects.filter(referred__in=first, status=Referral.Status.PENDING))
    for referral in waiting:
        order = first[referral.referred_id]
        referral.status = Referral.Status.COMPLETED
        referral.first_order, referral.completed_at = order.number, order.paid_at
        explain_change(referral, actor=actor, reason=f"First order {order.number} paid")
        referral.save()
    direct = [referral for referral in waiting if referral.tier == 1]
    for referral in direct if not is_history else []:
        _tell("referral.activated", referral, actor)
    return len(direct)


@transaction.atomic
def cancel_referral(*, referral: Referral, actor: User, reason: str) -> None:
    """Take back a referral whose first order is not paid yet, at all its tiers, and say why.

    Publishes referral.cancelled. Raises TransitionRefused when it is completed or cancelled.
    """
    rows = _held(Referral.objects.filter(referred=referral.referred_id))
    for row in rows:
        if row.status != Referral.Status.PENDING:
            raise TransitionRefused(row, row.status, Referral.Status.CANCELLED)
        row.status = Referral.Status.CANCELLED
        row.cancelled_at, row.cancelled_reason = timezone.now(), reason
        explain_change(row, actor=actor, reason=reason)
        row.save()
    _tell("referral.cancelled", rows[0], actor, reason=reason)


def _held(referrals: QuerySet[Referral]) -> list[Referral]:
    """Locked in one order, tier 1 of each person first."""
    rows = referrals.select_related("referrer__user", "referred").order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


def _tell(name: str, referral: Referral, actor: User | None, reason: str = "") -> None:
    publish(
        name,
        users=[referral.referrer.user_id],
        staff=True,
        ref=referral.referred.number,
        person=referral.referred.display_name,
        referrer=referral.referrer.display_name,
        reason=reason,
    )
    audit.record(
        actor=actor,
        action=name,
        target=referral.referred,
        after={"referrer": referral.referrer.number, "order": referral.first_order},
        reason=reason,
    )
