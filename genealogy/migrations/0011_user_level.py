from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("genealogy", "0010_attributes_stand"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="distributor",
            name="level",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="The paid-as rank from 0, none, to 4, the fourth rank or a higher one.",
                verbose_name="user level",
            ),
        ),
        migrations.AddConstraint(
            model_name="distributor",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__lte", 4)), name="genealogy_distributor_level_known"
            ),
        ),
    ]
