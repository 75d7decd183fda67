from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.models import User
from genealogy.models.distributor import Distributor

EXPORT_EDGES = {
    "queued": ("running", "cancelled"),
    "running": ("done", "failed", "cancelled"),
    "done": ("deleted",),
}


class DownlineExportQuerySet(models.QuerySet["DownlineExport"]):
    def visible_to(self, user: User) -> "DownlineExportQuerySet":
        """Whoever ordered it, and nobody else: it holds what that reader may see."""
        return self.filter(ordered_by=user)

    def under_way(self) -> "DownlineExportQuerySet":
        return self.filter(status__in=["queued", "running"])


class DownlineExport(models.Model):
    """A filtered downline that a reader ordered as a file: made once, kept for some days."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        DELETED = "deleted", "Deleted"

    key = models.UUIDField(default=uuid4, unique=True, editable=False)
    ordered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    root = models.ForeignKey(
        Distributor,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="Whose downline; empty for everybody.",
    )
    filters = models.JSONField(default=dict, help_text="As they stand in the address of the list.")
    columns = models.JSONField(default=list, help_text="Their keys, in order.")
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    rows = models.PositiveIntegerField(null=True, help_text="People in the finished file.")
    file_name = models.CharField(max_length=100, blank=True)
    file_size = models.PositiveBigIntegerField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    delete_at = models.DateTimeField(null=True, help_text="When the file goes.")

    objects = DownlineExportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["queued", "running", "done", "failed", "cancelled", "deleted"]
                ),
                name="genealogy_export_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="done")
                | Q(rows__isnull=False, file_size__isnull=False, delete_at__isnull=False),
                name="genealogy_export_done_has_file",
                violation_error_message="A finished export has a file and a day on which it goes.",
            ),
            models.UniqueConstraint(
                fields=["ordered_by"],
                condition=Q(status__in=["queued", "running"]),
                name="genealogy_export_one_at_a_time",
                violation_error_message="Another export is being made for you already.",
            ),
        ]

    def __str__(self) -> str:
        whose = f"the downline of {self.root.number}" if self.root else "everybody"
        return f"Export of {whose}"

    @property
    def is_under_way(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)
