from django.db import models
from django.db.models import Q

from commissions.models.period import CommissionPeriod, CommissionRun
from commissions.models.plan import Bonus, PlanVersion
from genealogy.models import Distributor
from mlmcrm.money import HundredthsField


class Estimate(models.Model):
    """What an open period would bring if it were closed now, as it was last worked out.

    The fields say which facts that was: positions known at the moment, volume entries up to one,
    the final run that was carried on from, and the plan version.
    """

    period = models.OneToOneField(CommissionPeriod, models.PROTECT, related_name="estimate")
    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+")
    known_at = models.DateTimeField()
    last_entry = models.BigIntegerField(help_text="Volume entries up to this one are in it.")
    carried_run = models.ForeignKey(CommissionRun, models.PROTECT, null=True, related_name="+")
    seconds = models.DecimalField(max_digits=9, decimal_places=3)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_entry__gte=0) & Q(seconds__gte=0),
                name="commissions_estimate_not_negative",
            )
        ]

    def __str__(self) -> str:
        return f"Estimate of {self.period}"


class EstimatedAmount(models.Model):
    """What a bonus of the close would bring a distributor; who gets nothing has no row."""

    estimate = models.ForeignKey(Estimate, models.CASCADE, related_name="amounts", db_index=False)
    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="+")
    bonus = models.ForeignKey(Bonus, models.PROTECT, related_name="+", db_index=False)
    amount = HundredthsField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["estimate", "distributor", "bonus"],
                name="commissions_estimatedamount_once",
            ),
            models.CheckConstraint(
                condition=~Q(amount=0), name="commissions_estimatedamount_not_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.distributor_id}"


class EstimateDifference(models.Model):
    """By how much one kind of news made a run differ from the last estimate, for one bonus."""

    class Cause(models.IntegerChoices):
        CARRIED = 1, "The period before became final"
        TREE = 2, "People joined or were moved"
        SALES = 3, "Orders were paid"
        REFUNDS = 4, "Orders were refunded"
        PLAN = 5, "Another plan version is in force"
        PAYMENT = 6, "Bonuses at payment were settled"
        ATTRIBUTES = 7, "A package, mark or given rank changed"

    run = models.ForeignKey(CommissionRun, models.PROTECT, related_name="differences")
    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="+")
    bonus = models.ForeignKey(Bonus, models.PROTECT, related_name="+", db_index=False)
    cause = models.PositiveSmallIntegerField(choices=Cause)
    amount = HundredthsField(help_text="The run's amount less the estimate's, by this cause.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "distributor", "bonus", "cause"],
                name="commissions_estimatedifference_once",
            ),
            models.CheckConstraint(
                condition=Q(cause__in=[1, 2, 3, 4, 5, 6, 7]) & ~Q(amount=0),
                name="commissions_estimatedifference_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.distributor_id}: {self.get_cause_display()}"
