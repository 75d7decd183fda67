"""Twelve months of real orders: imported whole, closed one after the other, and proved.

One long test on the unmodified file in tests/data/online-retail. See its README for the source.
"""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Sum

from commerce.models import OrderItem, RefundItem, VolumeEntry
from commissions.models import CommissionPeriod, LedgerEntry
from commissions.services import trials
from commissions.services.claims import claim_volume
from commissions.services.projections import differences
from commissions.services.replay import replay
from commissions.services.verification import find_breaks
from tests.cast import Cast, make_user
from tests.commissions import oracle

DATA = Path(__file__).parent / "data" / "online-retail"
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


def bring_in(rejects: Path) -> None:
    orders = DATA / "orders.csv.gz"
    options = {"mapping": "online-retail", "on_error": "skip", "verbosity": 0}
    call_command("import_distributors", DATA / "distributors.csv", verbosity=0)
    call_command("import_products", orders, rejects=rejects / "products.csv", **options)
    call_command("import_orders", orders, rejects=rejects / "orders.csv", **options)


def booked_and_rejected(rejects: Path) -> tuple[int, int, Decimal]:
    """Lines, pieces and money: what is in the books plus what stands in the rejects file."""
    import csv

    with (rejects / "orders.csv").open(newline="") as file:
        refused = list(csv.DictReader(file))
    sold = OrderItem.objects.aggregate(pieces=Sum("quantity"), money=Sum("total_price"))
    back = RefundItem.objects.aggregate(pieces=Sum("quantity"), money=Sum("amount"))
    pieces = sold["pieces"] - back["pieces"] + sum(int(row["Quantity"]) for row in refused)
    money = sold["money"] - back["money"]
    money += sum(Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]) for row in refused)
    assert all(row["reason"] for row in refused)
    return len(refused), pieces, money


@pytest.mark.slow
def test_a_real_year_is_imported_closed_replayed_and_explained(company, tmp_path):
    bring_in(tmp_path)

    refused, pieces, money = booked_and_rejected(tmp_path)
    assert (pieces, money) == (PIECES, AMOUNT)
    assert 0 < refused < LINES // 100

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
