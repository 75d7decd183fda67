from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.models import User
from commissions.models.period import CommissionPeriod, CommissionRun
from commissions.models.plan import Bonus
from genealogy.models import Distributor
from mlmcrm.money import HundredthsField, RateField

REWARD_EDGES = {
    "granted": ("claimed", "withdrawn"),
    "claimed": ("delivered", "withdrawn"),
}


class RewardQuerySet(models.QuerySet["Reward"]):
    def final(self) -> "RewardQuerySet":
        """Those of periods that are final: any other is nobody's yet."""
        return self.filter(period__status=CommissionPeriod.Status.FINALIZED)

    def visible_to(self, user: User) -> "RewardQuerySet":
        if user.has_perm("commissions.view_reward"):
            return self.final()
        return self.final().filter(distributor__user=user)

    def to_deliver(self) -> "RewardQuerySet":
        """What is claimed, and nobody is at it."""
        return self.final().filter(status="claimed", asked_status="")

    def to_confirm(self) -> "RewardQuerySet":
        """What somebody asked to be settled, and a second person has to confirm."""
        return self.final().filter(status__in=["granted", "claimed"]).exclude(asked_status="")


class Reward(models.Model):
    """What a close gave a distributor besides money: how many of what, by which bonus, for what.

    Written with the run and thrown away with it; once the period is final, only what becomes of it
    changes. It is no money: nothing of it is in the ledger, the journal or a wallet, and a refund
    does not take it back.

    `rank_level`: the rank it is for, else the rank paid as. `base`, `lines`, `rate`: on what it
    was worked out, on how many lines, at which rate if that is one and the same. `unit_value`: what
    people are told one is worth, if they are. `asked_status`: what staff want to become of it; what
    has a value waits for a second person.
    """

    class Status(models.TextChoices):
        GRANTED = "granted", "Given"
        CLAIMED = "claimed", "Claimed"
        DELIVERED = "delivered", "Delivered"
        WITHDRAWN = "withdrawn", "Withdrawn"

    period = models.ForeignKey(CommissionPeriod, models.PROTECT, related_name="rewards")
    run = models.ForeignKey(CommissionRun, models.PROTECT, related_name="rewards", db_index=False)
    place = models.PositiveIntegerField(help_text="Its number within the run.")
    bonus = models.ForeignKey(Bonus, models.PROTECT, related_name="+", db_index=False)
    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="rewards")
    rank_level = models.PositiveSmallIntegerField()
    name = models.TextField("reward")
    count = HundredthsField("how many")
    unit_value = HundredthsField(null=True)
    base = HundredthsField()
    lines = models.PositiveIntegerField()
    rate = RateField(null=True)
    status = models.CharField(max_length=9, choices=Status, default=Status.GRANTED)
    claimed_at = models.DateTimeField(null=True)
    asked_status = models.CharField(max_length=9, blank=True)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    asked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    settled_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False
    )
    settled_at = models.DateTimeField(null=True)

    objects = RewardQuerySet.as_manager()

    class Meta:
        ordering = ["-run_id", "place"]
        permissions = [("settle_reward", "Can deliver and withdraw rewards")]
        indexes = [
            models.Index(fields=["status", "period"], name="commissions_reward_status"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "place"], name="commissions_reward_place"),
            models.UniqueConstraint(
                fields=["run", "bonus", "distributor", "rank_level"],
                name="commissions_reward_once",
                violation_error_message="A run gives a distributor each reward once.",
            ),
            models.CheckConstraint(
                condition=Q(count__gt=0, lines__gte=1)
                & (Q(unit_value__isnull=True) | Q(unit_value__gte=0)),
                name="commissions_reward_gives",
                violation_error_message="A reward gives something.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["granted", "claimed", "delivered", "withdrawn"])
                & Q(asked_status__in=["", "delivered", "withdrawn"]),
                name="commissions_reward_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["claimed", "delivered"]) | Q(claimed_at__isnull=False),
                name="commissions_reward_claimed_first",
                violation_error_message="A reward is claimed before it is delivered.",
            ),
            models.CheckConstraint(
                condition=Q(asked_status="", asked_by__isnull=True, asked_at__isnull=True)
                | (
                    ~Q(asked_status="")
                    & ~Q(reason="")
                    & Q(asked_by__isnull=False, asked_at__isnull=False)
                ),
                name="commissions_reward_asked_with_reason",
                violation_error_message="Whoever settles a reward says why.",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["granted", "claimed"],
                    settled_by__isnull=True,
                    settled_at__isnull=True,
                )
                | (
                    Q(status__in=["delivered", "withdrawn"], status=F("asked_status"))
                    & Q(settled_by__isnull=False, settled_at__isnull=False)
                    & (Q(unit_value__isnull=True) | ~Q(settled_by=F("asked_by")))
                ),
                name="commissions_reward_four_eyes",
                violation_error_message="What has a value is settled by two people.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} for {self.distributor_id}"

    @property
    def what(self) -> str:
        """How many of what: Trip to Lisbon, 12.5 x Point."""
        return self.name if self.count == 1 else f"{self.how_many} × {self.name}"

    @property
    def how_many(self) -> str:
        return f"{self.count:,.2f}".rstrip("0").rstrip(".")

    @property
    def worth(self) -> Decimal | None:
        """What all of it is worth as people are told, in the period's currency."""
        if self.unit_value is None:
            return None
        return (self.unit_value * self.count).quantize(Decimal("0.01"))

    @property
    def is_settled(self) -> bool:
        return self.status in (self.Status.DELIVERED, self.Status.WITHDRAWN)

    @property
    def waits_for_second(self) -> bool:
        """Whether somebody asked for it to be settled, and somebody else has to confirm."""
        return bool(self.asked_status) and not self.is_settled

    @property
    def number(self) -> str:
        """Its name among all: 2026-10/2-14."""
        return f"{self.period.code}/{self.reference}"

    @property
    def reference(self) -> str:
        """Its name within its period: run number and place, 2-14."""
        return f"{self.run.number}-{self.place}"
