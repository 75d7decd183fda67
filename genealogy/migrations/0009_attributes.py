import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import genealogy.models.position
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("genealogy", "0008_placement"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DistributorAttribute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("package", "Package"), ("rank", "Given rank"), ("mark", "Mark")],
                        max_length=7,
                    ),
                ),
                (
                    "ladder",
                    models.CharField(
                        blank=True, help_text="The plan's ladder of a given rank.", max_length=50
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        help_text="As the plan calls the package, rank or mark.", max_length=50
                    ),
                ),
                ("valid_from", models.DateField()),
                (
                    "valid_to",
                    models.DateField(help_text="First day on which it no longer held.", null=True),
                ),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
                (
                    "superseded_at",
                    models.DateTimeField(
                        help_text="When a later correction replaced what this row said.", null=True
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "distributor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attributes",
                        to="genealogy.distributor",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to__isnull", True),
                            ("valid_to__gt", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="genealogy_attribute_dates_ordered",
                        violation_error_message="It ends after it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["package", "rank", "mark"])),
                        name="genealogy_attribute_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "rank"), models.Q(("ladder", ""), _negated=True)),
                            models.Q(models.Q(("kind", "rank"), _negated=True), ("ladder", "")),
                            _connector="OR",
                        ),
                        name="genealogy_attribute_ladder_of_rank",
                        violation_error_message="A given rank, and nothing else, belongs to a ladder.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("code", ""), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                        ),
                        name="genealogy_attribute_says_what_and_why",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("kind", "package"), ("superseded_at__isnull", True)),
                        expressions=[
                            ("distributor", "="),
                            (
                                genealogy.models.position._DateRange(
                                    "valid_from",
                                    "valid_to",
                                    django.contrib.postgres.fields.ranges.RangeBoundary(),
                                ),
                                "&&",
                            ),
                        ],
                        name="genealogy_attribute_one_package",
                        violation_error_message="The distributor holds a package on these days.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("kind", "rank"), ("superseded_at__isnull", True)),
                        expressions=[
                            ("distributor", "="),
                            ("ladder", "="),
                            (
                                genealogy.models.position._DateRange(
                                    "valid_from",
                                    "valid_to",
                                    django.contrib.postgres.fields.ranges.RangeBoundary(),
                                ),
                                "&&",
                            ),
                        ],
                        name="genealogy_attribute_one_rank",
                        violation_error_message="The distributor has a rank of the ladder on these days.",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("kind", "mark"), ("superseded_at__isnull", True)),
                        expressions=[
                            ("distributor", "="),
                            ("code", "="),
                            (
                                genealogy.models.position._DateRange(
                                    "valid_from",
                                    "valid_to",
                                    django.contrib.postgres.fields.ranges.RangeBoundary(),
                                ),
                                "&&",
                            ),
                        ],
                        name="genealogy_attribute_mark_once",
                        violation_error_message="The distributor carries the mark on these days.",
                    ),
                ],
            },
        ),
    ]
