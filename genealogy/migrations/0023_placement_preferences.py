import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("genealogy", "0022_undone_once"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PlacementPreference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "strategy",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("breadth_first", "First free place, level by level from the left"),
                            ("weaker_leg", "Outside of the leg with less volume"),
                            ("least_populated", "Step by step into the leg with fewer people"),
                            ("fixed_leg", "Outside of one leg"),
                        ],
                        max_length=15,
                    ),
                ),
                ("leg", models.PositiveSmallIntegerField(null=True)),
                ("chosen_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="historicalplacementrule",
            name="open_strategies",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("breadth_first", "First free place, level by level from the left"),
                        ("weaker_leg", "Outside of the leg with less volume"),
                        ("least_populated", "Step by step into the leg with fewer people"),
                        ("fixed_leg", "Outside of one leg"),
                    ],
                    max_length=15,
                ),
                blank=True,
                default=list,
                help_text="A sponsor may choose among these for his own newcomers; none: the rule alone.",
                size=None,
                verbose_name="strategies that people may choose",
            ),
        ),
        migrations.AddField(
            model_name="placementrule",
            name="open_strategies",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("breadth_first", "First free place, level by level from the left"),
                        ("weaker_leg", "Outside of the leg with less volume"),
                        ("least_populated", "Step by step into the leg with fewer people"),
                        ("fixed_leg", "Outside of one leg"),
                    ],
                    max_length=15,
                ),
                blank=True,
                default=list,
                help_text="A sponsor may choose among these for his own newcomers; none: the rule alone.",
                size=None,
                verbose_name="strategies that people may choose",
            ),
        ),
        migrations.AddConstraint(
            model_name="placementrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "open_strategies__contained_by",
                        ["breadth_first", "weaker_leg", "least_populated", "fixed_leg"],
                    )
                ),
                name="genealogy_placementrule_open_strategies_known",
            ),
        ),
        migrations.AddField(
            model_name="placementpreference",
            name="actor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="placementpreference",
            name="distributor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="placement_preferences",
                to="genealogy.distributor",
            ),
        ),
        migrations.AddIndex(
            model_name="placementpreference",
            index=models.Index(fields=["distributor", "-id"], name="genealogy_preference_newest"),
        ),
        migrations.AddConstraint(
            model_name="placementpreference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "strategy__in",
                        ["", "breadth_first", "weaker_leg", "least_populated", "fixed_leg"],
                    )
                ),
                name="genealogy_placementpreference_strategy_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="placementpreference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("leg__gte", 1), ("leg__isnull", False), ("strategy", "fixed_leg")),
                    models.Q(models.Q(("strategy", "fixed_leg"), _negated=True), ("leg", None)),
                    _connector="OR",
                ),
                name="genealogy_placementpreference_leg",
                violation_error_message="The outside of one leg needs that leg, the others none.",
            ),
        ),
    ]
