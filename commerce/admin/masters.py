from django.contrib import admin

from accounts.admin_base import BaseAdmin, WatchedAdmin
from commerce.models import Customer, Product, ProductCategory


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
class CustomerAdmin(WatchedAdmin, BaseAdmin):
    list_display = ["number", "full_name", "kind", "distributor", "country", "status"]
    list_filter = ["kind", "status"]
    list_select_related = ["distributor"]
    search_fields = ["=number", "^last_name", "=email", "=external_reference"]
    autocomplete_fields = ["distributor"]
    raw_id_fields = ["user"]
    readonly_fields = ["number", "lifetime_value", "first_order_on", "last_order_on"]
