from datetime import date, datetime

from django.contrib.postgres.fields import DateRangeField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Exists, F, Func, Min, OuterRef, Q, Subquery

from accounts.models import User
from genealogy.models.distributor import Distributor
from genealogy.models.node import TreeField


class _DateRange(Func):
    function = "daterange"
    output_field = DateRangeField()


class PositionQuerySet(models.QuerySet["DistributorPosition"]):
    def believed(self, known_at: datetime | None = None) -> "PositionQuerySet":
        """What is known today, or was believed at a moment."""
        if known_at is None:
            return self.filter(superseded_at=None)
        stood = Q(superseded_at=None) | Q(superseded_at__gt=known_at)
        return self.filter(stood, recorded_at__lte=known_at)

    def as_of(self, on: date, known_at: datetime | None = None) -> "PositionQuerySet":
        """Who stood where on a day: as is known today, or as was believed at a moment."""
        begun = DistributorPosition.objects.believed(known_at).filter(valid_from__lte=on)
        return self.believed(known_at).filter(~Exists(_after(begun)), valid_from__lte=on)

    def with_ends(self) -> "PositionQuerySet":
        """Each with `valid_to`, the day on which the next one begins; None for the last."""
        later = _after(DistributorPosition.objects.believed()).order_by()
        ends = later.values("distributor").annotate(end=Min("valid_from")).values("end")
        return self.annotate(valid_to=Subquery(ends))


def _after(positions: PositionQuerySet) -> PositionQuerySet:
    """Those of the positions that come after the one of the query around."""
    return positions.filter(
        distributor=OuterRef("distributor"),
        tree=OuterRef("tree"),
        valid_from__gt=OuterRef("valid_from"),
    )


class DistributorPosition(models.Model):
    """Under whom a distributor stood from a day on, and since when this was known.

    It holds until the next one of the same distributor and tree begins, so two can never hold on
    one day. Rows are never changed but for `superseded_at`, which is set once.
    """

    distributor = models.ForeignKey(
        Distributor, models.PROTECT, related_name="positions", db_index=False
    )
    tree = TreeField()
    parent = models.ForeignKey(Distributor, models.PROTECT, null=True, related_name="+")
    leg = models.PositiveSmallIntegerField(null=True, help_text="Counted from 1, the left one.")
    valid_from = models.DateField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(
        null=True, help_text="When a later correction replaced what this row said."
    )
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.TextField(blank=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        indexes = [
            BrinIndex(fields=["recorded_at", "valid_from"], name="genealogy_position_recorded"),
        ]
        constraints = [
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
            models.UniqueConstraint(
                fields=["distributor", "tree", "valid_from", "superseded_at"],
                nulls_distinct=False,
                name="genealogy_position_one_at_a_time",
                violation_error_message="The distributor already has a position from this day on.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.distributor_id} under {self.parent_id} from {self.valid_from}"
