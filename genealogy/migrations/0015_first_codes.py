import secrets

from django.db import migrations

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
PART = 5000

OWN = """
insert into genealogy_referralcode (distributor_id, code, is_current, created_at)
select d.id, u.referral_code, true, now() from genealogy_distributor d
join accounts_user u on u.id = d.user_id
where u.referral_code ~ '^[A-HJKMNP-Z2-9]{8,16}$'
on conflict do nothing
"""
WITHOUT = """
select d.id from genealogy_distributor d where not exists (
  select 1 from genealogy_referralcode c where c.distributor_id = d.id and c.is_current)
order by d.id limit %s
"""
NEW = """
insert into genealogy_referralcode (distributor_id, code, is_current, created_at)
select id, code, true, now() from unnest(%s::bigint[], %s::text[]) as t(id, code)
on conflict do nothing
"""
FOLLOW = """
update accounts_user u set referral_code = c.code from genealogy_distributor d
join genealogy_referralcode c on c.distributor_id = d.id and c.is_current
where u.id = d.user_id and u.referral_code <> c.code
"""


def give_codes(apps, schema_editor):
    """Everybody enrolled so far gets a code: the account's own where it is one, else a new one."""
    apps.get_model("genealogy", "ReferralProgram").objects.get_or_create(pk=1)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OWN)
        cursor.execute(WITHOUT, [PART])
        while ids := [row[0] for row in cursor.fetchall()]:
            codes = ["".join(secrets.choice(LETTERS) for _ in range(8)) for _ in ids]
            cursor.execute(NEW, [ids, codes])
            cursor.execute(WITHOUT, [PART])
        cursor.execute(FOLLOW)


def take_codes(apps, schema_editor):
    """The tables themselves go with the migration before."""


class Migration(migrations.Migration):
    dependencies = [("genealogy", "0014_referral_rules")]

    operations = [migrations.RunPython(give_codes, take_codes)]
