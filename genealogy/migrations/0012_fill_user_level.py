from django.db import migrations


class Migration(migrations.Migration):
    """The level of everybody who has a paid-as rank already."""

    dependencies = [("genealogy", "0011_user_level")]

    operations = [
        migrations.RunSQL(
            """
            update genealogy_distributor d set level = least(r.level, 4)
            from genealogy_rank r where r.id = d.paid_as_rank_id
            """,
            "update genealogy_distributor set level = 0 where level <> 0",
        )
    ]
