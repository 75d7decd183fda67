import django.db.models.deletion
import django.db.models.fields.composite
from django.db import migrations, models
from django.db.models import F, Q

import genealogy.models.node

PATHS = """
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
"""
COLUMNS = "distributor_id, lft, rgt, depth, size, open_depth, tree"
TAKE = f"""
drop view genealogy_paths;
create unlogged table genealogy_node_carried as
  select {COLUMNS.replace("tree", "tree::text")} from genealogy_genealogynode order by tree, lft
"""
# In the order of the walk, so that a line lies together; some room on each page, so that a count
# is changed where it lies and no index hears of it.
GIVE = f"""
alter table genealogy_genealogynode set (fillfactor = 90);
insert into genealogy_genealogynode ({COLUMNS})
  select {COLUMNS.replace("tree", "tree::genealogy_tree")} from genealogy_node_carried;
drop table genealogy_node_carried;
{PATHS}
"""
GIVE_BACK = f"""
insert into genealogy_genealogynode ({COLUMNS}) select {COLUMNS} from genealogy_node_carried;
drop table genealogy_node_carried;
{PATHS}
"""


class Migration(migrations.Migration):
    """Nodes without a number of their own, narrow, and in the order of the walk through the tree."""

    dependencies = [("genealogy", "0026_enrolment_rules")]

    operations = [
        migrations.RunSQL(TAKE, GIVE_BACK),
        migrations.DeleteModel(name="GenealogyNode"),
        migrations.RunSQL(
            "create type genealogy_tree as enum ('sponsor', 'placement')",
            "drop type genealogy_tree",
        ),
        migrations.CreateModel(
            name="GenealogyNode",
            fields=[
                (
                    "pk",
                    django.db.models.fields.composite.CompositePrimaryKey(
                        "tree",
                        "distributor_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "distributor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="nodes",
                        to="genealogy.distributor",
                    ),
                ),
                ("lft", models.BigIntegerField()),
                ("rgt", models.BigIntegerField()),
                ("depth", models.PositiveIntegerField()),
                (
                    "size",
                    models.PositiveIntegerField(
                        help_text="Distributors in the subtree, with this one."
                    ),
                ),
                (
                    "open_depth",
                    models.PositiveIntegerField(
                        help_text="In the placement tree: depth of the nearest free place below.",
                        null=True,
                    ),
                ),
                (
                    "tree",
                    genealogy.models.node.TreeField(
                        choices=[("sponsor", "Sponsor tree"), ("placement", "Placement tree")],
                        max_length=9,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tree", "depth", "lft"], name="genealogy_node_level")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        deferrable=models.Deferrable.DEFERRED,
                        fields=("tree", "lft"),
                        name="genealogy_node_label_unique",
                    ),
                    models.CheckConstraint(
                        condition=Q(rgt__gte=F("lft")), name="genealogy_node_interval_ordered"
                    ),
                    models.CheckConstraint(
                        condition=Q(size__gte=1), name="genealogy_node_size_positive"
                    ),
                ],
            },
        ),
        migrations.RunSQL(GIVE, TAKE),
    ]
