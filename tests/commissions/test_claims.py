from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Event
from commerce.models import VolumeEntry
from commerce.services.orders import RefundLine, refund_order
from commissions.models import JournalEntry, LedgerEntry, VolumeClaim
from commissions.services import projections
from commissions.services.claims import claim_batch, claim_volume
from commissions.services.verification import find_breaks
from tests.cast import at
from tests.commissions.steps import balance, the_period

pytestmark = pytest.mark.django_db


def refund(company, order, pieces, when=None):
    return refund_order(
        order=order,
        lines=[RefundLine(order.items.get(), pieces)],
        actor=company.user("fiona"),
        reason="Came back",
        refunded_at=when,
    )


def waiting():
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from commissions_volumequeue")
        return cursor.fetchone()[0]


def test_partner_commission_goes_to_the_seller_of_a_retail_order(company):
    company.buys(company.rosa, 3)

    assert claim_volume() == 1

    line = LedgerEntry.objects.get()
    assert (line.distributor, line.base, line.rate, line.amount) == (
        company.chloe,
        Decimal("60.00"),
        Decimal("0.020000"),
        Decimal("1.20"),
    )
    assert balance(company, "chloe") == Decimal("1.20")


def test_own_purchase_pays_the_enroller(company):
    company.buys("chloe", 3)

    claim_volume()

    assert balance(company, "ben") == Decimal("1.20")
    assert balance(company, "chloe") == 0


def test_own_purchase_at_the_top_pays_nobody_and_is_settled(company):
    company.buys("asha", 3)

    claim_volume()

    assert not LedgerEntry.objects.exists()
    assert VolumeClaim.objects.count() == 1
    assert waiting() == 0


def test_claiming_again_pays_nothing(company):
    company.buys(company.rosa, 3)
    claim_volume()

    assert claim_volume() == 0

    assert JournalEntry.objects.count() == 1
    assert balance(company, "chloe") == Decimal("1.20")


def test_an_entry_that_is_queued_again_is_not_paid_again(company):
    company.buys(company.rosa, 3)
    claim_volume()
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into commissions_volumequeue select volume_entry_id from "
            "commissions_volumeclaim"
        )

    assert claim_volume() == 0

    assert balance(company, "chloe") == Decimal("1.20")
    assert waiting() == 0


def test_earner_hears_of_it_with_facts(company):
    order = company.buys(company.rosa, 3)

    claim_volume()

    event = Event.objects.get(name="commission.earned")
    assert event.stream_id == f"user:{company.chloe.user_id}"
    assert event.facts == {
        "amount": "1.20",
        "currency": "GBP",
        "bonus": "Partner commission",
        "order": order.number,
    }


def test_history_that_is_imported_tells_nobody(company):
    company.buys(company.rosa, 3, timezone.now() - timedelta(days=3))

    claim_volume()

    assert LedgerEntry.objects.count() == 1
    assert not Event.objects.filter(name="commission.earned").exists()


def test_refund_takes_back_the_very_line(company):
    order = company.buys(company.rosa, 3)
    claim_volume()
    earned = LedgerEntry.objects.get()

    refund(company, order, 1)
    claim_volume()

    back = LedgerEntry.objects.get(reverses_id=earned.pk)
    assert (back.distributor, back.bonus, back.amount) == (
        earned.distributor,
        earned.bonus,
        Decimal("-0.40"),
    )
    assert balance(company, "chloe") == Decimal("0.80")
    event = Event.objects.get(name="commission.reversed")
    assert (event.facts["amount"], event.facts["order"]) == ("0.40", order.number)


def test_parts_of_a_refund_add_up_whenever_they_are_claimed(company):
    order = company.buys(company.rosa, 7)
    claim_volume()

    refund(company, order, 2)
    refund(company, order, 3)
    claim_volume()
    refund(company, order, 2)
    claim_volume()

    amounts = LedgerEntry.objects.filter(reverses_id__isnull=False)
    assert sum(line.amount for line in amounts) == Decimal("-2.80")
    assert balance(company, "chloe") == 0
    assert list(find_breaks(strict=True)) == []


def test_sale_and_refund_claimed_together(company):
    order = company.buys(company.rosa, 3)
    refund(company, order, 3)

    assert claim_volume() == 2

    assert [line.amount for line in LedgerEntry.objects.order_by("id")] == [
        Decimal("1.20"),
        Decimal("-1.20"),
    ]
    assert list(find_breaks(strict=True)) == []


def test_what_the_wallet_lacks_becomes_a_debt_that_is_paid_first(company):
    order = company.buys(company.rosa, 10)
    claim_volume()
    spend(company.chloe, Decimal("3.00"))

    refund(company, order, 10)
    claim_volume()

    assert balance(company, "chloe") == 0
    assert balance(company, "chloe", "receivable") == Decimal("-3.00")

    company.buys(company.rosa, 5)
    claim_volume()
    assert balance(company, "chloe") == 0
    assert balance(company, "chloe", "receivable") == Decimal("-1.00")

    company.buys(company.rosa, 5)
    claim_volume()
    assert balance(company, "chloe") == Decimal("1.00")
    assert balance(company, "chloe", "receivable") == 0
    assert list(find_breaks(strict=True)) == []


def spend(distributor, amount):
    from commissions.services.journal import get_account, post

    post(
        key="spent",
        kind="test",
        memo="Spent",
        legs=[
            (get_account("wallet", distributor=distributor, currency="GBP"), -amount),
            (get_account("bank", currency="GBP"), amount),
        ],
        actor=None,
    )


def test_a_month_without_a_period_is_opened(company):
    company.buys(company.rosa, 3, at("2026-09-10"))

    claim_volume()

    period = the_period("2026-09")
    assert (period.name, period.status, period.plan_version) == (
        "September 2026",
        "open",
        company.plan,
    )
    assert LedgerEntry.objects.get().period == period


def test_without_a_plan_volume_waits_and_strict_verification_says_so(cast):
    cast.buys(cast.rosa, 3)

    assert claim_volume() == 0

    assert waiting() == 1
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("update commerce_volumeentry set created_at = created_at - interval '5 min'")
        cursor.execute("set local session_replication_role = origin")
    assert [line.split(":")[0] for line in find_breaks(strict=True)] == ["volume waits"]
    assert cast.plan
    assert claim_volume() == 1


def test_batches_cut_anywhere_give_the_same(company):
    order = company.buys(company.rosa, 7)
    company.buys("dmitri", 4)
    refund(company, order, 2)
    company.buys("ben", 1)

    while claim_batch(limit=1):
        pass

    assert waiting() == 0
    assert balance(company, "chloe") == Decimal("2.00") + Decimal("1.60")
    assert projections.differences() == []
    assert list(find_breaks(strict=True)) == []


def test_projections_follow_each_claim(company):
    company.buys("dmitri", 4)
    order = company.buys(company.rosa, 2)
    claim_volume()
    refund(company, order, 1)
    claim_volume()

    company.asha.refresh_from_db()
    company.chloe.refresh_from_db()
    assert (company.chloe.current_month_pv, company.chloe.current_month_gv) == (20, 100)
    assert (company.asha.current_month_pv, company.asha.current_month_gv) == (0, 100)
    assert company.chloe.total_commission_earned == Decimal("2.00")
    assert projections.differences() == []


def test_a_wrong_projection_is_found_and_put_right(company):
    company.buys("dmitri", 4)
    claim_volume()
    type(company.ben).objects.filter(pk=company.ben.pk).update(lifetime_pv=Decimal("5.00"))

    found = projections.differences()

    assert [(d.number, d.column, d.stored, d.true) for d in found] == [
        (company.ben.number, "lifetime_pv", 500, 0)
    ]
    assert projections.refresh() == 1
    assert projections.differences() == []


def test_entries_are_never_claimed_for_another_period(company):
    company.buys(company.rosa, 1, at("2026-09-30"))
    company.buys(company.rosa, 1, at("2026-10-01", "00:30"))

    claim_volume()

    codes = LedgerEntry.objects.order_by("id").values_list("run__period__code", flat=True)
    assert list(codes) == ["2026-09", "2026-10"]
    days = VolumeEntry.objects.order_by("id").values_list("counts_on", flat=True)
    assert [f"{day}" for day in days] == ["2026-09-30", "2026-10-01"]
