from django.db import migrations

from mlmcrm.triggers import append_only, frozen_when


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_number_sequences")]

    operations = [
        append_only("accounts_auditevent"),
        frozen_when(
            "accounts_event",
            "true",
            ["stream_id", "seq", "name", "ref", "facts", "created_at"],
            "written_event",
        ),
    ]
