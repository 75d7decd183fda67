from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models import User
from genealogy.models.distributor import Distributor
from genealogy.models.node import Tree

GIVEN_UP = ["declined", "cancelled"]


class MoveQuerySet(models.QuerySet["Move"]):
    def open(self) -> "MoveQuerySet":
        return self.filter(status__in=[Move.Status.REQUESTED, Move.Status.SCHEDULED])

    def due(self) -> "MoveQuerySet":
        return self.filter(status=Move.Status.SCHEDULED, effective_on__lte=timezone.localdate())

    def with_people(self) -> "MoveQuerySet":
        return self.select_related(
            "distributor", "from_parent", "to_parent", "requested_by", "decided_by", "undoes"
        )


class Move(models.Model):
    """Somebody gets another sponsor or another place, with everybody below: who, why, since when.

    A move of many people waits for a second person; one that takes effect later waits for its day.
    What is done, declined or cancelled stays as it is: a move is undone by another move.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", "Waiting"
        SCHEDULED = "scheduled", "Waiting for its day"
        DONE = "done", "Done"
        DECLINED = "declined", "Declined"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(max_length=20, unique=True)
    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="moves")
    tree = models.CharField(max_length=9, choices=Tree)
    from_parent = models.ForeignKey(Distributor, models.PROTECT, null=True, related_name="+")
    from_leg = models.PositiveSmallIntegerField(null=True)
    to_parent = models.ForeignKey(Distributor, models.PROTECT, null=True, related_name="+")
    to_leg = models.PositiveSmallIntegerField(null=True)
    effective_on = models.DateField(help_text="First day on which the new place holds.")
    reason = models.TextField()
    people = models.PositiveIntegerField(help_text="Who moves, with everybody below.")
    needs_approval = models.BooleanField()
    status = models.CharField(max_length=9, choices=Status)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)
    effects = models.JSONField(
        default=dict, blank=True, help_text="What it would do, as was said before it was done."
    )
    is_worked_out = models.BooleanField(
        default=True, help_text="Whether all effects are known that were asked for."
    )
    undoes = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="undoings",
        help_text="The move that is taken back.",
    )

    objects = MoveQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        permissions = [("approve_move", "Can approve a move of many people")]
        indexes = [
            models.Index(
                fields=["effective_on"],
                condition=Q(status="scheduled"),
                name="genealogy_move_scheduled",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(tree__in=["sponsor", "placement"]), name="genealogy_move_tree_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "scheduled", "done", "declined", "cancelled"]),
                name="genealogy_move_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="genealogy_move_has_reason",
                violation_error_message="Say why somebody is moved.",
            ),
            models.CheckConstraint(
                condition=Q(to_parent=None) | ~Q(to_parent=F("distributor")),
                name="genealogy_move_not_under_oneself",
                violation_error_message="Nobody can stand under themselves.",
            ),
            models.CheckConstraint(
                condition=Q(tree="sponsor", to_leg=None)
                | Q(tree="placement", to_parent=None, to_leg=None)
                | Q(tree="placement", to_parent__isnull=False, to_leg__gte=1),
                name="genealogy_move_leg_with_placement",
                violation_error_message="A place under somebody has a leg, counted from 1.",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                name="genealogy_move_four_eyes",
                violation_error_message="A move is approved by somebody else than asks for it.",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(status__in=["requested", "cancelled"])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="genealogy_move_approved",
                violation_error_message="A move of many people needs a second person.",
            ),
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False)
                | ~Q(status="done") & Q(done_at=None),
                name="genealogy_move_done_at",
            ),
            models.UniqueConstraint(
                fields=["distributor", "tree"],
                condition=Q(status__in=["requested", "scheduled"]),
                name="genealogy_move_one_open",
                violation_error_message="Another move of this distributor is still open.",
            ),
            models.UniqueConstraint(
                fields=["undoes"],
                condition=~Q(status__in=GIVEN_UP),
                name="genealogy_move_undone_once",
                violation_error_message="This move was undone already.",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.REQUESTED, self.Status.SCHEDULED)

    @cached_property
    def undone_by(self) -> "Move | None":
        """The move that takes this one back, or is about to."""
        return self.undoings.exclude(status__in=GIVEN_UP).first()

    @property
    def may_be_undone(self) -> bool:
        return self.status == self.Status.DONE and self.undone_by is None
