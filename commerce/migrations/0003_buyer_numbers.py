from django.db import migrations, models


class Migration(migrations.Migration):
    """A place for the how-manieth order of its buyer each paid order is."""

    dependencies = [("commerce", "0002_final_rows")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="buyer_number",
            field=models.PositiveIntegerField(
                blank=True,
                editable=False,
                help_text="The how-manieth paid order of its customer.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="buyer_since",
            field=models.DateField(
                blank=True,
                editable=False,
                help_text="The day from which the customer counts.",
                null=True,
            ),
        ),
    ]
