from django.db import models
from django.db.models import F, Q

from accounts.history import history
from accounts.models import User

PLAN_VERSION_EDGES = {"draft": ("active",), "active": ("retired",)}

LEDGER_TYPES = [
    ("direct_bonus", "Direct bonus"),
    ("level_income", "Level income"),
    ("binary_bonus", "Binary bonus"),
    ("reward_bonus", "Reward bonus"),
    ("retail", "Retail margin"),
    ("unilevel", "Unilevel"),
    ("matching", "Matching"),
    ("leadership", "Leadership"),
    ("fast_start", "Fast start"),
    ("rank_bonus", "Rank bonus"),
    ("car_bonus", "Car bonus"),
    ("differential", "Differential"),
    ("breakaway", "Breakaway"),
    ("matrix", "Matrix"),
    ("pool_share", "Pool share"),
    ("pass_up", "Pass-up"),
    ("adjustment", "Adjustment"),
]


class CompensationPlan(models.Model):
    """The plan a company pays by, in versions that follow one another."""

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    history = history()

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class PlanVersion(models.Model):
    """One text of a plan, as data. It cannot change once it is active."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

    plan = models.ForeignKey(CompensationPlan, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=7, choices=Status, default=Status.DRAFT)
    definition = models.JSONField()
    definition_hash = models.CharField(max_length=64, editable=False)
    effective_from = models.DateField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    history = history()

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "number"], name="commissions_planversion_number_unique"
            ),
            models.UniqueConstraint(
                fields=["plan", "effective_from"],
                condition=Q(status="active"),
                name="commissions_planversion_one_start",
                violation_error_message="Another active version starts on this day.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "active", "retired"]),
                name="commissions_planversion_status_known",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("created_by")),
                name="commissions_planversion_four_eyes",
                violation_error_message="A plan version is activated by somebody else.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} version {self.number}"


class BonusQuerySet(models.QuerySet["Bonus"]):
    def paying(self) -> "BonusQuerySet":
        """What people are paid by, without the limits that only cut."""
        return self.exclude(ledger_type="adjustment")


class Bonus(models.Model):
    """One bonus of a plan version, or a limit that cuts: the code its ledger lines carry."""

    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="bonuses")
    code = models.SlugField(max_length=50)
    name = models.CharField(max_length=120)
    ledger_type = models.CharField(max_length=12, choices=LEDGER_TYPES)
    trigger = models.CharField(
        max_length=12, choices=[("payment", "Payment"), ("period_close", "Period close")]
    )
    position = models.PositiveSmallIntegerField()

    objects = BonusQuerySet.as_manager()

    class Meta:
        ordering = ["version", "position"]
        verbose_name_plural = "bonuses"
        constraints = [
            models.UniqueConstraint(fields=["version", "code"], name="commissions_bonus_code"),
            models.CheckConstraint(
                condition=Q(ledger_type__in=[code for code, _ in LEDGER_TYPES]),
                name="commissions_bonus_type_known",
            ),
            models.CheckConstraint(
                condition=Q(trigger__in=["payment", "period_close"]),
                name="commissions_bonus_trigger_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name
