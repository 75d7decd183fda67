"""What has to be true before somebody may ask for a payout, in words he can act on.

The page shows the same list before the question is asked that the service checks when it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from commissions.models import LedgerAccount, PayoutMethod
from genealogy.models import Distributor
from mlmcrm.money import ZERO, format_money

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
    wallet: Decimal
    minimum: Decimal
    currency: str
    method: PayoutMethod | None

    @property
    def missing(self) -> list[Requirement]:
        return [requirement for requirement in self.requirements if not requirement.is_met]

    @property
    def is_ready(self) -> bool:
        return not self.missing


def payout_checklist(distributor: Distributor) -> Checklist:
    """Read the conditions afresh: identity, account, payout method, and enough money."""
    user = User.objects.get(pk=distributor.user_id) if distributor.user_id else None
    method = distributor.payout_methods.filter(is_active=True).first()
    wallet = wallet_balance(distributor)
    return Checklist(
        requirements=(
            identity_requirement(user),
            account_requirement(distributor, user),
            method_requirement(method),
            wallet_requirement(wallet),
        ),
        wallet=wallet,
        minimum=settings.MIN_PAYOUT_AMOUNT,
        currency=settings.COMPANY_CURRENCY,
        method=method,
    )


def wallet_balance(distributor: Distributor) -> Decimal:
    balance: Decimal | None = (
        LedgerAccount.objects.filter(
            kind=LedgerAccount.Kind.WALLET,
            distributor=distributor,
            currency=settings.COMPANY_CURRENCY,
        )
        .values_list("balance", flat=True)
        .first()
    )
    return balance if balance is not None else ZERO


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


def wallet_requirement(wallet: Decimal) -> Requirement:
    minimum, currency = settings.MIN_PAYOUT_AMOUNT, settings.COMPANY_CURRENCY
    floor, held = format_money(minimum, currency), format_money(wallet, currency)
    text = f"Your wallet holds {held}; the smallest payout is {floor}."
    return Requirement(
        "wallet",
        "Enough in the wallet",
        wallet >= minimum,
        text,
        "commissions:earnings",
        "See your earnings",
    )
