import secrets

from django.db import migrations
from django.utils import timezone

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
PART = 5000


def give_codes(apps, schema_editor):
    """Everybody enrolled so far gets a code: the account's own, else a new one."""
    distributor = apps.get_model("genealogy", "Distributor")
    referral_code = apps.get_model("genealogy", "ReferralCode")
    apps.get_model("genealogy", "ReferralProgram").objects.get_or_create(pk=1)
    people = distributor.objects.filter(referral_codes=None).order_by("pk")
    while part := list(people.values_list("pk", "user__referral_code")[:PART]):
        referral_code.objects.bulk_create(
            [
                referral_code(
                    distributor_id=pk,
                    code=code or "".join(secrets.choice(LETTERS) for _ in range(8)),
                    created_at=timezone.now(),
                )
                for pk, code in part
            ],
            ignore_conflicts=True,
        )


def take_codes(apps, schema_editor):
    """The tables themselves go with the migration before."""


class Migration(migrations.Migration):
    dependencies = [("genealogy", "0014_referral_rules")]

    operations = [migrations.RunPython(give_codes, take_codes)]
