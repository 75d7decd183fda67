"""From placing to payment to refund, with the amounts and volumes written out."""

from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection

from accounts.models import AuditEvent, Event
from commerce.models import Customer, Order, Payment, Product, Refund, VolumeCutoff, VolumeEntry
from commerce.services.orders import (
    Charges,
    OrderLine,
    OrderRefused,
    PaymentRefused,
    RefundLine,
    RefundRefused,
    pay_order,
    place_order,
    refund_order,
)
from commerce.services.volume import part_of
from tests.cast import at, gather


def place(customer, product, pieces=1, **options):
    lines = [OrderLine(product=product, quantity=pieces)]
    return place_order(customer=customer, lines=lines, actor=None, **options)


def pay(order, reference="R1", **options):
    return pay_order(order=order, method="card", reference=reference, actor=None, **options)


def refund(order, pieces, **options):
    item = order.items.get()
    options = {"reason": "Broken", "actor": None, **options}
    return refund_order(order=order, lines=[RefundLine(item, pieces)], **options)


def test_customer_pays_retail_and_leaves_the_seller_a_margin(cast):
    order = place(cast.rosa, cast.tea, 2)

    item = order.items.get()
    assert (order.order_class, order.status, order.total) == ("retail", "pending", Decimal("50.00"))
    assert (item.unit_price, item.unit_pv, item.unit_margin) == (
        Decimal("25.0000"),
        Decimal("20.0000"),
        Decimal("5.0000"),
    )
    assert not VolumeEntry.objects.exists()


def test_distributor_pays_the_distributor_price(cast):
    order = place(cast.own_account("ben"), cast.tea, 2)

    assert (order.order_class, order.total) == ("self_consumption", Decimal("40.00"))
    assert order.items.get().unit_margin == 0


def test_order_keeps_its_price_when_the_list_changes(cast):
    order = place(cast.rosa, cast.tea)
    Product.objects.update(price=Decimal("99.00"), pv=1)

    pay(order)

    assert Order.objects.get().total == Decimal("25.00")
    assert VolumeEntry.objects.get().pv == Decimal("20.00")


def test_enrolment_kit_carries_no_volume(cast):
    order = place(cast.own_account("ben"), cast.tea, order_class="enrolment_kit")

    pay(order)

    assert not VolumeEntry.objects.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: Product.objects.update(status="discontinued"), "TEA is discontinued"),
        (lambda c: Customer.objects.update(status="suspended"), "is suspended"),
        (lambda c: Product.objects.update(currency="USD"), "TEA is priced in USD"),
    ],
)
def test_order_is_refused_with_the_reason(cast, change, words):
    rosa, tea = cast.rosa, cast.tea
    change(cast)
    rosa.refresh_from_db()
    tea.refresh_from_db()

    with pytest.raises(OrderRefused, match=words):
        place(rosa, tea)

    assert not Order.objects.exists()


def test_impossible_lines_are_refused(cast):
    with pytest.raises(OrderRefused, match="at least one line"):
        place_order(customer=cast.rosa, lines=[], actor=None)
    with pytest.raises(OrderRefused, match="quantity must be at least 1"):
        place(cast.rosa, cast.tea, 0)
    with pytest.raises(OrderRefused, match="own account"):
        place(cast.rosa, cast.tea, order_class="autoship")
    with pytest.raises(OrderRefused, match="more than the goods cost"):
        place(cast.rosa, cast.tea, charges=Charges(discount=Decimal("25.01")))


def test_payment_makes_volume_and_tells_the_seller(cast):
    order = place(cast.rosa, cast.tea, 3)

    payment = pay(order, received_at=at("2026-06-30", "23:30"))

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert (payment.amount, payment.status) == (Decimal("75.00"), "received")
    entry = VolumeEntry.objects.get()
    assert (entry.kind, entry.distributor, entry.order_class) == ("sale", cast.chloe, "retail")
    assert (entry.pv, entry.cv, entry.margin) == (
        Decimal("60.00"),
        Decimal("60.00"),
        Decimal("15.00"),
    )
    assert entry.counts_on == date(2026, 6, 30)
    cast.rosa.refresh_from_db()
    assert cast.rosa.lifetime_value == Decimal("75.00")
    assert cast.rosa.first_order_on == cast.rosa.last_order_on == date(2026, 6, 30)
    told = Event.objects.filter(name="order.paid")
    assert {event.stream_id for event in told} == {"staff", f"user:{cast.chloe.user_id}"}
    assert told[0].facts == {"order": order.number, "amount": "75.00", "currency": "GBP"}
    assert AuditEvent.objects.filter(action="order.paid", entity_id=order.number).exists()


def test_same_reference_pays_once(cast):
    order = place(cast.rosa, cast.tea)

    assert pay(order) == pay(order)

    assert (Payment.objects.count(), VolumeEntry.objects.count()) == (1, 1)
    assert Event.objects.filter(name="order.paid", stream_id="staff").count() == 1


def test_reference_of_another_order_and_second_payment_are_refused(cast):
    first, second = place(cast.rosa, cast.tea), place(cast.rosa, cast.tea)
    pay(first)

    with pytest.raises(PaymentRefused, match=f"already booked on order {first.number}"):
        pay(second)
    with pytest.raises(PaymentRefused, match="is confirmed and paid"):
        pay(first, "R2")

    second.refresh_from_db()
    assert second.status == "pending"
    assert Payment.objects.count() == 1


def test_late_volume_counts_on_the_first_open_day(cast):
    VolumeCutoff.objects.update(open_from=date(2026, 7, 1))

    pay(place(cast.rosa, cast.tea), received_at=at("2026-06-30"))

    entry = VolumeEntry.objects.get()
    assert entry.occurred_at == datetime(2026, 6, 30, 11, 0, tzinfo=UTC)
    assert entry.counts_on == date(2026, 7, 1)


def test_refund_takes_back_money_and_volume_in_its_own_month(cast):
    order = place(cast.rosa, cast.tea, 3)
    pay(order, received_at=at("2026-06-10"))

    given = refund(order, 1, refunded_at=at("2026-07-02"))

    assert given.amount == Decimal("25.00")
    sale, back = VolumeEntry.objects.order_by("id")
    assert back.reverses == sale
    assert (back.pv, back.cv, back.margin) == (
        Decimal("-20.00"),
        Decimal("-20.00"),
        Decimal("-5.00"),
    )
    assert (sale.counts_on, back.counts_on) == (date(2026, 6, 10), date(2026, 7, 2))
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("confirmed", "partially_refunded")
    cast.rosa.refresh_from_db()
    assert cast.rosa.lifetime_value == Decimal("50.00")
    assert Event.objects.filter(name="order.refunded", stream_id="staff").count() == 1


def test_refund_piece_by_piece_adds_up_to_the_whole(cast):
    """10.00 less 1.00 for three pieces: 3.00 each; volume 0.10 for three: 0.03, 0.04, 0.03."""
    Product.objects.filter(pk=cast.tea.pk).update(
        price="3.34", distributor_price=None, pv="0.0334", cv=0
    )
    cast.tea.refresh_from_db()
    order = place(cast.rosa, cast.tea, 3, charges=Charges(discount=Decimal("1.02")))
    pay(order)
    assert VolumeEntry.objects.get().pv == Decimal("0.10")

    amounts = [refund(order, 1).amount for _ in range(3)]

    assert amounts == [Decimal("3.00")] * 3
    backs = VolumeEntry.objects.filter(kind="refund").order_by("id")
    assert [b.pv for b in backs] == [Decimal("-0.03"), Decimal("-0.04"), Decimal("-0.03")]
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("refunded", "refunded")


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 11])
def test_parts_of_an_amount_add_up(pieces):
    whole = Decimal("10.01")

    parts = [part_of(whole, pieces, n, n + 1) for n in range(pieces)]

    assert sum(parts) == whole
    assert max(parts) - min(parts) <= Decimal("0.01")


def test_refund_with_a_reference_is_booked_once(cast):
    order = place(cast.rosa, cast.tea, 3)
    pay(order)

    assert refund(order, 1, external_reference="X") == refund(order, 1, external_reference="X")

    assert Refund.objects.count() == 1


def test_impossible_refunds_are_refused(cast):
    order = place(cast.rosa, cast.tea, 3)
    with pytest.raises(RefundRefused, match="was not paid"):
        refund(order, 1)
    pay(order)

    with pytest.raises(RefundRefused, match="4 pieces were asked back, 3 are left"):
        refund(order, 4)
    with pytest.raises(RefundRefused, match="needs a reason"):
        refund(order, 1, reason=" ")
    with pytest.raises(RefundRefused, match="was paid only at"):
        refund(order, 1, refunded_at=at("2001-01-01"))
    other = place(cast.rosa, cast.tea)
    with pytest.raises(RefundRefused, match="does not belong"):
        refund_order(
            order=order, lines=[RefundLine(other.items.get(), 1)], actor=None, reason="Broken"
        )

    assert not Refund.objects.exists()


def test_walk_in_sale_leaves_no_volume(cast):
    walk_in = Customer.objects.create(number="C-999999", kind="walk_in")

    order = place(walk_in, cast.tea)
    pay(order)
    refund(order, 1)

    assert order.distributor is None
    assert not VolumeEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_payments_at_once_book_one():
    cast = gather()
    order = place(cast.rosa, cast.tea)
    start = Barrier(2)
    outcomes = []

    def attempt(reference):
        start.wait()
        try:
            outcomes.append(pay(order, reference).reference)
        except PaymentRefused as refused:
            outcomes.append(type(refused))
        finally:
            connection.close()

    threads = [Thread(target=attempt, args=(reference,)) for reference in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert PaymentRefused in outcomes
    assert (Payment.objects.count(), VolumeEntry.objects.count()) == (1, 1)
