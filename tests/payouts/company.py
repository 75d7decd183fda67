"""The cast of the payout tests: Asha is paid, Ben sells too, Fiona and Felix work in finance."""

import uuid
from datetime import date
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from accounts.models import User
from commissions.models import LedgerAccount, Payout, PayoutBatch, PayoutMethod, Posting
from commissions.services import batches, journal, payouts
from commissions.services.payout_methods import MethodDetails, add_payout_method
from genealogy.models import Distributor

ROLES = {
    "asha": "distributor",
    "ben": "distributor",
    "fiona": "finance",
    "felix": "finance",
    "aled": "auditor",
    "mona": "manager",
    "sue": "support",
    "ada": "admin",
}


def hire() -> dict[str, User]:
    return {
        name: User.objects.create_user(f"{name}@example.com", role=role, email_verified=True)
        for name, role in ROLES.items()
    }


def seller(user: User, number: str, name: str) -> Distributor:
    """A verified distributor with a bank account and 500.00 in the wallet."""
    User.objects.filter(pk=user.pk).update(kyc_status="verified", kyc_verified_at=timezone.now())
    user.refresh_from_db()
    distributor = Distributor.objects.create(
        number=number, user=user, display_name=name, country="GB", joined_on=date(2026, 1, 1)
    )
    add_payout_method(distributor=distributor, details=bank(number, name), actor=user)
    pay_in(distributor, Decimal("500.00"))
    return distributor


def bank(account: str, name: str, sort_code: str = "010203") -> MethodDetails:
    digits = account[-6:].rjust(8, "0")
    return MethodDetails(
        kind="bank_transfer",
        holder_name=name,
        details={"sort_code": sort_code, "account_number": digits, "country": "GB"},
        identifier=f"{sort_code}|{digits}",
        shown=digits,
    )


def pay_in(distributor: Distributor, amount: Decimal) -> None:
    expense = journal.get_account("commission_expense", currency="GBP")
    wallet = journal.get_account("wallet", distributor=distributor, currency="GBP")
    journal.post(
        key=f"test:{uuid.uuid4()}",
        kind="test",
        memo="Commission",
        legs=[(expense, -amount), (wallet, amount)],
        actor=None,
    )


def method_of(distributor: Distributor) -> PayoutMethod:
    return PayoutMethod.objects.get(distributor=distributor, is_active=True)


def ask(distributor: Distributor, amount: str = "100.00", key: uuid.UUID | None = None) -> Payout:
    return payouts.request_payout(
        distributor=distributor,
        method=method_of(distributor),
        amount=Decimal(amount),
        request_key=key or uuid.uuid4(),
        actor=distributor.user,
    )


def approved(distributor: Distributor, actor: User, amount: str = "100.00") -> Payout:
    return payouts.approve_payout(payout=ask(distributor, amount), actor=actor)


def exported(maker: User, checker: User, *items: Payout) -> PayoutBatch:
    batch = batches.create_batch(payouts=[item.pk for item in items], actor=maker)
    batch = batches.submit_batch(batch=batch, actor=maker)
    batch = batches.approve_batch(batch=batch, actor=checker, seen_hash=batch.content_hash)
    return batches.export_batch(batch=batch, actor=maker)


def balance(kind: str, distributor: Distributor | None = None) -> Decimal:
    return journal.account_total(journal.get_account(kind, distributor=distributor, currency="GBP"))


def check_ledger() -> None:
    """Every entry adds up to zero and each wallet is the sum of its postings."""
    assert sum(Posting.objects.values_list("amount", flat=True)) == 0
    for account in LedgerAccount.objects.filter(kind="wallet"):
        assert account.balance == journal.account_total(account) >= 0


def statement(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
