from django.db import migrations

NAMES = [
    "distributor",
    "customer",
    "order",
    "payment",
    "refund",
    "payout",
    "payout_batch",
    "kyc_document",
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(f"create sequence number_{name}", f"drop sequence number_{name}")
        for name in NAMES
    ]
