"""Lists of the admin show states as badges and amounts as money."""

from decimal import Decimal

from accounts.admin_columns import columns
from commerce.models import Order, VolumeEntry
from commissions.models import LedgerEntry


def test_an_amount_takes_its_currency_along():
    names = columns(Order, ["number", "total", "currency"])

    assert names[0] == "number"
    assert len(names) == 2
    assert names[1](Order(total=Decimal("1234.50"), currency="EUR")) == (
        '<data class="money" value="1234.50">€1,234.50</data>'
    )
    assert names[1].admin_order_field == "total"


def test_a_state_is_a_badge_with_its_own_words():
    (state,) = columns(Order, ["payment_status"])

    shown = state(Order(payment_status="partially_refunded"))

    assert "badge-wait" in shown
    assert "Partially refunded" in shown


def test_volumes_are_points_and_rates_are_percent():
    (pv,) = columns(VolumeEntry, ["pv"])
    (rate,) = columns(LedgerEntry, ["rate"])

    assert (
        pv(VolumeEntry(pv=Decimal("1200"))) == '<data class="points" value="1200">1,200.00</data>'
    )
    assert rate(LedgerEntry(rate=Decimal("0.050000"))) == (
        '<data class="rate" value="0.050000">5%</data>'
    )


def test_what_is_neither_stays_as_it_is():
    def column(row: Order) -> str:
        return "x"

    assert columns(Order, ["number", column, "__str__"]) == ["number", column, "__str__"]
