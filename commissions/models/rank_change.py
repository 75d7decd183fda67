from django.db import models
from django.db.models import F, Q

from accounts.models import User
from commissions.models.period import CommissionPeriod
from commissions.models.plan import PlanVersion
from genealogy.models import Distributor
from mlmcrm.money import HundredthsField


class RankChangeQuerySet(models.QuerySet["RankChange"]):
    def visible_to(self, user: User) -> "RankChangeQuerySet":
        if user.has_perm("genealogy.view_distributor"):
            return self
        return self.filter(distributor__user=user)


class RankChange(models.Model):
    """A distributor is paid as another rank than in the final period before, and by what.

    The version is the plan whose ladder decided, the levels are those of that ladder, 0 for none,
    and the figures those of the period's final run. Written when the period becomes final, never
    changed.
    """

    period = models.ForeignKey(CommissionPeriod, models.PROTECT, related_name="rank_changes")
    distributor = models.ForeignKey(
        Distributor, models.PROTECT, related_name="rank_changes", db_index=False
    )
    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+", db_index=False)
    level_from = models.PositiveSmallIntegerField()
    level_to = models.PositiveSmallIntegerField()
    is_highest = models.BooleanField(help_text="Never paid as this rank before.")
    pv = HundredthsField("PV")
    cv = HundredthsField("CV")
    gv = HundredthsField("GV")
    legs = models.PositiveIntegerField()
    active = models.BooleanField()

    objects = RankChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["distributor", "period"], name="commissions_rankchange_once"
            ),
            models.CheckConstraint(
                condition=~Q(level_from=F("level_to")),
                name="commissions_rankchange_changes",
                violation_error_message="A rank changes into another one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.distributor_id} from {self.level_from} to {self.level_to}"

    @property
    def rises(self) -> bool:
        return self.level_to > self.level_from
