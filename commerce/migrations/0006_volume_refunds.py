from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """The refunds of a period are few: a close finds them without reading its sales."""

    dependencies = [
        ("commerce", "0005_buyer_number_rules"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="volumeentry",
            index=models.Index(
                fields=["counts_on"], condition=Q(kind="refund"), name="commerce_volume_refunds"
            ),
        ),
    ]
