from datetime import date, datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from accounts.models import User
from genealogy.models.distributor import Distributor
from genealogy.models.node import Tree


class _DateRange(Func):
    function = "daterange"
    output_field = DateRangeField()


class PositionQuerySet(models.QuerySet["DistributorPosition"]):
    def as_of(self, on: date, known_at: datetime | None = None) -> "PositionQuerySet":
        """Who stood where on a day: as is known today, or as was believed at a moment."""
        held = Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))
        if known_at is None:
            return self.filter(held, superseded_at=None)
        believed = Q(superseded_at=None) | Q(superseded_at__gt=known_at)
        return self.filter(held, believed, recorded_at__lte=known_at)


class DistributorPosition(models.Model):
    """Under whom a distributor stood, from one day to another, and since when this was known.

    Rows are never changed but for `superseded_at`, which is set once.
    """

    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="positions")
    tree = models.CharField(max_length=9, choices=Tree)
    parent = models.ForeignKey(Distributor, models.PROTECT, null=True, related_name="+")
    leg = models.PositiveSmallIntegerField(null=True, help_text="Counted from 1, the left one.")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, help_text="First day on which it no longer held.")
    recorded_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(
        null=True, help_text="When a later correction replaced what this row said."
    )
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tree", "valid_from"], name="genealogy_position_from"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="genealogy_position_dates_ordered",
            ),
            models.CheckConstraint(
                condition=Q(tree__in=["sponsor", "placement"]),
                name="genealogy_position_tree_known",
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("distributor")),
                name="genealogy_position_not_own_parent",
            ),
            models.CheckConstraint(
                condition=Q(tree="sponsor", leg__isnull=True)
                | Q(tree="placement", parent__isnull=True, leg__isnull=True)
                | Q(tree="placement", parent__isnull=False, leg__isnull=False, leg__gte=1),
                name="genealogy_position_leg_with_placement",
                violation_error_message="A place under somebody has a leg, counted from 1.",
            ),
            ExclusionConstraint(
                name="genealogy_position_one_at_a_time",
                expressions=[
                    ("distributor", RangeOperators.EQUAL),
                    ("tree", RangeOperators.EQUAL),
                    (
                        _DateRange("valid_from", "valid_to", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(superseded_at__isnull=True),
                violation_error_message="The distributor already has a position on these days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.distributor_id} under {self.parent_id} from {self.valid_from}"
