from django.db import migrations

from mlmcrm.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_consents")]

    operations = [append_only("accounts_consenttext"), append_only("accounts_consent")]
