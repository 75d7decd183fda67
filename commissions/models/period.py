from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from accounts.models import User
from commissions.models.plan import PlanVersion
from mlmcrm.money import HundredthsField

PERIOD_EDGES = {
    "open": ("closed",),
    "closed": ("calculating",),
    "calculating": ("calculated", "closed"),
    "calculated": ("calculating", "approved"),
    "approved": ("finalized", "calculated"),
}
RUN_EDGES = {"started": ("done", "failed"), "done": ("superseded",)}


class _DateRange(Func):
    function = "daterange"
    output_field = DateRangeField()


class CommissionPeriod(models.Model):
    """The days whose volume is paid for together, usually a month, on its way to being paid."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        CALCULATING = "calculating", "Calculating"
        CALCULATED = "calculated", "Calculated"
        APPROVED = "approved", "Approved"
        FINALIZED = "finalized", "Finalized"

    class Frequency(models.TextChoices):
        DAILY = "daily", "Daily"
        WEEKLY = "weekly", "Weekly"
        MONTHLY = "monthly", "Monthly"

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=50)
    frequency = models.CharField(max_length=7, choices=Frequency, default=Frequency.MONTHLY)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="Last day, included.")
    status = models.CharField(max_length=11, choices=Status, default=Status.OPEN)
    currency = models.CharField(max_length=3)
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, null=True, blank=True)
    cutoff_at = models.DateTimeField(null=True, blank=True)
    input_hash = models.CharField(max_length=64, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    calculation_started_at = models.DateTimeField(null=True, blank=True)
    calculation_completed_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    finalized_at = models.DateTimeField(null=True, blank=True)
    finalized_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    total_pv = HundredthsField("total PV", default=0)
    total_commissions = HundredthsField(default=0)
    certificate = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-starts_on"]
        permissions = [
            ("close_period", "Can close and calculate periods"),
            ("approve_period", "Can approve calculated periods"),
            ("finalize_period", "Can finalize approved periods"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "open",
                        "closed",
                        "calculating",
                        "calculated",
                        "approved",
                        "finalized",
                    ]
                ),
                name="commissions_period_status_known",
            ),
            models.CheckConstraint(
                condition=Q(frequency__in=["daily", "weekly", "monthly"]),
                name="commissions_period_frequency_known",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="commissions_period_dates_ordered",
                violation_error_message="A period ends after it starts.",
            ),
            ExclusionConstraint(
                name="commissions_period_no_overlap",
                expressions=[
                    (_DateRange("starts_on", "ends_on", Value("[]")), RangeOperators.OVERLAPS)
                ],
                violation_error_message="Another period covers some of these days.",
            ),
            models.CheckConstraint(
                condition=Q(status="open")
                | Q(
                    closed_at__isnull=False,
                    cutoff_at__isnull=False,
                    plan_version__isnull=False,
                ),
                name="commissions_period_closed_is_frozen",
                violation_error_message="A closed period has its cut-off and its plan version.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "finalized"])
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="commissions_period_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("closed_by")),
                name="commissions_period_four_eyes",
                violation_error_message="Whoever closed the period cannot approve it.",
            ),
            models.CheckConstraint(
                condition=~Q(status="finalized")
                | Q(finalized_at__isnull=False, certificate__isnull=False),
                name="commissions_period_final_has_certificate",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def frozen_plan(self) -> PlanVersion:
        """The version a closed period is paid by; a check of the table sees to it."""
        if self.plan_version is None:
            raise ValueError(f"{self.code} has no plan version yet")
        return self.plan_version


class CommissionRun(models.Model):
    """One calculation of a period. It commits whole or leaves nothing behind.

    The `payment` run of a period collects what is paid at once when an order is paid; a `close`
    run is the calculation at the period's end, of which one becomes final.
    """

    class Kind(models.TextChoices):
        CLOSE = "close", "Close"
        PAYMENT = "payment", "At payment"

    class Status(models.TextChoices):
        STARTED = "started", "Started"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        SUPERSEDED = "superseded", "Superseded"

    class Measured(models.TextChoices):
        """Whether what stories ask beyond standings is kept (`MeasuredPart`); of runs that were
        made before it was, it is worked out afterwards."""

        NOT_YET = "not_yet", "Not yet"
        KEPT = "kept", "Kept"
        LOST = "lost", "Lost"

    period = models.ForeignKey(CommissionPeriod, models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=7, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.STARTED)
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, null=True, related_name="+")
    engine_version = models.CharField(max_length=20, blank=True)
    input_hash = models.CharField(max_length=64, blank=True)
    result_hash = models.CharField(max_length=64, blank=True)
    member_count = models.PositiveIntegerField(default=0)
    line_count = models.PositiveBigIntegerField(default=0)
    total_amount = HundredthsField(default=0)
    totals = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)
    measured = models.CharField(max_length=7, choices=Measured, default=Measured.NOT_YET)
    error = models.TextField(blank=True)
    started_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["period", "number"], name="commissions_run_number_unique"
            ),
            models.UniqueConstraint(
                fields=["period"],
                condition=Q(kind="payment"),
                name="commissions_run_one_payment_run",
            ),
            models.UniqueConstraint(
                fields=["period"],
                condition=Q(kind="close", status__in=["started", "done"]),
                name="commissions_run_one_live_close",
                violation_error_message="A calculation of this period is already under way.",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["close", "payment"],
                    status__in=["started", "done", "failed", "superseded"],
                ),
                name="commissions_run_choices_known",
            ),
            models.CheckConstraint(
                condition=Q(measured__in=["not_yet", "kept", "lost"]),
                name="commissions_run_measured_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.number} of {self.period}"

    @property
    def ledger_table(self) -> str:
        return f"commissions_ledger_r{self.pk}"

    @property
    def standing_table(self) -> str:
        return f"commissions_standing_r{self.pk}"
