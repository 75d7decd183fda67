"""Money moves here and nowhere else: balanced journal entries, each fact once under its key.

    post(
        key=f"payout:{payout.number}:approved", kind="payout", memo=f"Payout {payout.number}",
        legs=[(wallet, -payout.amount), (in_transit, payout.amount)], actor=user,
    )

Positive means that the account holds more. The database checks at COMMIT that an entry adds up to
zero, keeps the balances of wallets and receivables, and refuses a wallet below zero.
"""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Model, Sum

from accounts.models import User
from commissions.models import JournalEntry, LedgerAccount, Posting
from genealogy.models import Distributor
from mlmcrm.money import ZERO

Leg = tuple[LedgerAccount, Decimal]
WALLET_FLOOR = "commissions_ledgeraccount_wallet_not_below_zero"


class JournalRefused(Exception):
    """The entry cannot be posted; the message says why in words for people."""


class KeyReused(JournalRefused):
    """The key names an earlier entry with other legs."""


class WalletTooSmall(JournalRefused):
    """A wallet would fall below zero."""


def post(
    *,
    key: str,
    kind: str,
    memo: str,
    legs: Iterable[Leg],
    actor: User | None,
    reverses: JournalEntry | None = None,
) -> JournalEntry:
    """Post one entry; the same key with the same legs again gives the entry that is there.

    Needs no lock of the caller: wallets are locked in the order of their ids. Raises KeyReused
    when the key was used for something else, WalletTooSmall when a wallet does not hold enough.
    """
    merged = merge(legs)
    request_hash = hash_request(kind, merged, reverses)
    with transaction.atomic():
        entry, is_new = take_key(
            key=key,
            request_hash=request_hash,
            kind=kind,
            memo=memo,
            actor=actor,
            reverses=reverses,
        )
        if is_new:
            add_legs(entry, merged)
    return entry


def merge(legs: Iterable[Leg]) -> list[Leg]:
    """One leg an account, in the order of account ids, without zeros."""
    totals: dict[int, tuple[LedgerAccount, Decimal]] = {}
    for account, amount in legs:
        _, so_far = totals.get(account.pk, (account, ZERO))
        totals[account.pk] = (account, so_far + amount)
    return [totals[pk] for pk in sorted(totals) if totals[pk][1]]


def hash_request(kind: str, legs: list[Leg], reverses: JournalEntry | None = None) -> str:
    """SHA-256 of what an entry does, apart from its wording."""
    body = [kind, pk_of(reverses), [[account.pk, str(sum_)] for account, sum_ in legs]]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


def take_key(
    *,
    key: str,
    request_hash: str,
    kind: str,
    memo: str,
    actor: User | None,
    reverses: JournalEntry | None = None,
) -> tuple[JournalEntry, bool]:
    """The entry of this key, and whether it is new and wants its legs in this transaction.

    Of two that race the second waits for the first. Raises KeyReused.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into commissions_journalentry
              (key, request_hash, kind, memo, reverses_id, actor_id, occurred_at)
            values (%s, %s, %s, %s, %s, %s, now()) on conflict (key) do nothing returning id
            """,
            [key, request_hash, kind, memo[:200], pk_of(reverses), pk_of(actor)],
        )
        is_new = cursor.fetchone() is not None
    entry = JournalEntry.objects.get(key=key)
    if entry.request_hash != request_hash:
        raise KeyReused(f"{key} was posted before with other amounts.")
    return entry, is_new


def pk_of(row: Model | None) -> int | None:
    return None if row is None else row.pk


def add_legs(entry: JournalEntry, legs: list[Leg]) -> None:
    """Write the postings in one statement, so that all wallets are locked in one order."""
    rows = [Posting(entry=entry, account=account, amount=amount) for account, amount in legs]
    try:
        with transaction.atomic():
            Posting.objects.bulk_create(rows)
    except IntegrityError as error:
        if constraint_of(error) == WALLET_FLOOR:
            raise WalletTooSmall("The wallet does not hold this much.") from error
        raise


def constraint_of(error: BaseException) -> str:
    """The name of the constraint that an error of the database is about."""
    diagnosis: Any = getattr(error.__cause__, "diag", None)
    return str(getattr(diagnosis, "constraint_name", None) or "")


def get_account(
    kind: str, *, currency: str, distributor: Distributor | None = None
) -> LedgerAccount:
    """The account of that kind and owner, made when it is first needed."""
    account, _ = LedgerAccount.objects.get_or_create(
        kind=kind, distributor=distributor, currency=currency
    )
    return account


def account_total(account: LedgerAccount) -> Decimal:
    """What the account holds by its postings; the company's accounts keep no balance."""
    total: Decimal | None = account.postings.aggregate(total=Sum("amount"))["total"]
    return total if total is not None else ZERO
