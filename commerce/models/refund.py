from django.db import models
from django.db.models import Q

from accounts.models import User
from commerce.models.order import Order, OrderItem
from mlmcrm.money import MoneyField


class Refund(models.Model):
    """Money given back for lines of an order. Final once written."""

    number = models.CharField(max_length=20, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="refunds")
    external_reference = models.CharField(max_length=60, null=True, blank=True)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    reason = models.TextField()
    refunded_at = models.DateTimeField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0), name="commerce_refund_amount_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="commerce_refund_has_reason",
                violation_error_message="A refund needs a reason.",
            ),
            models.UniqueConstraint(
                fields=["external_reference", "order"],
                name="commerce_refund_reference_once",
                violation_error_message="This cancellation of this order is already booked.",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class RefundItem(models.Model):
    """How many pieces of which order line went back, and for how much."""

    refund = models.ForeignKey(Refund, models.PROTECT, related_name="items")
    order_item = models.ForeignKey(OrderItem, models.PROTECT, related_name="refund_items")
    external_line = models.PositiveIntegerField(null=True, blank=True)
    quantity = models.PositiveIntegerField()
    amount = MoneyField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=1, amount__gte=0),
                name="commerce_refunditem_positive",
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.order_item_id}"
