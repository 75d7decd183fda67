from django.db import models
from django.db.models import F, Q

from accounts.history import history
from mlmcrm.money import MoneyField


class ProductCategory(models.Model):
    """A shelf of the shop."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )

    history = history()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "product categories"
        constraints = [
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="commerce_productcategory_not_own_parent",
                violation_error_message="A category cannot stand under itself.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something sold, with its prices and the volume one piece carries."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        DISCONTINUED = "discontinued", "Discontinued"

    sku = models.CharField("SKU", max_length=50, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    short_description = models.TextField(blank=True)
    category = models.ForeignKey(ProductCategory, models.PROTECT, null=True, blank=True)
    price = MoneyField("retail price")
    distributor_price = MoneyField(null=True, blank=True)
    cost = MoneyField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    pv = models.DecimalField("PV", max_digits=14, decimal_places=4, default=0)
    cv = models.DecimalField("CV", max_digits=14, decimal_places=4, default=0)
    is_commissionable = models.BooleanField(default=True)
    weight = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    dimensions = models.JSONField(default=dict, blank=True)
    images = models.JSONField(default=list, blank=True)
    is_subscription = models.BooleanField(default=False)
    subscription_frequency = models.PositiveSmallIntegerField(
        "subscription frequency in days", null=True, blank=True
    )
    tax_code = models.CharField(max_length=20, blank=True)
    shipping_class = models.CharField(max_length=50, blank=True)
    inventory_tracked = models.BooleanField(default=False)
    stock_quantity = models.IntegerField(default=0)
    min_stock_level = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    launch_on = models.DateField(null=True, blank=True)
    discontinued_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = history()

    class Meta:
        ordering = ["sku"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "inactive", "discontinued"]),
                name="commerce_product_status_known",
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0, pv__gte=0, cv__gte=0),
                name="commerce_product_price_and_volume_not_negative",
                violation_error_message="Price and volume cannot be negative.",
            ),
            models.CheckConstraint(
                condition=Q(distributor_price__isnull=True)
                | Q(distributor_price__gte=0, distributor_price__lte=F("price")),
                name="commerce_product_distributor_price_not_above_retail",
                violation_error_message="The distributor price cannot be above the retail price.",
            ),
            models.CheckConstraint(
                condition=Q(is_commissionable=True) | Q(pv=0, cv=0),
                name="commerce_product_volume_only_if_commissionable",
                violation_error_message="A product without commission carries no volume.",
            ),
            models.CheckConstraint(
                condition=Q(is_subscription=False) | Q(subscription_frequency__gte=1),
                name="commerce_product_subscription_has_frequency",
                violation_error_message="A subscription needs its frequency in days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.sku})"
