from django.db import migrations, models
from django.db.models.deletion import PROTECT

from mlmcrm.money import HundredthsField
from mlmcrm.triggers import append_only


class Migration(migrations.Migration):
    """Who is paid as another rank with a final period, and by what; never changed afterwards."""

    dependencies = [
        ("commissions", "0016_narrow_lines"),
        ("genealogy", "0011_user_level"),
    ]

    operations = [
        migrations.CreateModel(
            name="RankChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("level_from", models.PositiveSmallIntegerField()),
                ("level_to", models.PositiveSmallIntegerField()),
                ("is_highest", models.BooleanField(help_text="Never paid as this rank before.")),
                ("pv", HundredthsField(verbose_name="PV")),
                ("cv", HundredthsField(verbose_name="CV")),
                ("gv", HundredthsField(verbose_name="GV")),
                ("legs", models.PositiveIntegerField()),
                ("active", models.BooleanField()),
                (
                    "distributor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="rank_changes",
                        to="genealogy.distributor",
                    ),
                ),
                (
                    "period",
                    models.ForeignKey(
                        on_delete=PROTECT,
                        related_name="rank_changes",
                        to="commissions.commissionperiod",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="+",
                        to="commissions.planversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("distributor", "period"), name="commissions_rankchange_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("level_from", models.F("level_to")), _negated=True),
                        name="commissions_rankchange_changes",
                        violation_error_message="A rank changes into another one.",
                    ),
                ],
            },
        ),
        append_only("commissions_rankchange"),
    ]
