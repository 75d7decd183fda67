import json
import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q

from accounts.history import history
from accounts.models import User
from commissions.models.batch import PayoutBatch
from commissions.models.period import CommissionPeriod
from genealogy.models import Distributor
from mlmcrm.encryption import seal, unseal
from mlmcrm.money import MoneyField

PAYOUT_EDGES = {
    "requested": ("approved", "cancelled"),
    "approved": ("processing", "cancelled"),
    "processing": ("completed", "failed"),
    "completed": ("returned",),
}


class MethodKind(models.TextChoices):
    BANK_TRANSFER = "bank_transfer", "Bank transfer"
    UPI = "upi", "UPI"
    PAYPAL = "paypal", "PayPal"
    CHECK = "check", "Check"
    CRYPTOCURRENCY = "cryptocurrency", "Cryptocurrency"
    E_WALLET = "e_wallet", "E-wallet"
    STRIPE = "stripe", "Stripe"
    LEMON_SQUEEZY = "lemon_squeezy", "Lemon Squeezy"


class PayoutMethodQuerySet(models.QuerySet["PayoutMethod"]):
    def visible_to(self, user: User) -> "PayoutMethodQuerySet":
        if user.has_perm("commissions.view_payoutmethod"):
            return self
        return self.filter(distributor__user=user)


class PayoutMethod(models.Model):
    """Where a distributor wants to be paid. The details are sealed; four characters are shown.

    A change of details is a new row, so a payout always points at what was approved.
    """

    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="payout_methods")
    kind = models.CharField(max_length=14, choices=MethodKind)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    holder_name = models.CharField(max_length=140)
    details_sealed = models.TextField(editable=False)
    details_index = models.CharField(max_length=64, editable=False, help_text="Blind index.")
    last4 = models.CharField("ends in", max_length=4)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = PayoutMethodQuerySet.as_manager()
    history = history(excluded_fields=["details_sealed", "details_index"])

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["details_index"], name="commissions_payoutmethod_index")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=MethodKind.values), name="commissions_payoutmethod_kind_known"
            ),
            models.UniqueConstraint(
                fields=["distributor"],
                condition=Q(is_active=True),
                name="commissions_payoutmethod_one_active",
                violation_error_message="There is already an active payout method.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ending in {self.last4}"

    @property
    def _context(self) -> str:
        return f"commissions_payoutmethod|details|{self.token}"

    @property
    def details(self) -> dict[str, Any]:
        """The decrypted details; for rendering a bank file only."""
        return dict(json.loads(unseal(self.details_sealed, context=self._context)))

    @details.setter
    def details(self, value: dict[str, Any]) -> None:
        self.details_sealed = seal(json.dumps(value, sort_keys=True), context=self._context)


class PayoutQuerySet(models.QuerySet["Payout"]):
    def visible_to(self, user: User) -> "PayoutQuerySet":
        if user.has_perm("commissions.view_payout"):
            return self
        return self.filter(distributor__user=user)


class Payout(models.Model):
    """Money a distributor asked for, from the request until the bank has paid or refused it."""

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        APPROVED = "approved", "Approved"
        PROCESSING = "processing", "Processing"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        RETURNED = "returned", "Returned"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(max_length=20, unique=True)
    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="payouts")
    period = models.ForeignKey(CommissionPeriod, models.PROTECT, null=True, blank=True)
    method = models.ForeignKey(PayoutMethod, models.PROTECT, related_name="payouts")
    batch = models.ForeignKey(
        PayoutBatch, models.PROTECT, null=True, blank=True, related_name="payouts"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    request_key = models.UUIDField(unique=True, help_text="Made by the form; one payout each.")
    amount = MoneyField()
    fee_amount = MoneyField(default=0)
    tax_amount = MoneyField(default=0)
    net_amount = MoneyField()
    currency = models.CharField(max_length=3)
    kyc_status = models.CharField("KYC status at request", max_length=8)
    approval_hash = models.CharField(max_length=64, blank=True)
    reference_number = models.CharField(max_length=100, blank=True)
    failed_reason = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PayoutQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        permissions = [("approve_payout", "Can approve payouts")]
        indexes = [
            models.Index(fields=["distributor", "status"], name="commissions_payout_owner"),
            models.Index(fields=["status", "-id"], name="commissions_payout_status"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "requested",
                        "approved",
                        "processing",
                        "completed",
                        "failed",
                        "returned",
                        "cancelled",
                    ]
                ),
                name="commissions_payout_status_known",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, fee_amount__gte=0, tax_amount__gte=0, net_amount__gt=0),
                name="commissions_payout_amounts_positive",
                violation_error_message="A payout is more than zero.",
            ),
            models.CheckConstraint(
                condition=Q(net_amount=F("amount") - F("fee_amount") - F("tax_amount")),
                name="commissions_payout_net_adds_up",
                violation_error_message="Net is the amount less fee and tax.",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="commissions_payout_four_eyes",
                violation_error_message="Nobody approves a payout he requested.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "cancelled"])
                | (Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(approval_hash="")),
                name="commissions_payout_approved_before_sent",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["processing", "completed", "failed", "returned"])
                | Q(batch__isnull=False),
                name="commissions_payout_sent_in_a_batch",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["failed", "returned"]) | ~Q(failed_reason=""),
                name="commissions_payout_failure_has_reason",
                violation_error_message="A failed payout needs the reason.",
            ),
            models.UniqueConstraint(
                fields=["reference_number"],
                condition=~Q(reference_number=""),
                name="commissions_payout_reference_once",
            ),
        ]

    def __str__(self) -> str:
        return self.number
