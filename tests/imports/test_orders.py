"""Each rule for order files on a few lines that show it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from accounts.imports.errors import ImportStopped
from commerce.models import Customer, Order, OrderItem, Payment, Refund, RefundItem, VolumeEntry

NO_SALE = "Cancellation without a sale"


def outcome(report):
    return {state: sums.lines for state, sums in report.by_state.items()}


def test_sale_is_booked_whole(shop):
    report = shop.orders(
        "536365,MUG,WHITE  MUG,6,2011-01-10 08:26:00,2.55,22.0,United Kingdom",
        "536365,BOX,BOX,1,2011-01-10 08:26:00,10.00,22.0,United Kingdom",
    )

    assert outcome(report) == {"booked": 2, "unchanged": 0, "rejected": 0}
    order = Order.objects.get()
    assert order.external_reference == "536365"
    assert order.number.startswith("O-2011-")
    assert order.customer.external_reference == "22"
    assert order.distributor.number == "D-000002"
    assert order.order_class == "self_consumption"
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert order.total == Decimal("25.30")
    assert order.paid_at == datetime(2011, 1, 10, 8, 26, tzinfo=UTC)
    assert [
        (item.line_number, item.product.sku, item.description, item.quantity, item.total_price)
        for item in order.items.order_by("line_number")
    ] == [(1, "MUG", "WHITE MUG", 6, Decimal("15.30")), (2, "BOX", "BOX", 1, Decimal("10.00"))]
    payment = Payment.objects.get()
    assert (payment.provider, payment.reference) == ("import", "536365")
    assert payment.amount == Decimal("25.30")
    assert [(v.pv, v.cv, v.margin, v.counts_on) for v in VolumeEntry.objects.order_by("id")] == [
        (Decimal("15.30"), Decimal("15.30"), Decimal("0.00"), date(2011, 1, 10)),
        (Decimal("10.00"), Decimal("10.00"), Decimal("0.00"), date(2011, 1, 10)),
    ]
    customer = order.customer
    assert customer.lifetime_value == Decimal("25.30")
    assert customer.first_order_on == customer.last_order_on == date(2011, 1, 10)
    assert order.history.get().history_change_reason == "Imported"


def test_history_is_numbered_as_if_it_had_been_paid_order_by_order(shop):
    shop.book("customers", "customer_id,distributor_number\n77,D-000002\n")

    shop.orders(
        "1,MUG,MUG,1,2011-01-12 09:00:00,2.55,77,UK",
        "2,MUG,MUG,1,2011-01-10 09:00:00,2.55,77,UK",
        "2,BOX,BOX,1,2011-01-10 09:00:00,10.00,77,UK",
        "3,MUG,MUG,1,2011-01-10 09:00:00,0.00,77,UK",
        "4,MUG,MUG,1,2011-01-11 09:00:00,2.55,22.0,UK",
        "5,MUG,MUG,1,2011-01-11 23:00:00,2.55,,UK",
    )
    shop.orders("6,MUG,MUG,1,2011-01-11 09:00:00,2.55,77,UK")

    orders = Order.objects.select_related("distributor").order_by("external_reference")
    first_day, joined = date(2011, 1, 10), orders[3].distributor.joined_on
    assert [(order.external_reference, order.buyer_number, order.buyer_since)
            for order in orders] == [
        ("1", 3, first_day), ("2", 1, first_day), ("3", 2, first_day), ("4", 1, joined),
        ("5", 1, date(2011, 1, 11)), ("6", 4, first_day),
    ]  # fmt: skip


def test_sale_to_a_retail_customer_leaves_a_margin(shop):
    shop.book("customers", "customer_id,distributor_number\n77,D-000002\n")

    shop.orders("1,BOX,BOX,3,2011-01-10 08:26:00,10.00,77,UK")

    entry = VolumeEntry.objects.get()
    assert entry.order_class == "retail"
    assert entry.distributor.number == "D-000002"
    assert entry.margin == Decimal("6.00")


def test_line_without_customer_is_a_walk_in_sale_without_volume(shop):
    report = shop.orders("1,MUG,MUG,2,2011-01-10 08:26:00,2.55,,UK")

    assert outcome(report)["booked"] == 1
    order = Order.objects.get()
    assert order.customer.kind == Customer.Kind.WALK_IN
    assert order.distributor is None
    assert not VolumeEntry.objects.exists()


def test_free_line_is_booked_without_volume(shop):
    report = shop.orders("1,MUG,MUG,2,2011-01-10 08:26:00,0.00,11,UK")

    assert outcome(report)["booked"] == 1
    assert OrderItem.objects.get().total_price == 0
    assert not VolumeEntry.objects.exists()


def test_postage_carries_no_volume(shop):
    shop.orders("1,POST,POSTAGE,1,2011-01-10 08:26:00,18.00,11,UK")

    assert Order.objects.get().total == Decimal("18.00")
    assert not VolumeEntry.objects.exists()


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (
            "A563185,B,Adjust bad debt,1,2011-08-12 14:50:00,11062.06,,UK",
            "InvoiceNo",
            "Accounting adjustment, not a sale",
        ),
        (
            "536589,MUG,,-10,2010-12-01 16:50:00,0.00,,UK",
            "Quantity",
            "Stock correction: negative quantity on a sale",
        ),
        (
            "1,MUG,x,1,2011-01-10 08:26:00,-2.55,11,UK",
            "UnitPrice",
            "Negative price: -2.55",
        ),
        (
            "1,MUG,x,1,2011-01-10 08:26:00,0.001,11,UK",
            "UnitPrice",
            "The line is not a whole number of hundredths: 0.001",
        ),
        ("1,MUG,x,0,2011-01-10 08:26:00,1,11,UK", "Quantity", "No pieces"),
        (
            "C1,MUG,x,1,2011-01-10 08:26:00,1,11,UK",
            "Quantity",
            "Positive quantity on a cancellation",
        ),
        ("1,CUP,x,1,2011-01-10 08:26:00,1,11,UK", "StockCode", "Unknown product: CUP"),
        ("1,MUG,x,1,2011-01-10 08:26:00,1,99,UK", "CustomerID", "Unknown customer: 99"),
        ("1,MUG,x,many,2011-01-10 08:26:00,1,11,UK", "Quantity", "Quantity is not a number: many"),
        (
            "1,MUG,x,1.5,2011-01-10 08:26:00,1,11,UK",
            "Quantity",
            "Quantity is not a whole number: 1.5",
        ),
        (
            "1,MUG,x,1,10/01/2011,1,11,UK",
            "InvoiceDate",
            "InvoiceDate is not a date in the expected form: 10/01/2011",
        ),
        (
            "1,MUG,x,1,2011-01-10 08:26:00,1,Mr Smith,UK",
            "CustomerID",
            "CustomerID is not in the expected form: Mr Smith",
        ),
        (",MUG,x,1,2011-01-10 08:26:00,1,11,UK", "InvoiceNo", "InvoiceNo is empty"),
        ("1,MUG,x,1,2011-01-10 08:26:00,1,11", "", "Wrong number of cells: 7 instead of 8"),
        ("1,MUG,x,1,2011-01-10 08:26:00,1e5,11,UK", "UnitPrice", "UnitPrice is not a number: 1e5"),
        ("1,MUG,x,1,2011-01-10 08:26:00,NaN,11,UK", "UnitPrice", "UnitPrice is not a number: NaN"),
    ],
)
def test_bad_line_is_rejected_with_its_reason(shop, line, column, reason):
    report = shop.orders(line)

    assert outcome(report) == {"booked": 0, "unchanged": 0, "rejected": 1}
    assert shop.reasons() == [(2, column, reason)]
    assert not Order.objects.exists()


def test_bad_line_leaves_the_rest_of_its_order(shop):
    shop.orders(
        "1,MUG,x,1,2011-01-10 08:26:00,2.55,11,UK",
        "1,CUP,x,1,2011-01-10 08:26:00,9.00,11,UK",
        "1,BOX,x,1,2011-01-10 08:26:00,10.00,11,UK",
    )

    order = Order.objects.get()
    assert order.total == Decimal("12.55")
    assert [item.line_number for item in order.items.order_by("line_number")] == [1, 3]


def test_identical_lines_are_two_lines(shop):
    shop.orders(*["1,MUG,x,1,2011-01-10 08:26:00,2.55,11,UK"] * 2)

    assert Order.objects.get().total == Decimal("5.10")


def test_order_whose_lines_are_scattered_is_one_order(shop):
    report = shop.orders(
        "1,MUG,x,1,2011-01-10 08:26:00,2.55,11,UK",
        "2,MUG,x,1,2011-01-10 08:27:00,2.55,22,UK",
        "1,BOX,x,1,2011-01-10 08:27:00,10.00,11,UK",
        "3,MUG,x,1,2011-01-10 08:28:00,2.55,22,UK",
        part_size=1,
    )

    assert outcome(report)["booked"] == 4
    order = Order.objects.get(external_reference="1")
    assert order.total == Decimal("12.55")
    assert order.placed_at == datetime(2011, 1, 10, 8, 26, tzinfo=UTC)


def test_order_is_never_split_over_parts(shop):
    lines = [f"{n // 4},MUG,x,1,2011-01-10 08:26:00,2.55,11,UK" for n in range(4, 24)]

    report = shop.orders(*lines, part_size=3)

    assert outcome(report)["booked"] == 20
    assert {order.total for order in Order.objects.all()} == {Decimal("10.20")}


@pytest.mark.parametrize(
    ("clock", "moment"),
    [
        ("2011-07-01 12:00:00", datetime(2011, 7, 1, 11, 0, tzinfo=UTC)),
        ("2011-03-27 01:30:00", datetime(2011, 3, 27, 1, 30, tzinfo=UTC)),
        ("2011-10-30 01:30:00", datetime(2011, 10, 30, 0, 30, tzinfo=UTC)),
    ],
    ids=["summer", "an hour the clock skips", "an hour the clock shows twice"],
)
def test_time_is_the_clock_of_the_company(shop, clock, moment):
    shop.orders(f"1,MUG,x,1,{clock},2.55,11,UK")

    assert Order.objects.get().placed_at == moment


def test_volume_counts_on_the_day_of_the_company(shop):
    shop.orders("1,MUG,x,1,2011-06-30 23:30:00,2.55,11,UK")

    assert VolumeEntry.objects.get().counts_on == date(2011, 6, 30)


# Cancellations


def test_cancellation_refunds_the_most_recent_order_first(shop):
    report = shop.orders(
        "1,MUG,x,6,2011-01-10 08:00:00,2.55,22,UK",
        "2,MUG,x,4,2011-02-10 08:00:00,2.55,22,UK",
        "3,MUG,x,4,2011-02-11 08:00:00,2.55,33,UK",
        "4,MUG,x,4,2011-02-12 08:00:00,2.10,22,UK",
        "C5,MUG,x,-5,2011-03-01 09:00:00,2.55,22,UK",
    )

    assert outcome(report)["booked"] == 5
    assert report.by_state["booked"].amount == Decimal("31.35")
    assert [
        (r.order.external_reference, r.external_reference, r.amount)
        for r in Refund.objects.order_by("order__external_reference")
    ] == [("1", "C5", Decimal("2.55")), ("2", "C5", Decimal("10.20"))]
    assert list(
        Order.objects.order_by("external_reference").values_list("status", "payment_status")
    ) == [
        ("confirmed", "partially_refunded"),
        ("refunded", "refunded"),
        ("confirmed", "paid"),
        ("confirmed", "paid"),
    ]
    back = VolumeEntry.objects.filter(kind="refund").order_by("-pv")
    assert [(v.pv, v.reverses.pv, v.counts_on) for v in back] == [
        (Decimal("-2.55"), Decimal("15.30"), date(2011, 3, 1)),
        (Decimal("-10.20"), Decimal("10.20"), date(2011, 3, 1)),
    ]
    customer = Customer.objects.get(external_reference="22")
    assert customer.lifetime_value == Decimal("33.90") - Decimal("12.75")


def test_cancellation_of_more_than_was_bought_is_rejected_whole(shop):
    shop.orders(
        "1,MUG,x,6,2011-01-10 08:00:00,2.55,22,UK",
        "C2,MUG,x,-7,2011-03-01 09:00:00,2.55,22,UK",
        "C2,BOX,x,-1,2011-03-01 09:00:00,10.00,22,UK",
    )

    assert shop.reasons() == [
        (
            3,
            "InvoiceNo",
            "Cancellation of more than was bought: 7 of MUG at 2.55 for customer 22, "
            "6 were left to take back",
        ),
        (
            4,
            "InvoiceNo",
            f"{NO_SALE}: 1 of BOX at 10.00 for customer 22, 0 were left to take back",
        ),
    ]
    assert not Refund.objects.exists()
    assert OrderItem.objects.get().refunded_quantity == 0


def test_cancellation_never_takes_back_a_later_sale(shop):
    report = shop.orders(
        "C1,MUG,x,-1,2011-01-10 08:00:00,2.55,22,UK",
        "2,MUG,x,1,2011-01-10 08:00:00,2.55,22,UK",
    )

    assert outcome(report) == {"booked": 1, "unchanged": 0, "rejected": 1}
    assert shop.reasons()[0][2].startswith(NO_SALE)


def test_cancellation_of_the_same_minute_takes_back_the_sale_above_it(shop):
    shop.orders(
        "1,MUG,x,1,2011-01-10 08:00:00,2.55,22,UK",
        "C2,MUG,x,-1,2011-01-10 08:00:00,2.55,22,UK",
    )

    assert Refund.objects.get().amount == Decimal("2.55")


def test_two_lines_of_a_cancellation_on_one_order_are_one_refund(shop):
    shop.orders(
        "1,MUG,x,3,2011-01-10 08:00:00,2.55,22,UK",
        "C2,MUG,x,-1,2011-01-11 08:00:00,2.55,22,UK",
        "C2,MUG,x,-2,2011-01-11 08:00:00,2.55,22,UK",
    )

    assert Refund.objects.get().amount == Decimal("7.65")
    assert list(RefundItem.objects.order_by("external_line").values_list("quantity")) == [
        (1,),
        (2,),
    ]
    assert sum(v.pv for v in VolumeEntry.objects.all()) == 0


# Again, dry, and stopping


LINES = (
    "1,MUG,x,6,2011-01-10 08:00:00,2.55,22,UK",
    "1,CUP,x,6,2011-01-10 08:00:00,2.55,22,UK",
    "2,BOX,x,1,2011-01-11 08:00:00,10.00,,UK",
    "C3,MUG,x,-2,2011-02-01 08:00:00,2.55,22,UK",
    "C4,MUG,x,-9,2011-02-01 08:00:00,2.55,22,UK",
)


def counted():
    models = (Order, OrderItem, Payment, Refund, RefundItem, VolumeEntry, Order.history.model)
    return [model.objects.count() for model in models]


def test_second_run_changes_nothing_and_says_so(shop):
    first = shop.orders(*LINES)
    before = counted()
    values = list(Customer.objects.order_by("id").values_list("lifetime_value"))

    second = shop.orders(*LINES)

    assert outcome(first) == {"booked": 3, "unchanged": 0, "rejected": 2}
    assert outcome(second) == {"booked": 0, "unchanged": 3, "rejected": 2}
    assert second.by_state["unchanged"] == first.by_state["booked"]
    assert counted() == before
    assert list(Customer.objects.order_by("id").values_list("lifetime_value")) == values


def test_booked_order_with_other_lines_is_rejected(shop):
    shop.orders("1,MUG,x,6,2011-01-10 08:00:00,2.55,22,UK")

    shop.orders("1,MUG,x,7,2011-01-10 08:00:00,2.55,22,UK")

    assert shop.reasons() == [(2, "InvoiceNo", "Order already booked with other lines: 1/1")]
    assert OrderItem.objects.get().quantity == 6


def test_dry_run_reports_the_same_and_keeps_nothing(shop):
    dry = shop.orders(*LINES, is_dry=True)
    nothing = counted()
    real = shop.orders(*LINES)

    assert outcome(dry) == outcome(real)
    assert dry.by_rule == real.by_rule
    assert nothing == [0] * 7
    assert not Customer.objects.filter(kind="walk_in", orders=None).exists()


def test_stop_keeps_the_parts_before_the_bad_line(shop):
    with pytest.raises(ImportStopped) as stopped:
        shop.orders(
            "1,MUG,x,6,2011-01-10 08:00:00,2.55,22,UK",
            "2,MUG,x,6,2011-01-10 08:01:00,2.55,22,UK",
            "3,CUP,x,6,2011-01-10 08:02:00,2.55,22,UK",
            on_error="stop",
            part_size=2,
        )

    assert str(stopped.value) == "file.csv, line 4, column StockCode: Unknown product: CUP"
    assert set(Order.objects.values_list("external_reference", flat=True)) == {"1", "2"}


def test_sums_are_those_of_the_file_to_the_last_unit(shop):
    report = shop.orders(*LINES, "9,MUG,x,1,2011-02-01 08:00:00,0.001,22,UK")

    assert report.file.quantity == 6 + 6 + 1 - 2 - 9 + 1
    assert report.file.amount == Decimal("15.301") + Decimal("15.30") + 10 - Decimal("28.05")
    assert report.accounted == report.file
