from django.db import models
from django.db.models import F, Q

from accounts.history import history
from accounts.models import User
from commerce.models.customer import Customer
from commerce.models.product import Product
from genealogy.models import Distributor
from mlmcrm.money import MoneyField

ORDER_EDGES = {
    "pending": ("confirmed", "cancelled"),
    "confirmed": ("processing", "shipped", "delivered", "cancelled", "refunded"),
    "processing": ("shipped", "cancelled", "refunded"),
    "shipped": ("delivered", "refunded"),
    "delivered": ("refunded",),
}
PAYMENT_STATUS_EDGES = {
    "pending": ("paid", "failed"),
    "failed": ("pending", "paid"),
    "paid": ("partially_refunded", "refunded"),
    "partially_refunded": ("refunded",),
}


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: User) -> "OrderQuerySet":
        if user.has_perm("commerce.view_order"):
            return self
        return self.filter(distributor__user=user)

    def paid(self) -> "OrderQuerySet":
        return self.filter(paid_at__isnull=False)


class Order(models.Model):
    """A sale to a customer, credited to a distributor unless it is a walk-in sale.

    Once it is paid, it knows for good the how-manieth paid order of its customer it is, and from
    which day he counts: `services.buyers` says which.
    """

    class OrderClass(models.TextChoices):
        RETAIL = "retail", "Retail"
        PREFERRED = "preferred", "Preferred customer"
        SELF_CONSUMPTION = "self_consumption", "Own use"
        AUTOSHIP = "autoship", "Autoship"
        ENROLMENT_KIT = "enrolment_kit", "Enrolment kit"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        CONFIRMED = "confirmed", "Confirmed"
        PROCESSING = "processing", "Processing"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        CANCELLED = "cancelled", "Cancelled"
        REFUNDED = "refunded", "Refunded"

    class PaymentStatus(models.TextChoices):
        PENDING = "pending", "Pending"
        PAID = "paid", "Paid"
        FAILED = "failed", "Failed"
        REFUNDED = "refunded", "Refunded"
        PARTIALLY_REFUNDED = "partially_refunded", "Partially refunded"

    number = models.CharField(max_length=30, unique=True)
    external_reference = models.CharField(max_length=60, null=True, blank=True, unique=True)
    # The index of the buyer's numbers finds his orders too.
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders", db_index=False)
    distributor = models.ForeignKey(
        Distributor, models.PROTECT, null=True, blank=True, related_name="orders"
    )
    order_class = models.CharField(max_length=16, choices=OrderClass)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    payment_status = models.CharField(
        max_length=18, choices=PaymentStatus, default=PaymentStatus.PENDING
    )
    subtotal = MoneyField()
    discount_amount = MoneyField(default=0)
    tax_amount = MoneyField(default=0)
    shipping_amount = MoneyField(default=0)
    total = MoneyField()
    currency = models.CharField(max_length=3)
    payment_method = models.CharField(max_length=50, blank=True)
    payment_reference = models.CharField(max_length=100, blank=True)
    shipping_address = models.JSONField(default=dict, blank=True)
    billing_address = models.JSONField(default=dict, blank=True)
    shipping_method = models.CharField(max_length=50, blank=True)
    tracking_number = models.CharField(max_length=100, blank=True)
    placed_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    buyer_number = models.PositiveIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The how-manieth paid order of its customer.",
    )
    buyer_since = models.DateField(
        null=True, blank=True, editable=False, help_text="The day from which the customer counts."
    )
    shipped_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrderQuerySet.as_manager()
    history = history(excluded_fields=["buyer_number", "buyer_since"])

    class Meta:
        ordering = ["-placed_at", "-id"]
        permissions = [
            ("pay_order", "Can book payments"),
            ("refund_order", "Can refund orders"),
        ]
        indexes = [
            models.Index(fields=["status"], name="commerce_order_status"),
            models.Index(fields=["placed_at"], name="commerce_order_placed"),
            models.Index(fields=["distributor", "-placed_at"], name="commerce_order_distributor"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    order_class__in=[
                        "retail",
                        "preferred",
                        "self_consumption",
                        "autoship",
                        "enrolment_kit",
                    ]
                ),
                name="commerce_order_class_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "pending",
                        "confirmed",
                        "processing",
                        "shipped",
                        "delivered",
                        "cancelled",
                        "refunded",
                    ]
                ),
                name="commerce_order_status_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    payment_status__in=[
                        "pending",
                        "paid",
                        "failed",
                        "refunded",
                        "partially_refunded",
                    ]
                ),
                name="commerce_order_payment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    total=F("subtotal")
                    - F("discount_amount")
                    + F("tax_amount")
                    + F("shipping_amount")
                ),
                name="commerce_order_total_adds_up",
                violation_error_message="The total must be subtotal - discount + tax + shipping.",
            ),
            models.CheckConstraint(
                condition=Q(
                    subtotal__gte=0,
                    discount_amount__gte=0,
                    tax_amount__gte=0,
                    shipping_amount__gte=0,
                    total__gte=0,
                ),
                name="commerce_order_amounts_not_negative",
                violation_error_message="An amount of an order cannot be negative.",
            ),
            models.CheckConstraint(
                condition=Q(payment_status__in=["pending", "failed"], paid_at__isnull=True)
                | Q(
                    payment_status__in=["paid", "refunded", "partially_refunded"],
                    paid_at__isnull=False,
                ),
                name="commerce_order_paid_has_time",
                violation_error_message="A paid order has the time of its payment.",
            ),
            models.CheckConstraint(
                condition=Q(
                    paid_at__isnull=True, buyer_number__isnull=True, buyer_since__isnull=True
                )
                | Q(paid_at__isnull=False, buyer_number__gte=1, buyer_since__isnull=False),
                name="commerce_order_paid_has_number",
                violation_error_message="A paid order has its number among those of its customer.",
            ),
            models.UniqueConstraint(
                fields=["customer", "buyer_number"],
                name="commerce_order_buyer_number_unique",
                violation_error_message="The customer has an order of this number already.",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class OrderItem(models.Model):
    """One line of an order. Price and volume are frozen as they were on the day."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="items")
    line_number = models.PositiveIntegerField()
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    description = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=18, decimal_places=4)
    total_price = MoneyField()
    unit_pv = models.DecimalField("unit PV", max_digits=14, decimal_places=4)
    unit_cv = models.DecimalField("unit CV", max_digits=14, decimal_places=4)
    unit_margin = models.DecimalField(
        max_digits=18,
        decimal_places=4,
        default=0,
        help_text="Price paid less the distributor price; what a retail sale earns its seller.",
    )
    refunded_quantity = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["order_id", "line_number"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "line_number"], name="commerce_orderitem_line_unique"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1),
                name="commerce_orderitem_quantity_positive",
                violation_error_message="A line sells at least one piece.",
            ),
            models.CheckConstraint(
                condition=Q(refunded_quantity__lte=F("quantity")),
                name="commerce_orderitem_refund_within_sale",
                violation_error_message="More pieces than were sold cannot be refunded.",
            ),
            models.CheckConstraint(
                condition=Q(total_price=F("quantity") * F("unit_price")),
                name="commerce_orderitem_total_adds_up",
                violation_error_message="The line total must be quantity times unit price.",
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, unit_pv__gte=0, unit_cv__gte=0, unit_margin__gte=0),
                name="commerce_orderitem_not_negative",
                violation_error_message="Price and volume of a line cannot be negative.",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line_number} of order {self.order_id}"
