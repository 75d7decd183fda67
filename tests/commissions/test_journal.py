from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from commissions.models import JournalEntry, LedgerAccount, Posting
from commissions.services.claims import claim_volume
from commissions.services.journal import (
    KeyReused,
    WalletTooSmall,
    account_total,
    get_account,
    post,
)
from commissions.services.verification import find_breaks
from tests.commissions.steps import balance

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(cast):
    return {
        "wallet": get_account("wallet", distributor=cast.ben, currency="GBP"),
        "bank": get_account("bank", currency="GBP"),
    }


def pay(books, amount, key="k1"):
    value = Decimal(amount)
    legs = [(books["wallet"], value), (books["bank"], -value)]
    return post(key=key, kind="test", memo="A test", legs=legs, actor=None)


def commit_checks():
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")


def post_and_check(legs):
    post(key="k", kind="test", memo="", legs=legs, actor=None)
    commit_checks()


def test_balances_follow_postings(books, cast):
    pay(books, "5.00")
    pay(books, "-2.00", key="k2")

    assert balance(cast, "ben") == Decimal("3.00")
    assert account_total(books["bank"]) == Decimal("-3.00")
    books["bank"].refresh_from_db()
    assert books["bank"].balance == 0


def test_same_key_and_legs_post_once(books, cast):
    first, second = pay(books, "5.00"), pay(books, "5.00")

    assert first == second
    assert Posting.objects.count() == 2
    assert balance(cast, "ben") == Decimal("5.00")


def test_same_key_with_other_legs_is_refused(books, cast):
    pay(books, "5.00")

    with pytest.raises(KeyReused):
        pay(books, "6.00")
    assert balance(cast, "ben") == Decimal("5.00")


def test_wallet_never_goes_below_zero(books, cast):
    pay(books, "5.00")

    with pytest.raises(WalletTooSmall):
        pay(books, "-5.01", key="k2")
    assert balance(cast, "ben") == Decimal("5.00")
    assert not JournalEntry.objects.filter(key="k2").exists()


def test_refusal_repeated_is_refused_again(books):
    for _ in range(2):
        with pytest.raises(WalletTooSmall):
            pay(books, "-1.00")


def test_unbalanced_entry_does_not_commit(books):
    with pytest.raises(DatabaseError, match="does not add up"), transaction.atomic():
        post_and_check([(books["wallet"], Decimal(1))])


def test_entry_without_legs_does_not_commit(books):
    with pytest.raises(DatabaseError, match="does not add up"), transaction.atomic():
        post_and_check([])


def test_legs_on_one_account_are_one_posting(books):
    legs = [(books["wallet"], Decimal(2)), (books["wallet"], Decimal(3))]
    legs.append((books["bank"], Decimal(-5)))

    post(key="k", kind="test", memo="", legs=legs, actor=None)

    assert sorted(Posting.objects.values_list("amount", flat=True)) == [-5, 5]


@pytest.mark.parametrize(
    "statement",
    [
        "update commissions_posting set amount = amount * 2",
        "delete from commissions_posting",
        "truncate commissions_posting",
        "update commissions_journalentry set memo = 'x'",
        "delete from commissions_journalentry",
        "update commissions_ledgerentry set amount = 1",
        "delete from commissions_ledgerentry",
        "truncate commissions_ledgerentry",
        "update commissions_volumeclaim set run_id = run_id + 1",
        "delete from commissions_volumeclaim",
    ],
)
def test_books_are_append_only_below_the_orm(company, statement):
    company.buys(company.rosa, 3)
    claim_volume()
    commit_checks()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_payment_partition_refuses_changes_as_well(company):
    company.buys(company.rosa, 3)
    claim_volume()
    table = company.plan.commissionperiod_set.get().runs.get().ledger_table

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"update {table} set amount = amount + 1")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("(%(id)s, %(run)s, 1, 1, 0, 0, 100, 50000, -5, null)", "negative_undoes_or_cuts"),
        ("(%(id)s, %(run)s, 1, 1, 0, 0, 100, 50000, 0, null)", "negative_undoes_or_cuts"),
        ("(7, %(run)s, 1, 1, 0, 0, 100, 50000, 5, null)", "_numbers"),
    ],
)
def test_ledger_refuses_lines_that_cannot_be(company, values, rule):
    company.buys(company.rosa, 3)
    claim_volume()
    run = company.plan.commissionperiod_set.get().runs.get()
    columns = (
        "id, run_id, bonus_id, distributor_id, level, rank_level, base, rate, amount, reverses_id"
    )

    with pytest.raises(DatabaseError, match=rule), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                f"insert into commissions_ledgerentry ({columns}) values {values}",
                {"id": (run.pk << 32) + 900, "run": run.pk},
            )


def test_an_account_is_made_once(cast):
    first = get_account("bank", currency="GBP")

    assert get_account("bank", currency="GBP") == first
    assert LedgerAccount.objects.filter(kind="bank").count() == 1


TAMPERING = {
    "sum per currency": "update commissions_posting set amount = amount + 1 where id = "
    "(select min(id) from commissions_posting)",
    "account balance": "update commissions_ledgeraccount set balance = balance + 1 "
    "where kind = 'wallet'",
    "commissions are posted": "update commissions_ledgerentry set amount = amount + 1",
    "volume is claimed": "delete from commissions_volumeclaim",
    "line lineage": "update commissions_ledgerentry set distributor_id = 0",
    "events are announced": "update accounts_event set poked_at = null, "
    "created_at = created_at - interval '5 min'",
    "payouts in transit": "update commissions_ledgeraccount set kind = 'payouts_in_transit' "
    "where kind = 'commission_expense'",
}


@pytest.mark.parametrize("rule", TAMPERING)
def test_verification_names_what_was_tampered_with(company, rule):
    company.buys(company.rosa, 3)
    claim_volume()
    commit_checks()
    with connection.cursor() as cursor:
        cursor.execute("update accounts_event set poked_at = now()")
    assert list(find_breaks(strict=True)) == []
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(TAMPERING[rule])
        cursor.execute("set local session_replication_role = origin")

    found = [line.split(":")[0] for line in find_breaks(strict=True)]

    assert rule in found
