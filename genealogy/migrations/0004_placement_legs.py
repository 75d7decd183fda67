from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("genealogy", "0003_seed_ranks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="distributorposition",
            name="leg",
            field=models.PositiveSmallIntegerField(
                help_text="Counted from 1, the left one.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="distributorposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("leg__isnull", True), ("tree", "sponsor")),
                    models.Q(
                        ("leg__isnull", True), ("parent__isnull", True), ("tree", "placement")
                    ),
                    models.Q(
                        ("leg__gte", 1),
                        ("leg__isnull", False),
                        ("parent__isnull", False),
                        ("tree", "placement"),
                    ),
                    _connector="OR",
                ),
                name="genealogy_position_leg_with_placement",
                violation_error_message="A place under somebody has a leg, counted from 1.",
            ),
        ),
    ]
