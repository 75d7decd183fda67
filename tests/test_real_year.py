"""Twelve months of real orders: imported whole, closed one after the other, and proved.

One long test on the unmodified file in tests/data/online-retail. See its README for the source.
Each of its 541,909 lines is booked or rejected with its reason, and the sums prove it.
"""

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from accounts.imports.kinds import KINDS
from accounts.imports.mapping import load_mapping
from accounts.imports.report import Report
from accounts.imports.running import Import, run_import
from commerce.models import OrderItem, RefundItem, VolumeEntry
from commissions.models import CommissionPeriod, LedgerEntry
from commissions.services import trials
from commissions.services.claims import claim_volume
from commissions.services.projections import differences
from commissions.services.replay import replay
from commissions.services.verification import find_breaks
from genealogy.models import GenealogyNode
from genealogy.services.tree_check import find_breaks as breaks_of_trees
from tests.cast import Cast, make_user
from tests.commissions import oracle
from tests.imports.online_retail import DISTRIBUTORS, ORDERS, Books, account

LINES, PIECES, AMOUNT = 541_909, 5_176_450, Decimal("9747747.934")


@pytest.fixture
def company(transactional_db):
    cast = Cast()
    for name, role in {
        "ada": "admin",
        "mona": "admin",
        "fiona": "finance",
        "felix": "finance",
    }.items():
        cast.users[name] = make_user(name.capitalize(), role)
    assert cast.plan
    return cast


def bring_in(folder: Path) -> Report:
    """Distributors, products and orders; the report on the orders, rejected into orders.csv."""
    options = {"mapping": "online-retail", "on_error": "skip", "verbosity": 0}
    call_command("import_distributors", DISTRIBUTORS, verbosity=0)
    call_command("import_products", ORDERS, rejects=folder / "products.csv", **options)
    kind = KINDS["orders"]
    return run_import(
        Import(
            kind=kind,
            mapping=load_mapping(kind, "online-retail"),
            path=ORDERS,
            on_error="skip",
            rejects_path=folder / "orders.csv",
        )
    )


def rejected(folder: Path) -> list[dict[str, str]]:
    with (folder / "orders.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def check_the_report(report: Report, refused: list[dict[str, str]], expected: Books) -> None:
    assert report.file.lines == LINES
    assert report.file.amount == AMOUNT
    assert report.accounted == report.file
    assert report.by_state["booked"].lines == expected.lines["sale"] + expected.lines["refund"]
    assert report.by_state["booked"].amount == expected.amount["sale"] + expected.amount["refund"]
    reasons = Counter(row["reason"].partition(":")[0] for row in refused)
    assert reasons == {
        "Cancellation without a sale": 1909,
        "Stock correction": 1336,
        "Cancellation of more than was bought": 59,
        "The line is not a whole number of hundredths": 4,
        "Accounting adjustment, not a sale": 3,
    }
    assert sum(reasons.values()) == sum(
        expected.lines[state] for state in ("unmatched", "stock", "fraction", "adjustment")
    )


def check_the_books(report: Report, expected: Books) -> None:
    assert GenealogyNode.objects.filter(tree="sponsor").count() == 4372
    assert breaks_of_trees() == []
    assert single("select sum(total) from commerce_order") == (expected.amount["sale"],)
    assert single("select sum(amount) from commerce_payment") == (expected.amount["sale"],)
    assert single("select -sum(amount) from commerce_refund") == (expected.amount["refund"],)
    assert single("select sum(lifetime_value) from commerce_customer") == (
        report.by_state["booked"].amount,
    )
    assert volume_by_customer_and_month() == {
        key: pence for key, pence in expected.volume.items() if pence
    }


def single(query: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()


def volume_by_customer_and_month() -> dict[tuple[str, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """select d.external_reference, to_char(v.counts_on, 'YYYY-MM'), sum(v.pv)
               from commerce_volumeentry v join genealogy_distributor d on d.id = v.distributor_id
               group by 1, 2 having sum(v.pv) <> 0"""
        )
        return {(customer, month): int(pv) for customer, month, pv in cursor.fetchall()}


def booked_and_rejected(refused: list[dict[str, str]]) -> tuple[int, Decimal]:
    """Pieces and money: what is in the books plus what stands in the rejects file."""
    sold = OrderItem.objects.aggregate(pieces=Sum("quantity"), money=Sum("total_price"))
    back = RefundItem.objects.aggregate(pieces=Sum("quantity"), money=Sum("amount"))
    pieces = sold["pieces"] - back["pieces"] + sum(int(row["Quantity"]) for row in refused)
    money = sold["money"] - back["money"]
    money += sum(Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]) for row in refused)
    assert all(row["reason"] for row in refused)
    return pieces, money


@pytest.mark.slow
def test_a_real_year_is_imported_closed_replayed_and_explained(company, tmp_path):
    report, expected = bring_in(tmp_path), account()

    refused = rejected(tmp_path)
    check_the_report(report, refused, expected)
    check_the_books(report, expected)
    assert booked_and_rejected(refused) == (PIECES, AMOUNT)
    assert 0 < len(refused) < LINES // 100

    claim_volume()
    months = list(CommissionPeriod.objects.order_by("starts_on")[:12])
    assert (months[0].code, months[-1].code) == ("2010-12", "2011-11")
    for month in months:
        period = company.close(month.code)
        assert oracle.expected(period) == oracle.recorded(period)

    for period in CommissionPeriod.objects.filter(status="finalized"):
        assert [proof.name for proof in replay(period) if not proof.is_same] == []
    assert list(find_breaks(strict=True)) == []
    assert list(differences()) == []
    earned = LedgerEntry.objects.aggregate(total=Sum("amount"))["total"]
    assert earned > 0
    assert VolumeEntry.objects.filter(claim__isnull=True).count() == 0

    trial = trials.start_trial(
        version=company.plan, first=months[0], last=months[-1], actor=company.user("fiona")
    )
    trials.carry_out(trial.pk)
    trial.refresh_from_db()
    assert (trial.status, trial.error) == ("done", "")
    assert trial.report["before"] == trial.report["after"]
    assert trial.earnings.count() == 0
