from django.db import models
from django.db.models import F, Q

from accounts.models import User
from mlmcrm.money import MoneyField

BATCH_EDGES = {
    "draft": ("submitted", "void"),
    "submitted": ("approved", "draft", "void"),
    "approved": ("exported", "void"),
    "exported": ("settled",),
    "settled": ("closed",),
}


class PayoutBatch(models.Model):
    """Payouts of one currency that go to the bank together: made by one, checked by another."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        APPROVED = "approved", "Approved"
        EXPORTED = "exported", "Exported"
        SETTLED = "settled", "Settled"
        CLOSED = "closed", "Closed"
        VOID = "void", "Void"

    number = models.CharField(max_length=20, unique=True)
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    currency = models.CharField(max_length=3)
    item_count = models.PositiveIntegerField(default=0)
    control_sum = MoneyField(default=0)
    content_hash = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of what was submitted and approved."
    )
    void_reason = models.TextField(blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    exported_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "payout batches"
        permissions = [("approve_payoutbatch", "Can approve payout batches")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "draft",
                        "submitted",
                        "approved",
                        "exported",
                        "settled",
                        "closed",
                        "void",
                    ]
                ),
                name="commissions_payoutbatch_status_known",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("created_by")),
                name="commissions_payoutbatch_four_eyes",
                violation_error_message="Whoever made the batch cannot approve it.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "submitted", "void"])
                | (Q(approved_by__isnull=False) & ~Q(content_hash="")),
                name="commissions_payoutbatch_approved_before_export",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PayoutFile(models.Model):
    """A rendered register or bank file, kept byte for byte as it was downloaded. Append-only."""

    class Format(models.TextChoices):
        CSV = "csv", "Register (CSV)"
        XLSX = "xlsx", "Register (Excel)"

    batch = models.ForeignKey(PayoutBatch, models.PROTECT, related_name="files")
    format = models.CharField(max_length=12, choices=Format)
    file_name = models.CharField(max_length=120)
    sealed_content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    item_count = models.PositiveIntegerField()
    control_sum = MoneyField()
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["batch", "format"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "format"], name="commissions_payoutfile_once_per_format"
            ),
            models.CheckConstraint(
                condition=Q(format__in=["csv", "xlsx"]), name="commissions_payoutfile_format_known"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class StatusFile(models.Model):
    """What the bank said about a batch, imported once. Append-only."""

    batch = models.ForeignKey(PayoutBatch, models.PROTECT, related_name="status_files")
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    completed_count = models.PositiveIntegerField()
    failed_count = models.PositiveIntegerField()
    imported_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "sha256"],
                name="commissions_statusfile_once",
                violation_error_message="This status file was imported before.",
            )
        ]

    def __str__(self) -> str:
        return self.file_name
