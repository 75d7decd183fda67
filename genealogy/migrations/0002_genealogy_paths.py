from django.db import migrations


class Migration(migrations.Migration):
    """Ancestors and descendants as a view over the intervals, for whoever thinks in paths."""

    dependencies = [("genealogy", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            create view genealogy_paths as
            select a.distributor_id as ancestor_id,
                   d.distributor_id as descendant_id,
                   (d.depth - a.depth)::int as depth,
                   d.tree as path_type,
                   case when d.tree = 'placement' and d.depth > a.depth
                        then (select p.leg from genealogy_genealogynode c
                              join genealogy_distributor p on p.id = c.distributor_id
                              where c.tree = d.tree and c.depth = a.depth + 1
                                and c.lft <= d.lft and c.rgt >= d.lft)
                   end::int as leg_position
            from genealogy_genealogynode a
            join genealogy_genealogynode d
              on d.tree = a.tree and d.lft between a.lft and a.rgt
            """,
            "drop view genealogy_paths",
        )
    ]
