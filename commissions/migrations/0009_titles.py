from django.db import migrations


class Migration(migrations.Migration):
    """The rank held, beside the rank paid as and the highest one: they differ by plan."""

    dependencies = [("commissions", "0008_cut_lines")]

    operations = [
        migrations.RunSQL(
            """
            alter table commissions_standing add column title_level smallint not null default 0;
            alter table commissions_standing alter column title_level drop default;
            """,
            "alter table commissions_standing drop column title_level;",
        ),
    ]
