import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import mlmcrm.money
from commissions.models.trial import TRIAL_EDGES
from mlmcrm.triggers import frozen_when, status_edges


class Migration(migrations.Migration):
    """Plans tried on past periods."""

    dependencies = [
        ("commissions", "0010_carried_state"),
        ("genealogy", "0003_seed_ranks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PlanTrial",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("definition_hash", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("period_count", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
                ("report", models.JSONField(default=dict)),
                (
                    "first_period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="commissions.commissionperiod",
                    ),
                ),
                (
                    "last_period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="commissions.commissionperiod",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trials",
                        to="commissions.planversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="TrialEarning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("before", mlmcrm.money.HundredthsField()),
                ("after", mlmcrm.money.HundredthsField()),
                ("change", mlmcrm.money.HundredthsField()),
                (
                    "rank_before",
                    models.SmallIntegerField(help_text="Paid-as level in the last period."),
                ),
                ("rank_after", models.SmallIntegerField()),
                (
                    "distributor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="genealogy.distributor",
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="earnings",
                        to="commissions.plantrial",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="plantrial",
            constraint=models.CheckConstraint(
                condition=models.Q(("period_count__gte", 1)), name="commissions_plantrial_periods"
            ),
        ),
        migrations.AddConstraint(
            model_name="plantrial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["queued", "running", "done", "failed", "cancelled"])
                ),
                name="commissions_plantrial_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="trialearning",
            index=models.Index(
                fields=["trial", "change", "distributor"], name="commissions_trial_by_change"
            ),
        ),
        migrations.AddConstraint(
            model_name="trialearning",
            constraint=models.UniqueConstraint(
                fields=("trial", "distributor"), name="commissions_trialearning_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="trialearning",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "change",
                        django.db.models.expressions.CombinedExpression(
                            models.F("after"), "-", models.F("before")
                        ),
                    )
                ),
                name="commissions_trialearning_change",
            ),
        ),
        status_edges("commissions_plantrial", TRIAL_EDGES),
        frozen_when(
            "commissions_plantrial",
            "old.status in ('done', 'failed', 'cancelled')",
            ["report", "finished_at", "definition_hash", "first_period_id", "last_period_id"],
            "ended_trial",
        ),
    ]
