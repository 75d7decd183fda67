from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from accounts.history import history
from accounts.models import User
from genealogy.models.distributor import Distributor
from mlmcrm.money import HundredthsField

TEAM_EDGES = {"active": ("suspended", "closed"), "suspended": ("active", "closed")}


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, user: User) -> "TeamQuerySet":
        """Staff with the right see all; a distributor the team he is in."""
        if user.has_perm("genealogy.view_team"):
            return self
        own = TeamMembership.objects.filter(distributor__user=user, left_at=None)
        return self.filter(pk__in=own.values("team"))


class Team(models.Model):
    """Distributors who work together under a lead, and how they do: a circle of people, not a
    part of the tree. What they earn says the plan; a team earns nothing of its own.

    The figures from `members_count` on are measured from memberships, ledger, payouts and volume;
    score and tier follow from them by genealogy/team_score.py.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        CLOSED = "closed", "Closed"

    class Tier(models.TextChoices):
        BRONZE = "bronze", "Bronze"
        SILVER = "silver", "Silver"
        GOLD = "gold", "Gold"
        PLATINUM = "platinum", "Platinum"

    number = models.CharField(max_length=20, unique=True)
    name = models.CharField(
        max_length=80, unique=True, error_messages={"unique": "There is a team of this name."}
    )
    description = models.TextField(blank=True, max_length=1000)
    lead = models.ForeignKey(Distributor, models.PROTECT, related_name="led_teams")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=9, choices=Status, default=Status.ACTIVE)
    status_reason = models.TextField(blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    monthly_target = HundredthsField(default=0)
    members_count = models.PositiveIntegerField(default=0, editable=False)
    active_members = models.PositiveIntegerField(default=0, editable=False)
    new_members = models.PositiveIntegerField(default=0, editable=False)
    total_earnings = HundredthsField(default=0, editable=False)
    commission_paid = HundredthsField(default=0, editable=False)
    current_month_earnings = HundredthsField(default=0, editable=False)
    target_achieved = models.BooleanField(default=False, editable=False)
    score = models.PositiveSmallIntegerField(default=0, editable=False)
    tier = models.CharField(max_length=8, choices=Tier, default=Tier.BRONZE, editable=False)
    measured_at = models.DateTimeField(null=True, editable=False)
    stale_since = models.DateTimeField(
        null=True, editable=False, help_text="Something it is measured from has changed since."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TeamQuerySet.as_manager()
    history = history(
        excluded_fields=[
            "members_count",
            "active_members",
            "new_members",
            "total_earnings",
            "commission_paid",
            "current_month_earnings",
            "target_achieved",
            "score",
            "tier",
            "measured_at",
            "stale_since",
        ]
    )

    class Meta:
        ordering = ["number"]
        indexes = [
            models.Index(fields=["lead", "status"], name="genealogy_team_lead_status"),
            models.Index(fields=["-score"], name="genealogy_team_score"),
            models.Index(fields=["created_at"], name="genealogy_team_created"),
            models.Index(
                fields=["stale_since"],
                condition=Q(stale_since__isnull=False),
                name="genealogy_team_stale",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["lead"],
                condition=~Q(status="closed"),
                name="genealogy_team_one_each_lead",
                violation_error_message="This distributor leads a team already.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["active", "suspended", "closed"]),
                name="genealogy_team_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="active") | ~Q(status_reason=""),
                name="genealogy_team_reason_given",
                violation_error_message="A team is suspended or closed with a reason.",
            ),
            models.CheckConstraint(
                condition=Q(verified_at__isnull=True, verified_by__isnull=True)
                | Q(verified_at__isnull=False, verified_by__isnull=False),
                name="genealogy_team_verified_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(monthly_target__gte=0),
                name="genealogy_team_target_not_negative",
                violation_error_message="A target is not negative.",
            ),
            models.CheckConstraint(
                condition=Q(target_achieved=True, monthly_target__gt=0)
                & Q(current_month_earnings__gte=F("monthly_target"))
                | Q(target_achieved=False),
                name="genealogy_team_target_really_achieved",
            ),
            models.CheckConstraint(
                condition=Q(tier="bronze", score__range=(0, 39))
                | Q(tier="silver", score__range=(40, 59))
                | Q(tier="gold", score__range=(60, 79))
                | Q(tier="platinum", score__range=(80, 100)),
                name="genealogy_team_tier_by_score",
                violation_error_message="The tier follows from the score, 0 to 100.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class _MomentRange(Func):
    function = "tstzrange"
    output_field = DateTimeRangeField()


class TeamMembership(models.Model):
    """A distributor in a team, from one moment to another. Who has left is never written over."""

    team = models.ForeignKey(Team, models.PROTECT, related_name="memberships")
    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="team_memberships")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    removed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    left_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["team", "left_at"], name="genealogy_membership_team")]
        constraints = [
            models.UniqueConstraint(
                fields=["distributor"],
                condition=Q(left_at__isnull=True),
                name="genealogy_membership_one_team",
                violation_error_message="The distributor is in a team already.",
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gt=F("joined_at")),
                name="genealogy_membership_ordered",
                violation_error_message="Somebody leaves after he has joined.",
            ),
            ExclusionConstraint(
                name="genealogy_membership_one_at_a_time",
                expressions=[
                    ("distributor", RangeOperators.EQUAL),
                    (
                        _MomentRange("joined_at", "left_at", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message="The distributor was in a team at that time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.distributor_id} in team {self.team_id}"
