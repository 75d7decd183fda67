from django.db import migrations

from mlmcrm.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("genealogy", "0023_placement_preferences")]

    operations = [append_only("genealogy_placementpreference")]
