import pytest

from commerce.services.orders import RefundLine, refund_order
from tests.cast import Cast, at
from tests.portal.conftest import queries_of, text_of

pytestmark = pytest.mark.django_db


def test_a_distributor_sees_his_own_orders_and_those_of_his_customers(cast: Cast, sign_in) -> None:
    own = cast.buys("chloe", 1, at("2026-11-02"))
    retail = cast.buys(cast.rosa, 1, at("2026-11-03"))
    other = cast.buys("dmitri", 1, at("2026-11-04"))

    client = sign_in(cast, "chloe")
    page = text_of(client.get("/orders/"))

    assert own.number in page
    assert f"{retail.number} 3 Nov 2026 Rosa Lopez Retail Paid £25.00" in page
    assert other.number not in page
    assert client.get(f"/orders/{other.number}/").status_code == 404


def test_an_order_shows_its_volume_and_what_came_back(cast: Cast, sign_in) -> None:
    order = cast.buys("chloe", 5, at("2026-11-02"))
    refund_order(
        order=order,
        lines=[RefundLine(item=order.items.get(), quantity=2)],
        actor=None,
        reason="Two were broken",
        refunded_at=at("2026-11-05"),
    )

    page = text_of(sign_in(cast, "chloe").get(f"/orders/{order.number}/"))

    assert "Breakfast tea TEA 5 2 came back £20.00 100.00 100.00 £100.00" in page
    assert "Two were broken" in page
    assert "2 × Breakfast tea £40.00" in page


def test_staff_with_the_right_see_every_order(cast: Cast, sign_in) -> None:
    order = cast.buys("chloe", 1, at("2026-11-02"))

    assert sign_in(cast, "sam").get(f"/orders/{order.number}/").status_code == 200


def test_pages_go_on_where_they_ended(cast: Cast, sign_in, monkeypatch) -> None:
    from commerce import views

    monkeypatch.setattr(views, "PAGE", 2)
    numbers = [cast.buys("chloe", 1, at("2026-11-02")).number for _ in range(3)]
    client = sign_in(cast, "chloe")

    first = text_of(client.get("/orders/"))
    second = text_of(client.get(f"/orders/?before={numbers[1]}"))

    assert numbers[0] not in first
    assert numbers[0] in second
    assert numbers[1] not in second


def test_the_list_asks_as_often_for_one_order_as_for_three(cast: Cast, sign_in) -> None:
    cast.buys("chloe", 1, at("2026-11-02"))
    client = sign_in(cast, "chloe")
    few = queries_of(client, "/orders/")

    for _ in range(3):
        cast.buys("chloe", 2, at("2026-11-03"))

    assert queries_of(client, "/orders/") == few
