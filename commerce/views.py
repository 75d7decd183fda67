from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from commerce.models import Order, Refund, VolumeEntry

PAGE = 50


@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    """Orders of the reader's own and of his customers, newest first; staff see all."""
    user: Any = request.user
    visible = Order.objects.visible_to(user)
    orders = visible.select_related("customer").order_by("-placed_at", "-pk")
    if before := request.GET.get("before", ""):
        last = get_object_or_404(visible, number=before)
        orders = orders.filter(placed_at__lte=last.placed_at).exclude(
            placed_at=last.placed_at, pk__gte=last.pk
        )
    rows = list(orders[: PAGE + 1])
    facts = {
        "orders": rows[:PAGE],
        "older": f"?before={rows[PAGE - 1].number}" if len(rows) > PAGE else "",
        "newer": request.path if before else "",
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "commerce/_orders.html", facts)
    return render(request, "commerce/orders.html", facts)


@require_safe
def order_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One order with its lines, their volume, and what came back."""
    user: Any = request.user
    refunds = Refund.objects.prefetch_related("items__order_item").order_by("pk")
    orders = Order.objects.visible_to(user).select_related("customer", "distributor")
    orders = orders.prefetch_related("payments", Prefetch("refunds", refunds))
    order = get_object_or_404(orders, number=number)
    items = list(order.items.select_related("product").order_by("line_number"))
    sales = VolumeEntry.objects.filter(kind="sale", order_item__order=order)
    volume = {entry.order_item_id: entry for entry in sales}
    facts = {
        "order": order,
        "lines": [(item, volume.get(item.pk)) for item in items],
        "received": [payment for payment in order.payments.all() if payment.status == "received"],
        "refunds": list(order.refunds.all()),
        "carries_volume": bool(volume),
    }
    return render(request, "commerce/order.html", facts)
