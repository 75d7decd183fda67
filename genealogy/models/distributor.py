from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.history import history
from accounts.models import User
from genealogy.models.rank import Rank
from mlmcrm.money import HundredthsField

if TYPE_CHECKING:
    from genealogy.models.territory import Territory

MOST_IDS = 2**31 - 1
"""Ledger lines and standings keep so much of an id."""


class DistributorQuerySet(models.QuerySet["Distributor"]):
    def visible_to(self, user: User) -> "DistributorQuerySet":
        """Staff with the right to see distributors see all; a distributor sees the own downline."""
        if user.has_perm("genealogy.view_distributor"):
            return self
        own = Distributor.objects.filter(user=user).first()
        return self.in_downline_of(own, with_self=True) if own else self.none()

    def in_downline_of(
        self, distributor: "Distributor", tree: str = "sponsor", with_self: bool = False
    ) -> "DistributorQuerySet":
        """Everybody below a distributor in a tree, by one interval."""
        root = distributor.nodes.filter(tree=tree).first()
        if root is None:
            return self.filter(pk=distributor.pk) if with_self else self.none()
        low = root.lft if with_self else root.lft + 1
        return self.filter(nodes__tree=tree, nodes__lft__range=(low, root.rgt))

    def in_territory(self, territory: "Territory", on: date | None = None) -> "DistributorQuerySet":
        """Who belongs to a territory, or to one that lies in it, on a day (today)."""
        from genealogy.models.territory import Territory  # it points at this model

        day = on or timezone.localdate()
        held = Q(territory_assignments__valid_to__isnull=True) | Q(
            territory_assignments__valid_to__gt=day
        )
        return self.filter(
            held,
            territory_assignments__territory__in=Territory.objects.within(territory),
            territory_assignments__valid_from__lte=day,
        )

    def with_masters(self) -> "DistributorQuerySet":
        return self.select_related("rank", "paid_as_rank", "sponsor", "user")


class Distributor(models.Model):
    """A seller of the company's products and the place he holds in its trees.

    `sponsor`, `enroller`, `placement_parent` and `leg` are the truth about the trees; the columns
    from `personal_pv` on are projections that can be rebuilt at any time.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        TERMINATED = "terminated", "Terminated"
        ON_HOLD = "on_hold", "On hold"

    number = models.CharField(max_length=20, unique=True)
    external_reference = models.CharField(max_length=60, null=True, blank=True, unique=True)
    user = models.OneToOneField(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="distributor",
        help_text="Empty for an imported distributor who was not invited to sign in yet.",
    )
    display_name = models.CharField(max_length=200)
    country = models.CharField(max_length=60, blank=True)
    sponsor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="sponsored"
    )
    enroller = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="enrolled"
    )
    placement_parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="placed"
    )
    leg = models.PositiveSmallIntegerField(null=True, blank=True)
    rank = models.ForeignKey(
        Rank,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="title rank",
        db_index=False,
    )
    paid_as_rank = models.ForeignKey(Rank, models.PROTECT, null=True, blank=True, related_name="+")
    highest_rank = models.ForeignKey(
        Rank, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    next_rank_target = models.ForeignKey(
        Rank, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    level = models.PositiveSmallIntegerField(
        "user level",
        default=0,
        db_default=0,
        editable=False,
        help_text="The paid-as rank from 0, none, to 4, the fourth rank or a higher one.",
    )
    qualification_date = models.DateField(null=True, blank=True)
    joined_on = models.DateField()
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    auto_ship_active = models.BooleanField(default=False)
    notes = models.TextField(blank=True)
    personal_pv = HundredthsField("PV of the last closed period", default=0, editable=False)
    group_pv = HundredthsField("GV of the last closed period", default=0, editable=False)
    current_month_pv = HundredthsField("PV this period", default=0, editable=False)
    current_month_gv = HundredthsField("GV this period", default=0, editable=False)
    lifetime_pv = HundredthsField("lifetime PV", default=0, editable=False)
    direct_referral_count = models.PositiveIntegerField(default=0, editable=False)
    total_commission_earned = HundredthsField(default=0, editable=False)
    total_payout_requested = HundredthsField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DistributorQuerySet.as_manager()
    history = history(
        excluded_fields=[
            "level",
            "personal_pv",
            "group_pv",
            "current_month_pv",
            "current_month_gv",
            "lifetime_pv",
            "direct_referral_count",
            "total_commission_earned",
            "total_payout_requested",
        ]
    )

    class Meta:
        ordering = ["number"]
        permissions = [("terminate_distributor", "Can end a membership and take somebody back")]
        indexes = [
            models.Index(fields=["status"], name="genealogy_distributor_status"),
            models.Index(fields=["joined_on"], name="genealogy_distributor_joined"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(id__gte=1, id__lte=MOST_IDS),
                name="genealogy_distributor_id_of_32_bits",
                violation_error_message="The number of the row does not fit where it is kept.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["active", "inactive", "terminated", "on_hold"]),
                name="genealogy_distributor_status_known",
            ),
            models.CheckConstraint(
                condition=Q(sponsor__isnull=True) | ~Q(sponsor=F("id")),
                name="genealogy_distributor_not_own_sponsor",
                violation_error_message="Nobody can be their own sponsor.",
            ),
            models.CheckConstraint(
                condition=Q(enroller__isnull=True) | ~Q(enroller=F("id")),
                name="genealogy_distributor_not_own_enroller",
                violation_error_message="Nobody can be their own enroller.",
            ),
            models.CheckConstraint(
                condition=Q(placement_parent__isnull=True) | ~Q(placement_parent=F("id")),
                name="genealogy_distributor_not_own_placement",
                violation_error_message="Nobody can be placed under themselves.",
            ),
            models.CheckConstraint(
                condition=Q(placement_parent__isnull=True, leg__isnull=True)
                | Q(placement_parent__isnull=False, leg__isnull=False, leg__gte=1),
                name="genealogy_distributor_leg_with_placement",
                violation_error_message="A placement needs a leg, and a leg a placement.",
            ),
            models.CheckConstraint(
                condition=Q(level__lte=4), name="genealogy_distributor_level_known"
            ),
            models.UniqueConstraint(
                fields=["placement_parent", "leg"],
                name="genealogy_distributor_one_per_leg",
                violation_error_message="This leg is already taken.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.display_name} ({self.number})"

    @property
    def kyc_status(self) -> str:
        return self.user.kyc_status if self.user else User.KYCStatus.MISSING

    @property
    def is_spillover(self) -> bool:
        """Whether somebody else than the sponsor stands directly above in the placement tree."""
        return self.placement_parent_id not in (None, self.sponsor_id)

    @cached_property
    def downline_count(self) -> int:
        """How many people stand below in the sponsor tree; lists read it from their nodes."""
        size = self.nodes.filter(tree="sponsor").values_list("size", flat=True).first()
        return size - 1 if size else 0
