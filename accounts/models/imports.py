from django.db import models

from accounts.models.user import User


class ImportJob(models.Model):
    """One uploaded or named file on its way into the books, with its progress and its outcome."""

    class Kind(models.TextChoices):
        DISTRIBUTORS = "distributors", "Distributors"
        CUSTOMERS = "customers", "Customers"
        PRODUCTS = "products", "Products"
        ORDERS = "orders", "Orders"

    class Status(models.TextChoices):
        PREVIEWED = "previewed", "Previewed"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped at an error"
        CANCELLED = "cancelled", "Cancelled"

    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.PREVIEWED)
    file_name = models.CharField(max_length=200)
    file_path = models.CharField(max_length=300, editable=False)
    file_sha256 = models.CharField(max_length=64, editable=False)
    mapping = models.CharField(max_length=60, default="standard")
    on_error = models.CharField(
        max_length=4, choices=[("stop", "Stop"), ("skip", "Skip and keep the rejects")]
    )
    lines_total = models.PositiveBigIntegerField(default=0)
    lines_done = models.PositiveBigIntegerField(default=0)
    lines_booked = models.PositiveBigIntegerField(default=0)
    lines_unchanged = models.PositiveBigIntegerField(default=0)
    lines_rejected = models.PositiveBigIntegerField(default=0)
    report = models.JSONField(default=dict, editable=False)
    rejects_path = models.CharField(max_length=300, blank=True, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=["distributors", "customers", "products", "orders"],
                    status__in=["previewed", "queued", "running", "done", "stopped", "cancelled"],
                    on_error__in=["stop", "skip"],
                ),
                name="accounts_importjob_choices_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.file_name}"
