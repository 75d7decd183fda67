"""Order files and what is done by hand at the same moment."""

from decimal import Decimal

import pytest
from django.db import transaction

from commerce.models import Order, VolumeCutoff
from commerce.services.orders import RefundLine, refund_order
from tests.waiting import deeds


@pytest.mark.django_db(transaction=True)
def test_a_cancellation_and_a_refund_of_the_same_order_follow_each_other(shop):
    """Both hold the buyer before the order: neither waits in a circle, and no piece comes back
    twice."""
    shop.orders("1,MUG,x,6,2011-01-10 08:00:00,2.55,22,UK")
    order = Order.objects.get()
    lines = [RefundLine(order.items.get(), 1)]
    with deeds() as begin:
        with transaction.atomic():
            VolumeCutoff.objects.select_for_update().get()
            refunded = begin(
                lambda: refund_order(order=order, lines=lines, actor=None, reason="Broken")
            )
            booked = begin(
                lambda: shop.orders(
                    "2,MUG,x,1,2011-02-10 08:00:00,2.55,22,UK",
                    "C3,MUG,x,-6,2011-03-01 09:00:00,2.55,22,UK",
                    "C4,MUG,x,-1,2011-03-02 09:00:00,2.55,22,UK",
                )
            )

        assert refunded.result(20).amount == Decimal("2.55")
        assert booked.result(20).by_state["rejected"].lines == 1
    assert order.items.get().refunded_quantity == 6
    assert shop.reasons()[0][2].startswith("Cancellation without a sale")
