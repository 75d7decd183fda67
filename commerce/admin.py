from django.contrib import admin

from accounts.admin_base import BaseAdmin, ReadOnlyAdmin, ReadOnlyInline
from commerce.models import (
    Customer,
    Order,
    OrderItem,
    Payment,
    Product,
    ProductCategory,
    Refund,
    RefundItem,
    VolumeEntry,
)


@admin.register(ProductCategory)
class ProductCategoryAdmin(BaseAdmin):
    list_display = ["name", "code", "parent"]
    list_select_related = ["parent"]
    search_fields = ["name", "=code"]
    autocomplete_fields = ["parent"]


@admin.register(Product)
class ProductAdmin(BaseAdmin):
    list_display = ["sku", "name", "category", "price", "currency", "pv", "cv", "status"]
    list_filter = ["status", "is_commissionable", "is_subscription"]
    list_select_related = ["category"]
    search_fields = ["=sku", "^name"]
    autocomplete_fields = ["category"]


@admin.register(Customer)
class CustomerAdmin(BaseAdmin):
    list_display = ["number", "full_name", "kind", "distributor", "country", "status"]
    list_filter = ["kind", "status"]
    list_select_related = ["distributor"]
    search_fields = ["=number", "^last_name", "=email", "=external_reference"]
    autocomplete_fields = ["distributor"]
    raw_id_fields = ["user"]
    readonly_fields = ["number", "lifetime_value", "first_order_on", "last_order_on"]


class OrderItemInline(ReadOnlyInline):
    model = OrderItem
    fields = ["line_number", "description", "quantity", "unit_price", "total_price", "unit_pv"]


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
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
