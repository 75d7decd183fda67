from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Combinable

from accounts.models import User
from genealogy.models.distributor import Distributor
from genealogy.models.position import _DateRange


def _one_at_a_time(
    kind: str, *slot: str, name: str, violation_error_message: str
) -> ExclusionConstraint:
    days = _DateRange("valid_from", "valid_to", RangeBoundary())
    alike: list[tuple[str | Combinable, str]] = [
        (field, RangeOperators.EQUAL) for field in ("distributor", *slot)
    ]
    return ExclusionConstraint(
        name=name,
        expressions=[*alike, (days, RangeOperators.OVERLAPS)],
        condition=Q(kind=kind, superseded_at__isnull=True),
        violation_error_message=violation_error_message,
    )


class DistributorAttribute(models.Model):
    """What a plan may ask of a distributor that no order tells: the package he holds, a rank he was
    given, a mark he carries, that he has left the company; from one day to another, and since when
    this was known.

    A row is never changed: what a correction replaces is superseded by rows that say it anew.
    """

    class Kind(models.TextChoices):
        PACKAGE = "package", "Package"
        RANK = "rank", "Given rank"
        MARK = "mark", "Mark"
        STATUS = "status", "Status"

    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="attributes")
    kind = models.CharField(max_length=7, choices=Kind)
    ladder = models.CharField(
        max_length=50, blank=True, help_text="The plan's ladder of a given rank."
    )
    code = models.CharField(max_length=50, help_text="As the plan calls the package, rank or mark.")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, help_text="First day on which it no longer held.")
    recorded_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(
        null=True, help_text="When a later correction replaced what this row said."
    )
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="genealogy_attribute_dates_ordered",
                violation_error_message="It ends after it begins.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["package", "rank", "mark", "status"]),
                name="genealogy_attribute_kind_known",
            ),
            models.CheckConstraint(
                condition=(Q(kind="rank") & ~Q(ladder="")) | (~Q(kind="rank") & Q(ladder="")),
                name="genealogy_attribute_ladder_of_rank",
                violation_error_message="A given rank, and nothing else, belongs to a ladder.",
            ),
            models.CheckConstraint(
                condition=~Q(code="") & ~Q(reason=""),
                name="genealogy_attribute_says_what_and_why",
            ),
            _one_at_a_time(
                "package",
                name="genealogy_attribute_one_package",
                violation_error_message="The distributor holds a package on these days.",
            ),
            _one_at_a_time(
                "rank",
                "ladder",
                name="genealogy_attribute_one_rank",
                violation_error_message="The distributor has a rank of the ladder on these days.",
            ),
            _one_at_a_time(
                "status",
                name="genealogy_attribute_one_status",
                violation_error_message="The distributor has a status on these days.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="status") | Q(code="left"),
                name="genealogy_attribute_status_known",
            ),
            _one_at_a_time(
                "mark",
                "code",
                name="genealogy_attribute_mark_once",
                violation_error_message="The distributor carries the mark on these days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.code} of {self.distributor_id}"
