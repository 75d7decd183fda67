from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.admin_base import ReadOnlyAdmin, ReadOnlyInline
from accounts.permissions import require
from commerce.forms import REFUSALS, PaymentForm, RefundForm
from commerce.models import (
    Order,
    OrderItem,
    Payment,
    Refund,
    RefundItem,
    VolumeEntry,
)


class OrderItemInline(ReadOnlyInline):
    model = OrderItem
    fields = ["line_number", "description", "quantity", "unit_price", "total_price", "unit_pv"]


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders, and a desk on which payments are booked and pieces are taken back."""

    list_display = [
        "number",
        "customer",
        "distributor",
        "order_class",
        "total",
        "currency",
        "status",
        "payment_status",
        "placed_at",
    ]
    list_filter = ["status", "payment_status", "order_class"]
    list_select_related = ["customer", "distributor"]
    search_fields = ["=number", "=external_reference", "=customer__number", "=distributor__number"]
    date_hierarchy = "placed_at"
    inlines = [OrderItemInline]
    change_form_template = "admin/commerce/order/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        desk = path(
            "<str:number>/desk/",
            self.admin_site.admin_view(self.desk_view),
            name="commerce_order_desk",
        )
        return [desk, *super().get_urls()]

    def desk_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """Book the payment of an order, or refund pieces of it."""
        order = get_object_or_404(
            Order.objects.select_related("customer", "distributor"), number=number
        )
        form_class = RefundForm if order.paid_at else PaymentForm
        require(request.user, form_class.permission)
        form = form_class(request.POST or None, order=order)
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, form.book(request.user))
                return redirect("admin:commerce_order_desk", order.number)
            except REFUSALS as refused:
                form.add_error(None, str(refused))
        context = {**self.admin_site.each_context(request), "order": order, "form": form}
        return TemplateResponse(request, "admin/commerce/order/desk.html", context)


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnlyAdmin):
    list_display = [
        "order",
        "line_number",
        "product",
        "quantity",
        "unit_price",
        "total_price",
        "refunded_quantity",
    ]
    list_select_related = ["order", "product"]
    search_fields = ["=order__number", "=product__sku"]


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ["number", "order", "amount", "currency", "method", "status", "received_at"]
    list_filter = ["status", "provider", "method"]
    list_select_related = ["order"]
    search_fields = ["=number", "=reference", "=order__number"]


class RefundItemInline(ReadOnlyInline):
    model = RefundItem
    fields = ["order_item", "quantity", "amount"]


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ["number", "order", "amount", "currency", "reason", "refunded_at"]
    list_select_related = ["order"]
    search_fields = ["=number", "=order__number", "=external_reference"]
    date_hierarchy = "refunded_at"
    inlines = [RefundItemInline]


@admin.register(VolumeEntry)
class VolumeEntryAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "distributor", "order_class", "pv", "cv", "counts_on"]
    list_filter = ["kind", "order_class"]
    list_select_related = ["distributor"]
    search_fields = ["=distributor__number", "=order_item__order__number"]
    date_hierarchy = "counts_on"
