from django.db import models
from django.db.models import Q

from accounts.history import history
from mlmcrm.money import MoneyField


class Rank(models.Model):
    """A title that is earned by volume: Bronze to Diamond. What it pays is said by the plan."""

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    level = models.PositiveSmallIntegerField(unique=True)
    min_personal_pv = models.DecimalField("minimum PV", max_digits=14, decimal_places=2, default=0)
    min_group_pv = models.DecimalField("minimum GV", max_digits=14, decimal_places=2, default=0)
    min_legs = models.PositiveSmallIntegerField("minimum legs", default=0)
    min_leg_volume = models.DecimalField(
        "minimum GV of each leg", max_digits=14, decimal_places=2, default=0
    )
    requirements = models.JSONField(default=dict, blank=True)
    benefits = models.JSONField(default=dict, blank=True)
    commission_rate = models.DecimalField(max_digits=9, decimal_places=6, default=0)
    bonus_percentage = models.DecimalField(max_digits=9, decimal_places=6, default=0)
    car_bonus = MoneyField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    history = history()

    class Meta:
        ordering = ["level"]
        constraints = [
            models.CheckConstraint(
                condition=Q(level__gte=1),
                name="genealogy_rank_level_positive",
                violation_error_message="The first rank has level 1.",
            ),
            models.CheckConstraint(
                condition=Q(
                    min_personal_pv__gte=0,
                    min_group_pv__gte=0,
                    min_leg_volume__gte=0,
                    car_bonus__gte=0,
                ),
                name="genealogy_rank_minimums_not_negative",
                violation_error_message="A minimum cannot be negative.",
            ),
            models.CheckConstraint(
                condition=Q(commission_rate__range=(0, 1), bonus_percentage__range=(0, 1)),
                name="genealogy_rank_rates_are_shares",
                violation_error_message="A rate is a share between 0 and 1: 0.05 is 5 %.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
