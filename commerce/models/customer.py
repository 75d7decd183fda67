from django.db import models
from django.db.models import Q

from accounts.history import history
from accounts.models import User
from genealogy.models import Distributor
from mlmcrm.money import MoneyField


class CustomerQuerySet(models.QuerySet["Customer"]):
    def visible_to(self, user: User) -> "CustomerQuerySet":
        if user.has_perm("commerce.view_customer"):
            return self
        return self.filter(distributor__user=user)


class Customer(models.Model):
    """Somebody who buys: a distributor for himself, a customer of his, or a walk-in sale."""

    class Kind(models.TextChoices):
        SELF = "self", "Distributor's own account"
        RETAIL = "retail", "Retail customer"
        PREFERRED = "preferred", "Preferred customer"
        WALK_IN = "walk_in", "Sales without an account"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        SUSPENDED = "suspended", "Suspended"

    number = models.CharField(max_length=20, unique=True)
    external_reference = models.CharField(max_length=60, null=True, blank=True, unique=True)
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.RETAIL)
    distributor = models.ForeignKey(
        Distributor, models.PROTECT, null=True, blank=True, related_name="customers"
    )
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=60, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    preferred_language = models.CharField(max_length=10, default="en")
    billing_address = models.JSONField(default=dict, blank=True)
    shipping_addresses = models.JSONField(default=list, blank=True)
    payment_methods = models.JSONField(
        default=list, blank=True, help_text="Provider tokens only, never card numbers."
    )
    marketing_opt_in = models.BooleanField(default=False)
    auto_ship_enabled = models.BooleanField(default=False)
    loyalty_points = models.PositiveIntegerField(default=0)
    lifetime_value = MoneyField(default=0, editable=False)
    first_order_on = models.DateField(null=True, blank=True, editable=False)
    last_order_on = models.DateField(null=True, blank=True, editable=False)
    status = models.CharField(max_length=9, choices=Status, default=Status.ACTIVE)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CustomerQuerySet.as_manager()
    history = history(
        excluded_fields=["lifetime_value", "first_order_on", "last_order_on", "payment_methods"]
    )

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["email"], name="commerce_customer_email")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["self", "retail", "preferred", "walk_in"]),
                name="commerce_customer_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["active", "inactive", "suspended"]),
                name="commerce_customer_status_known",
            ),
            models.CheckConstraint(
                condition=(Q(kind="walk_in") & Q(distributor__isnull=True))
                | (~Q(kind="walk_in") & Q(distributor__isnull=False)),
                name="commerce_customer_distributor_unless_walk_in",
                violation_error_message="Every customer but the walk-in account has a distributor.",
            ),
            models.UniqueConstraint(
                fields=["distributor"],
                condition=Q(kind="self"),
                name="commerce_customer_one_self_account",
                violation_error_message="This distributor already has an own account.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} ({self.number})"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.get_kind_display()
