"""What has to be true before somebody may ask for a payout, in words he can act on.

The page shows the same list before the question is asked that the service checks when it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from commissions.models import PayoutMethod
from commissions.services.payout_rules import (
    PayoutRules,
    Release,
    Wallet,
    release_of,
    rules_in_force,
    wallet_of,
)
from genealogy.models import Distributor

IDENTITY_TEXT = {
    User.KYCStatus.MISSING: "Send one identity document. Payouts open as soon as it is accepted.",
    User.KYCStatus.PENDING: "Your document is being reviewed. You will be told the result here.",
    User.KYCStatus.REJECTED: "Your document was not accepted. Read the reason and send a new one.",
    User.KYCStatus.EXPIRED: "Your document has expired. Send a valid one.",
    User.KYCStatus.VERIFIED: "Your identity is verified.",
}


@dataclass(frozen=True)
class Requirement:
    """One condition, whether it is met, and where to go when it is not."""

    code: str
    title: str
    is_met: bool
    text: str
    url_name: str = ""
    action: str = ""


@dataclass(frozen=True)
class Checklist:
    """All conditions of a payout for one distributor at one moment."""

    requirements: tuple[Requirement, ...]
    wallet: Wallet
    rules: PayoutRules
    currency: str
    method: PayoutMethod | None

    @property
    def missing(self) -> list[Requirement]:
        return [requirement for requirement in self.requirements if not requirement.is_met]

    @property
    def is_ready(self) -> bool:
        return not self.missing


def payout_checklist(distributor: Distributor) -> Checklist:
    """Read the conditions afresh: identity, account, method, money, and what the plan asks."""
    user = User.objects.get(pk=distributor.user_id) if distributor.user_id else None
    method = distributor.payout_methods.filter(is_active=True).first()
    wallet, rules = wallet_of(distributor), rules_in_force()
    release = release_of(rules.plan, [distributor.pk])
    return Checklist(
        requirements=(
            identity_requirement(user),
            account_requirement(distributor, user),
            method_requirement(method),
            wallet_requirement(wallet, rules),
            *([release_requirement(release, distributor)] if release else []),
        ),
        wallet=wallet,
        rules=rules,
        currency=settings.COMPANY_CURRENCY,
        method=method,
    )


def identity_requirement(user: User | None) -> Requirement:
    status = user.kyc_status if user else User.KYCStatus.MISSING
    return Requirement(
        code="identity",
        title="Identity verified",
        is_met=status == User.KYCStatus.VERIFIED,
        text=IDENTITY_TEXT[User.KYCStatus(status)],
        url_name="compliance:identity",
        action="See your identity check" if status == "pending" else "Verify your identity",
    )


def account_requirement(distributor: Distributor, user: User | None) -> Requirement:
    is_met, text = True, "Nothing stands against a payout."
    if user is None or not user.is_active:
        is_met, text = False, "Your sign-in is not active. Ask support to reactivate it."
    elif distributor.status == Distributor.Status.ON_HOLD:
        is_met, text = False, "Your account is on hold. Ask support what is missing."
    elif distributor.status == Distributor.Status.TERMINATED:
        is_met, text = False, "Your agreement has ended. Support settles what is left."
    return Requirement("account", "Account in good standing", is_met, text)


def method_requirement(method: PayoutMethod | None) -> Requirement:
    if method is None:
        text = "Tell us where the money should go."
        return Requirement(
            "method", "Payout method", False, text, "commissions:payout_methods", "Add a method"
        )
    free_at = method_free_at(method)
    is_met = free_at <= timezone.now()
    text = f"Payouts go to {method}."
    if not is_met:
        moment = timezone.localtime(free_at).strftime("%-d %b %Y, %H:%M")
        text = f"New details rest until {moment} so that nobody can redirect your money unseen."
    return Requirement(
        "method", "Payout method", is_met, text, "commissions:payout_methods", "See your methods"
    )


def method_free_at(method: PayoutMethod) -> datetime:
    """Details that replaced earlier ones rest for a while; the first ones are free at once."""
    replaced = PayoutMethod.objects.filter(distributor=method.distributor_id, pk__lt=method.pk)
    hours = settings.PAYOUT_METHOD_HOLD_HOURS if replaced.exists() else 0
    return method.created_at + timedelta(hours=hours)


def wallet_requirement(wallet: Wallet, rules: PayoutRules) -> Requirement:
    return Requirement(
        "wallet",
        "Enough in the wallet",
        wallet.free >= rules.minimum,
        f"Your wallet holds {wallet}; the smallest payout is {rules.floor}.",
        "commissions:earnings",
        "See your earnings",
    )


def release_requirement(release: Release, distributor: Distributor) -> Requirement:
    return Requirement(
        "release",
        "What the plan asks",
        release.lets(distributor.pk),
        release.text(distributor.pk),
        "commissions:earnings",
        "See your earnings",
    )
