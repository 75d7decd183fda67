from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Max, Q

from accounts.history import history
from accounts.models import User
from genealogy.models.distributor import Distributor

DEEPEST = 5


class TerritoryQuerySet(models.QuerySet["Territory"]):
    def within(self, territory: "Territory") -> "TerritoryQuerySet":
        """A territory and everything that lies in it, however deep."""
        inside = Q(pk=territory.pk)
        for level in range(1, DEEPEST):
            inside |= Q(**{"__".join(["parent"] * level): territory})
        return self.filter(inside)


class Territory(models.Model):
    """A part of the map by which distributors are looked after: a country, a region, a town.

    Regions lie in regions, five deep at most; the database keeps the depth and refuses circles.
    """

    code = models.SlugField(max_length=20, unique=True)
    name = models.CharField(max_length=100)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="parts",
        verbose_name="lies in",
    )
    depth = models.PositiveSmallIntegerField(
        default=1, editable=False, help_text="1 at the top. Kept by the database."
    )
    is_active = models.BooleanField(default=True, help_text="Whether anybody is assigned to it.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TerritoryQuerySet.as_manager()
    history = history(excluded_fields=["depth"])

    class Meta:
        verbose_name_plural = "territories"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "name"],
                name="genealogy_territory_name_once",
                nulls_distinct=False,
                violation_error_message="There is a territory of this name in the same place.",
            ),
            models.CheckConstraint(
                condition=Q(depth__range=(1, DEEPEST)),
                name="genealogy_territory_depth",
                violation_error_message=f"Territories lie {DEEPEST} deep at most.",
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="genealogy_territory_not_in_itself",
                violation_error_message="A territory does not lie in itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    def clean(self) -> None:
        """Say beforehand what the database would refuse."""
        above = 0
        place = self.parent
        while place is not None and above < DEEPEST:
            if place.pk == self.pk:
                raise ValidationError({"parent": f"{self.parent} lies in {self.name} itself."})
            above, place = above + 1, place.parent
        if above + self._height() > DEEPEST:
            raise ValidationError({"parent": f"Territories lie {DEEPEST} deep at most."})

    def _height(self) -> int:
        """How many levels it is by itself: 1 without parts."""
        if self.pk is None:
            return 1
        inside = Territory.objects.within(self).aggregate(deepest=Max("depth"))["deepest"]
        own = Territory.objects.values_list("depth", flat=True).get(pk=self.pk)
        return int(inside - own + 1)


class _DateRange(Func):
    function = "daterange"
    output_field = DateRangeField()


class TerritoryAssignment(models.Model):
    """A distributor belongs to a territory, from one day to another."""

    distributor = models.ForeignKey(
        Distributor, models.PROTECT, related_name="territory_assignments"
    )
    territory = models.ForeignKey(Territory, models.PROTECT, related_name="assignments")
    valid_from = models.DateField()
    valid_to = models.DateField(
        null=True, blank=True, help_text="First day on which it no longer held."
    )
    assigned_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["territory", "valid_to"], name="genealogy_assignment_territory")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="genealogy_assignment_dates_ordered",
            ),
            ExclusionConstraint(
                name="genealogy_assignment_one_at_a_time",
                expressions=[
                    ("distributor", RangeOperators.EQUAL),
                    (
                        _DateRange("valid_from", "valid_to", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message="The distributor belongs to a territory on these days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.distributor_id} in territory {self.territory_id} from {self.valid_from}"
