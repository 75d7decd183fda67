from django.db import models
from django.db.models import F, Q

from accounts.models import User
from commissions.models.period import CommissionPeriod
from commissions.models.plan import PlanVersion
from genealogy.models import Distributor
from mlmcrm.money import HundredthsField

TRIAL_EDGES = {
    "queued": ("running", "cancelled"),
    "running": ("done", "failed", "cancelled"),
}


class PlanTrial(models.Model):
    """A plan version worked out on past periods, to see what it would have paid. Pays nobody."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="trials")
    definition_hash = models.CharField(max_length=64)
    first_period = models.ForeignKey(CommissionPeriod, models.PROTECT, related_name="+")
    last_period = models.ForeignKey(CommissionPeriod, models.PROTECT, related_name="+")
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    period_count = models.PositiveSmallIntegerField()
    started_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    report = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(period_count__gte=1), name="commissions_plantrial_periods"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "failed", "cancelled"]),
                name="commissions_plantrial_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Trial {self.pk} of {self.version}"

    @property
    def is_under_way(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class TrialEarning(models.Model):
    """A distributor for whom a trial makes a difference: earned and would have earned."""

    trial = models.ForeignKey(PlanTrial, models.CASCADE, related_name="earnings")
    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="+")
    before = HundredthsField()
    after = HundredthsField()
    change = HundredthsField()
    rank_before = models.SmallIntegerField(help_text="Paid-as level in the last period.")
    rank_after = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "distributor"], name="commissions_trialearning_once"
            ),
            models.CheckConstraint(
                condition=Q(change=F("after") - F("before")),
                name="commissions_trialearning_change",
            ),
        ]
        indexes = [
            models.Index(
                fields=["trial", "change", "distributor"], name="commissions_trial_by_change"
            )
        ]

    def __str__(self) -> str:
        return f"{self.change} for {self.distributor_id}"
