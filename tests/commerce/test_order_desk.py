from decimal import Decimal

import pytest
from django.urls import reverse

from commerce.models import Payment, Refund


@pytest.fixture
def order(cast):
    return cast.buys(cast.rosa, 3, paid=False)


@pytest.fixture
def desk(order):
    return reverse("admin:commerce_order_desk", args=[order.number])


def test_desk_books_the_payment_once(client, cast, order, desk):
    client.force_login(cast.user("fiona"))

    for _ in range(2):
        client.post(desk, {"method": "card", "reference": "T-1"})

    payment = Payment.objects.get()
    assert (payment.amount, payment.verified_by) == (Decimal("75.00"), cast.user("fiona"))


def test_desk_refuses_a_reference_of_another_order(client, cast, order, desk):
    cast.buys("ben", 1, paid=False)
    other = cast.own_account("ben").orders.get()
    client.force_login(cast.user("fiona"))
    client.post(
        reverse("admin:commerce_order_desk", args=[other.number]),
        {"method": "card", "reference": "T-1"},
    )

    page = client.post(desk, {"method": "card", "reference": "T-1"})

    assert f"is already booked on order {other.number}" in page.content.decode()
    order.refresh_from_db()
    assert order.paid_at is None


def test_desk_takes_pieces_back(client, cast, desk):
    client.force_login(cast.user("fiona"))
    client.post(desk, {"method": "card", "reference": "T-1"})

    client.post(desk, {"line_1": "2", "reason": "Broken"})

    refund = Refund.objects.get()
    assert (refund.amount, refund.reason) == (Decimal("50.00"), "Broken")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"line_1": "", "reason": "Broken"}, "Say how many pieces"),
        ({"line_1": "4", "reason": "Broken"}, "less than or equal to 3"),
        ({"line_1": "1", "reason": ""}, "This field is required"),
    ],
)
def test_desk_says_what_is_wrong_with_a_refund(client, cast, desk, answer, words):
    client.force_login(cast.user("fiona"))
    client.post(desk, {"method": "card", "reference": "T-1"})

    page = client.post(desk, answer)

    assert words in page.content.decode()
    assert not Refund.objects.exists()


def test_desk_is_closed_to_support(client, cast, order, desk):
    client.force_login(cast.user("sam"))

    assert client.post(desk, {"method": "card", "reference": "T-1"}).status_code == 403
    assert not Payment.objects.exists()
