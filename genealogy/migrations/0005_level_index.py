import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The downline is counted in the index alone; levels are found by it, at any size."""

    dependencies = [("genealogy", "0004_placement_legs")]

    operations = [
        migrations.RemoveField(model_name="distributor", name="downline_count"),
        migrations.AlterField(
            model_name="genealogynode",
            name="distributor",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="nodes",
                to="genealogy.distributor",
            ),
        ),
        migrations.AddIndex(
            model_name="genealogynode",
            index=models.Index(fields=["tree", "depth", "lft"], name="genealogy_node_level"),
        ),
    ]
