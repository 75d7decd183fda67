from django.db import models
from django.db.models import Q

from accounts.models import User
from commerce.models.order import Order
from mlmcrm.money import MoneyField

PAYMENT_EDGES = {"pending": ("received", "failed")}


class Payment(models.Model):
    """Money received for an order; the reference makes sure it is counted once."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        RECEIVED = "received", "Received"
        FAILED = "failed", "Failed"

    number = models.CharField(max_length=20, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="payments")
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=50)
    provider = models.CharField(max_length=30, default="manual")
    reference = models.CharField(max_length=100)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    received_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "received", "failed"]),
                name="commerce_payment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0), name="commerce_payment_amount_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(status="received") | Q(received_at__isnull=False),
                name="commerce_payment_received_has_time",
            ),
            models.UniqueConstraint(
                fields=["provider", "reference"],
                name="commerce_payment_reference_once",
                violation_error_message="This payment reference is already booked.",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status="received"),
                name="commerce_payment_order_paid_once",
                violation_error_message="This order is already paid.",
            ),
        ]

    def __str__(self) -> str:
        return self.number
