"""Plans that ask who bought: the how-manieth order of his, how long he has been there."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from importlib import import_module
from threading import Barrier

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from commerce.models import Customer, Order
from commerce.services.orders import OrderLine, RefundLine, pay_order, place_order, refund_order
from commissions import earnings
from commissions.estimate import estimate_close
from commissions.explain import explain
from commissions.models import EstimateDifference, LedgerEntry
from commissions.services import projections
from commissions.services.claims import claim_volume
from commissions.services.estimates import record
from commissions.services.facts import cut_of, read_snapshot
from commissions.services.plan_reading import loaded
from commissions.services.replay import replay
from commissions.services.trials import carry_out, start_trial
from commissions.services.verification import find_breaks
from commissions.standing import plan_of
from tests.cast import Cast, at, gather
from tests.commissions.exported import booked, simulated
from tests.commissions.plans import demo, pay_by
from tests.commissions.steps import closed, the_period

SOLD = ("retail", "preferred", "self_consumption", "autoship")
MONTHS = ("2026-09", "2026-10", "2026-11")
EACH_ORDER = {
    "base": {"of": "order", "volume": "cv"},
    "pays": {"who": "source"},
    "eligibility": {"when": None, "otherwise": "lost"},
}
FIRST_ORDERS = {
    "code": "first", "name": "First orders", "ledger_type": "fast_start",
    "trigger": "period_close", "orders": {"last": 1},
    "rates": {"by": "kind", "table": {kind: ["0.20"] for kind in SOLD}}, **EACH_ORDER,
}  # fmt: skip
EARLY_ORDERS = {
    "code": "early", "name": "Early orders", "ledger_type": "direct_bonus", "trigger": "payment",
    "orders": {"first": 2, "within_days": 30},
    "rates": {"by": "kind", "table": {kind: ["0.03"] for kind in SOLD}}, **EACH_ORDER,
}  # fmt: skip
NEW_PEOPLE = {
    "code": "new_people", "name": "New people", "ledger_type": "leadership",
    "trigger": "period_close", "base": {"of": "metric", "metric": "new_cv"},
    "pays": {"who": "source"}, "rates": {"by": "step", "table": ["0.05"]},
    "eligibility": {"when": None, "otherwise": "lost"},
}  # fmt: skip
NEW_CV = {
    "code": "new_cv", "name": "Volume of new buyers", "what": "volume", "volume": "cv",
    "kinds": list(SOLD), "scope": {"scope": "group", "tree": "sponsor", "include_self": True},
    "window": "first_days", "length": 45, "since": "buyer",
}  # fmt: skip

OPENERS = NEW_PEOPLE | {
    "code": "openers", "name": "Openers", "base": {"of": "metric", "metric": "first_cv"},
}  # fmt: skip
FIRST_CV = {
    "code": "first_cv", "name": "Volume of first orders", "what": "volume", "volume": "cv",
    "kinds": list(SOLD), "scope": {"scope": "own"}, "orders": {"last": 1},
}  # fmt: skip
CUSTOMERS = {
    "code": "customers", "name": "Customers", "what": "buyers", "volume": "cv", "least": "40",
    "kinds": list(SOLD), "scope": {"scope": "own"},
}  # fmt: skip
PER_CUSTOMER = NEW_PEOPLE | {
    "code": "per_customer", "name": "For each customer", "unit": "amount",
    "base": {"of": "metric", "metric": "customers"}, "rates": {"by": "step", "table": ["4"]},
}  # fmt: skip
STRONGEST = {
    "code": "strongest", "name": "Strongest leg", "what": "volume", "volume": "cv",
    "kinds": list(SOLD), "scope": {"scope": "legs", "tree": "sponsor", "first": 1, "last": 1},
    "window": "periods", "length": 2,
}  # fmt: skip
LEADERS = NEW_PEOPLE | {
    "code": "leaders", "name": "Leaders", "base": {"of": "metric", "metric": "strongest"},
    "eligibility": {
        "when": {
            "is": "legs_with_recruits", "legs": 1, "tree": "sponsor", "recruits": 1,
            "by": "enroller", "where": {"is": "at_least", "metric": "customers", "figure": "1"},
        },
        "otherwise": "lost",
    },
}  # fmt: skip


def asking() -> dict:
    """The demo plan, and what is paid for first, early and new buyers' orders, for customers, and
    on the strongest leg of who enrolled somebody with customers."""
    document = demo() | {"limits": []}
    document["metrics"] += [NEW_CV, FIRST_CV, CUSTOMERS, STRONGEST]
    document["bonuses"] += [
        FIRST_ORDERS, EARLY_ORDERS, NEW_PEOPLE, OPENERS, PER_CUSTOMER, LEADERS,
    ]  # fmt: skip
    return document


def buys_a_kit(cast: Cast, name: str, day: str) -> Order:
    """An order without volume, which is the buyer's next one all the same."""
    order = place_order(
        customer=cast.own_account(name), lines=[OrderLine(product=cast.tea, quantity=1)],
        actor=None, order_class="enrolment_kit", placed_at=at(day),
    )  # fmt: skip
    pay_order(order=order, method="card", reference=day, actor=None, received_at=at(day))
    order.refresh_from_db()
    return order


def a_month(cast: Cast, month: str) -> None:
    for name, pieces, day in (("ben", 5, "05"), ("chloe", 6, "06"), ("dmitri", 10, "07")):
        cast.buys(name, pieces, at(f"{month}-{day}"))
    cast.buys(cast.rosa, 4, at(f"{month}-08"))
    cast.buys(cast.rosa, 2, at(f"{month}-24"))


def back(cast: Cast, order: Order, pieces: int, day: str) -> None:
    refund_order(
        order=order, lines=[RefundLine(item=order.items.get(), quantity=pieces)],
        actor=cast.user("fiona"), reason="Broken", refunded_at=at(day),
    )  # fmt: skip


# The numbers


@pytest.mark.django_db
def test_a_paid_order_is_its_buyers_next_one_whatever_comes_back(cast):
    first = cast.buys(cast.rosa, 3, at("2026-10-05"))
    unpaid = cast.buys(cast.rosa, 1, at("2026-10-06"), paid=False)
    back(cast, first, 3, "2026-10-07")
    second = cast.buys(cast.rosa, 1, at("2026-10-09"))

    assert (first.buyer_number, second.buyer_number, unpaid.buyer_number) == (1, 2, None)
    assert {first.buyer_since, second.buyer_since} == {date(2026, 10, 5)}
    assert unpaid.buyer_since is None


@pytest.mark.django_db
def test_a_distributor_counts_from_his_day_and_his_kit_among_his_orders(cast):
    kit = buys_a_kit(cast, "ben", "2026-10-05")
    order = cast.buys("ben", 1, at("2026-10-06"))

    assert not kit.items.get().volume_entries.exists()
    assert [(each.buyer_number, each.buyer_since) for each in (kit, order)] == [
        (1, cast.ben.joined_on), (2, cast.ben.joined_on),
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_customer_counts_from_the_day_he_was_entered_where_that_was_before(cast):
    Customer.objects.filter(pk=cast.rosa.pk).update(created_at=at("2026-09-30", "23:45"))

    order = cast.buys(cast.rosa, 1, at("2026-10-05"))

    assert (order.buyer_number, order.buyer_since) == (1, date(2026, 9, 30))


@pytest.mark.django_db(transaction=True)
def test_two_payments_of_one_buyer_at_once_are_his_first_and_second(transactional_db):
    cast = gather()
    orders = [cast.buys(cast.rosa, 1, at("2026-10-05"), paid=False) for _ in range(4)]
    ready = Barrier(len(orders))

    def pays(order: Order) -> None:
        try:
            ready.wait()
            pay_order(order=order, method="card", reference=order.number, actor=None)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(orders)) as pool:
        list(pool.map(pays, orders))

    numbers = Order.objects.filter(customer=cast.rosa).values_list("buyer_number", flat=True)
    assert sorted(numbers) == [1, 2, 3, 4]


def _run(sql: str, *params: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.mark.django_db
def test_the_database_keeps_the_numbers(cast):
    order = cast.buys(cast.rosa, 1, at("2026-10-05"))
    unpaid = cast.buys(cast.rosa, 1, at("2026-10-06"), paid=False)
    pay = (
        "update commerce_order set payment_status = 'paid', paid_at = now(), buyer_number = %s, "
        "buyer_since = %s where id = %s"
    )

    with pytest.raises(DatabaseError, match="number of the buyer is final"):
        _run("update commerce_order set buyer_number = 2 where id = %s", order.pk)
    with pytest.raises(DatabaseError, match="number of the buyer is final"):
        _run("update commerce_order set buyer_since = '2026-01-01' where id = %s", order.pk)
    with pytest.raises(IntegrityError, match="paid_has_number"):
        _run(pay, None, None, unpaid.pk)
    with pytest.raises(IntegrityError, match="buyer_number_unique"):
        _run(pay, 1, "2026-10-06", unpaid.pk)
    with pytest.raises(DatabaseError, match="is left out"):
        _run(pay, 3, "2026-10-06", unpaid.pk)
    _run(pay, 2, "2026-10-06", unpaid.pk)
    assert Order.objects.get(pk=unpaid.pk).buyer_number == 2


@pytest.mark.django_db
def test_orders_paid_before_there_were_numbers_are_numbered_as_if_they_had_been(cast):
    buys_a_kit(cast, "ben", "2026-10-04")
    for day in ("2026-10-05", "2026-10-09", "2026-11-02"):
        cast.buys(cast.rosa, 1, at(day))
        cast.buys("ben", 1, at(day))
    cast.buys("ben", 1, at("2026-11-03"), paid=False)
    numbers = dict(Order.objects.values_list("pk", "buyer_number"))
    days = dict(Order.objects.values_list("pk", "buyer_since"))
    migration = import_module("commerce.migrations.0004_number_paid_orders")

    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("alter table commerce_order drop constraint commerce_order_paid_has_number")
        cursor.execute("alter table commerce_order disable trigger user")
        cursor.execute("update commerce_order set buyer_number = null, buyer_since = null")
    migration.number(None, connection.schema_editor())

    assert dict(Order.objects.values_list("pk", "buyer_number")) == numbers
    assert dict(Order.objects.values_list("pk", "buyer_since")) == days


# In the books


@pytest.mark.django_db
def test_plans_that_ask_who_bought_pay_in_the_books_what_the_simulator_pays(
    cast: Cast, tmp_path
) -> None:
    document = asking()
    version = pay_by(cast, document)
    buys_a_kit(cast, "stella", "2026-09-02")

    state = None
    for month in MONTHS:
        a_month(cast, month)
        if month == MONTHS[1]:
            cast.buys("stella", 7, at("2026-10-12"))
        if month == MONTHS[2]:
            # Of her first order, in September, and of one in October.
            back(cast, cast.rosa.orders.get(buyer_number=1), 1, "2026-11-10")
            back(cast, cast.rosa.orders.get(buyer_number=3), 2, "2026-11-11")
        claim_volume()
        assert record(the_period(month)) is not None
        period = closed(cast, month)
        paid, state = simulated(tmp_path / month, document, period, state)
        assert booked(period) == paid

    lines = LedgerEntry.objects.values_list("bonus__code", "reverses_id")
    told = {(code, undone is not None) for code, undone in lines}
    assert ("new_people", False) in told
    assert told >= {(code, is_back) for code in ("first", "early", "openers")
                    for is_back in (False, True)}  # fmt: skip
    assert told >= {("leaders", False), ("per_customer", False)}
    assert not EstimateDifference.objects.exists()
    assert list(find_breaks(strict=True)) == []
    assert projections.differences() == []
    for month in MONTHS:
        assert [proof.name for proof in replay(the_period(month)) if not proof.is_same] == []
    trial = start_trial(
        version=version, first=the_period(MONTHS[0]), last=the_period(MONTHS[2]),
        actor=cast.user("fiona"),
    )  # fmt: skip
    carry_out(trial.pk)
    trial.refresh_from_db()
    assert (trial.status, trial.error, trial.earnings.count()) == ("done", "", 0)
    keys = LedgerEntry.objects.values_list("pk", flat=True)
    found = (earnings.line_by_key(pk) for pk in keys)
    stories = [explain(line, for_staff=True) for line in found if line]
    assert [str(why.line.pk) for why in stories if why.is_checked and not why.agrees] == []
    assert {why.line.bonus.code for why in stories if why.is_checked} >= {"first", "early"}


@pytest.mark.django_db
def test_an_estimate_of_ones_own_line_asks_who_bought(cast: Cast) -> None:
    version = pay_by(cast, asking())
    a_month(cast, MONTHS[0])
    claim_volume()
    expected = estimate_close(cast.chloe, the_period(MONTHS[0]), plan_of(version))

    period = closed(cast, MONTHS[0])

    assert expected is not None
    # A fifth of what she and Rosa first ordered: 120.00 and 80.00.
    assert dict(expected.parts)["First orders"] == Decimal("40.00")
    lines = LedgerEntry.objects.filter(run__period=period, distributor=cast.chloe)
    at_close = sum(line.amount for line in lines.filter(run__kind="close"))
    assert expected.total == at_close


@pytest.mark.django_db
def test_a_plan_that_does_not_ask_reads_nothing_of_buyers(cast: Cast) -> None:
    pay_by(cast, demo())
    a_month(cast, MONTHS[0])
    claim_volume()
    period = closed(cast, MONTHS[0])

    snapshot = read_snapshot(cut_of(period), loaded(period.frozen_plan))

    assert (dict(snapshot.lines.buyer), dict(snapshot.refunds.buyer)) == ({}, {})


@pytest.mark.django_db
def test_a_line_says_which_order_of_its_buyer_it_is(cast: Cast, client) -> None:
    pay_by(cast, asking())
    a_month(cast, MONTHS[0])
    claim_volume()
    closed(cast, MONTHS[0])
    line = LedgerEntry.objects.get(
        bonus__code="early", volume_entry__order_item__order__customer=cast.rosa
    )

    client.force_login(cast.user("chloe"))
    page = client.get(f"/earnings/{MONTHS[0]}/{earnings.reference(line)}/").content.decode()

    assert "Number 2, 16 days after the first day" in page
