import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import genealogy.models.position
from django.db import migrations, models


class Migration(migrations.Migration):
    """Since when somebody has left stands among what plans may ask of him."""

    dependencies = [
        ("genealogy", "0030_tree_functions"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="distributorattribute",
            name="genealogy_attribute_kind_known",
        ),
        migrations.AlterField(
            model_name="distributorattribute",
            name="kind",
            field=models.CharField(
                choices=[
                    ("package", "Package"),
                    ("rank", "Given rank"),
                    ("mark", "Mark"),
                    ("status", "Status"),
                ],
                max_length=7,
            ),
        ),
        migrations.AddConstraint(
            model_name="distributorattribute",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["package", "rank", "mark", "status"])),
                name="genealogy_attribute_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="distributorattribute",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("kind", "status"), ("superseded_at__isnull", True)),
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
                name="genealogy_attribute_one_status",
                violation_error_message="The distributor has a status on these days.",
            ),
        ),
        migrations.AddConstraint(
            model_name="distributorattribute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "status"), _negated=True), ("code", "left"), _connector="OR"
                ),
                name="genealogy_attribute_status_known",
            ),
        ),
    ]
