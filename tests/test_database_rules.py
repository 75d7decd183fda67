"""Round the ORM: the database itself refuses what may never happen."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import AuditEvent, Event
from commerce.models import Order, VolumeEntry
from commerce.services.orders import RefundLine, refund_order
from genealogy.models import Distributor
from tests.cast import at

# Tables that are written once, by the trigger that stands on them.
APPEND_ONLY = {
    "accounts_auditevent",
    "accounts_consent",
    "accounts_consenttext",
    "commerce_refund",
    "commerce_refunditem",
    "commerce_volumeentry",
    "commissions_journalentry",
    "commissions_ledgerentry",
    "commissions_payoutfile",
    "commissions_posting",
    "commissions_rankchange",
    "commissions_standing",
    "commissions_statusfile",
    "commissions_volumeclaim",
    "compliance_kycimage",
    "genealogy_placementpreference",
    "genealogy_referralclick",
}


def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def refunded(cast):
    order = cast.buys("chloe", 3, at("2026-10-05"))
    refund_order(
        order=order,
        lines=[RefundLine(item=order.items.get(), quantity=1)],
        actor=cast.user("fiona"),
        reason="One was broken",
        refunded_at=at("2026-10-09"),
    )
    return order


def test_the_append_only_tables_are_the_ones_on_the_list(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct tgrelid::regclass::text from pg_trigger "
            "where tgname like '%%_append_only' and tgparentid = 0"
        )
        assert {name for (name,) in cursor.fetchall()} == APPEND_ONLY


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("commerce_volumeentry", "pv"),
        ("commerce_refund", "amount"),
        ("commerce_refunditem", "quantity"),
        ("accounts_auditevent", "actor_id"),
    ],
)
def test_final_rows_are_not_changed_or_removed(refunded, table, column):
    with pytest.raises(DatabaseError, match="append-only"):
        run(f"update {table} set {column} = {column}")
    with pytest.raises(DatabaseError, match="append-only"):
        run(f"delete from {table}")
    with pytest.raises(DatabaseError, match="append-only"):
        run(f"set constraints all immediate; truncate {table} cascade")


def test_a_told_event_keeps_its_words(refunded):
    event = Event.objects.earliest("pk")

    with pytest.raises(DatabaseError, match="written event is final"):
        run("update accounts_event set facts = '{}' where id = %s", event.pk)


def test_a_paid_order_keeps_its_figures_and_its_seller(refunded, cast):
    with pytest.raises(DatabaseError, match="paid order is final"):
        run("update commerce_order set distributor_id = %s", cast.stella.pk)
    with pytest.raises(DatabaseError, match="sold line is final"):
        run("update commerce_orderitem set unit_pv = 900")
    with pytest.raises(DatabaseError, match="received payment is final"):
        run("update commerce_payment set amount = 1")


def test_states_do_not_jump(refunded):
    with pytest.raises(DatabaseError, match="status is not allowed"):
        run("update commerce_order set status = 'pending'")
    with pytest.raises(DatabaseError, match="payment_status is not allowed"):
        run("update commerce_order set payment_status = 'pending'")


def test_a_line_is_sold_and_counted_once(refunded):
    sale = VolumeEntry.objects.get(kind="sale")

    with pytest.raises(IntegrityError, match="one_sale_per_line"):
        run(
            "insert into commerce_volumeentry (kind, order_item_id, distributor_id, order_class,"
            " pv, cv, margin, occurred_at, counts_on, created_at)"
            " select kind, order_item_id, distributor_id, order_class, pv, cv, margin,"
            " occurred_at, counts_on, created_at from commerce_volumeentry where id = %s",
            sale.pk,
        )


def test_more_than_was_sold_cannot_go_back(refunded):
    with pytest.raises(IntegrityError, match="refund_within_sale"):
        run("update commerce_orderitem set refunded_quantity = 4")


def test_an_order_whose_total_does_not_add_up_is_refused(cast):
    order = cast.buys("chloe", 1, paid=False)

    with pytest.raises(IntegrityError, match="total_adds_up"):
        run("update commerce_order set total = %s where id = %s", Decimal("1.00"), order.pk)

    assert Order.objects.get(pk=order.pk).total == Decimal("20.00")


def test_nobody_is_his_own_sponsor(cast):
    with pytest.raises(IntegrityError, match="not_own_sponsor"):
        run("update genealogy_distributor set sponsor_id = id where id = %s", cast.ben.pk)

    assert Distributor.objects.get(pk=cast.ben.pk).sponsor == cast.asha


def test_ids_of_distributors_fit_into_the_ledger(cast):
    with pytest.raises(IntegrityError, match="id_of_32_bits"):
        run("update genealogy_distributor set id = %s where id = %s", 2**31, cast.ben.pk)


def test_a_distributor_stands_in_one_place_at_a_time(cast):
    with pytest.raises(IntegrityError, match="one_at_a_time"):
        run(
            "insert into genealogy_distributorposition"
            " (distributor_id, tree, parent_id, valid_from, recorded_at, reason)"
            " values (%s, 'sponsor', %s, %s, now(), '')",
            cast.dmitri.pk,
            cast.asha.pk,
            cast.dmitri.joined_on,
        )


def test_the_audit_trail_names_who_did_it(refunded, cast):
    event = AuditEvent.objects.filter(action__startswith="order.refund").get()

    assert event.actor == cast.user("fiona")
    assert event.entity_id == refunded.number


@pytest.mark.parametrize(
    ("tree", "under", "leg"),
    [
        ("placement", True, None),
        ("placement", True, 0),
        ("placement", False, 1),
        ("sponsor", True, 1),
    ],
)
def test_a_place_under_somebody_has_a_leg_counted_from_one(cast, tree, under, leg):
    with pytest.raises(IntegrityError, match="leg_with_placement"):
        run(
            "insert into genealogy_distributorposition (distributor_id, tree, parent_id, leg, "
            "valid_from, recorded_at, reason) values (%s, %s, %s, %s, '2030-01-01', now(), '')",
            cast.ben.pk,
            tree,
            cast.asha.pk if under else None,
            leg,
        )
