from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.history import history
from accounts.models import User
from genealogy.models.distributor import Distributor


class Strategy(models.TextChoices):
    BREADTH_FIRST = "breadth_first", "First free place, level by level from the left"
    WEAKER_LEG = "weaker_leg", "Outside of the leg with less volume"
    LEAST_POPULATED = "least_populated", "Step by step into the leg with fewer people"
    FIXED_LEG = "fixed_leg", "Outside of one leg"


class PlacementRule(models.Model):
    """The shape of the company's placement tree, and where people go who were given no place.

    There is one row or none: a company without it has no placement tree of its own.
    """

    is_the_rule = models.BooleanField(default=True, unique=True, editable=False)
    width = models.PositiveSmallIntegerField(
        default=2, help_text="Places under each: 2 is a binary tree."
    )
    strategy = models.CharField(max_length=15, choices=Strategy, default=Strategy.BREADTH_FIRST)
    fixed_leg = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="For the outside of one leg: which, counted from 1."
    )
    waiting_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=7,
        help_text="Days in which the sponsor may choose the place. 0: placed at once; empty: "
        "wait until somebody chooses.",
    )
    open_strategies = ArrayField(
        models.CharField(max_length=15, choices=Strategy),
        default=list,
        blank=True,
        verbose_name="strategies that people may choose",
        help_text="A sponsor may choose among these for his own newcomers; none: the rule alone.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_the_rule=True), name="genealogy_placementrule_only_one"
            ),
            models.CheckConstraint(
                condition=Q(width__range=(2, 50)),
                name="genealogy_placementrule_width",
                violation_error_message="A placement tree has 2 to 50 places under each.",
            ),
            models.CheckConstraint(
                condition=Q(strategy__in=Strategy.values),
                name="genealogy_placementrule_strategy_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    strategy="fixed_leg",
                    fixed_leg__isnull=False,
                    fixed_leg__gte=1,
                    fixed_leg__lte=F("width"),
                )
                | ~Q(strategy="fixed_leg") & Q(fixed_leg=None),
                name="genealogy_placementrule_leg",
                violation_error_message="The outside of one leg needs that leg, the others none.",
            ),
            models.CheckConstraint(
                condition=Q(open_strategies__contained_by=Strategy.values),
                name="genealogy_placementrule_open_strategies_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.width} places under each"

    @property
    def in_words(self) -> str:
        leg = f", leg {self.fixed_leg}" if self.fixed_leg else ""
        return f"{self.get_strategy_display()}{leg}"


class PlacementPreference(models.Model):
    """Where a sponsor wants his own newcomers to go, from a moment on; the newest row holds.

    Append-only in the database. Without a strategy it says that the company's rule decides again.
    """

    distributor = models.ForeignKey(
        Distributor, models.PROTECT, related_name="placement_preferences"
    )
    strategy = models.CharField(max_length=15, choices=Strategy, blank=True)
    leg = models.PositiveSmallIntegerField(null=True)
    chosen_at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["distributor", "-id"], name="genealogy_preference_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(strategy__in=["", *Strategy.values]),
                name="genealogy_placementpreference_strategy_known",
            ),
            models.CheckConstraint(
                condition=Q(strategy="fixed_leg", leg__isnull=False, leg__gte=1)
                | ~Q(strategy="fixed_leg") & Q(leg=None),
                name="genealogy_placementpreference_leg",
                violation_error_message="The outside of one leg needs that leg, the others none.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.distributor}: {self.get_strategy_display() or 'by the rule'}"


class WaitingQuerySet(models.QuerySet["Waiting"]):
    def open(self) -> "WaitingQuerySet":
        return self.filter(settled_at=None)


class Waiting(models.Model):
    """A new distributor in the holding tank: enrolled, but without a place in the placement tree.

    Until the moment in `until` the sponsor may choose; then the rule does.
    """

    distributor = models.OneToOneField(Distributor, models.PROTECT, related_name="waiting")
    since = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, help_text="Empty: until somebody chooses.")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", help_text="Empty: the rule did."
    )

    objects = WaitingQuerySet.as_manager()

    class Meta:
        verbose_name = "place in the holding tank"
        verbose_name_plural = "holding tank"
        indexes = [
            models.Index(
                fields=["until"], condition=Q(settled_at=None), name="genealogy_waiting_until"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_by=None) | Q(settled_at__isnull=False),
                name="genealogy_waiting_settled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.distributor} waits for a place"
