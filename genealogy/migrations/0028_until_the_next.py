import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models
from django.db.models import Q

import genealogy.models.node

# When a position ended, as it was believed while its row held.
ENDS = """
alter table genealogy_distributorposition disable trigger user;
update genealogy_distributorposition p set valid_to = ended.on_day
from (
  select p.id, min(n.valid_from) as on_day
  from genealogy_distributorposition p
  join genealogy_distributorposition n
    on n.distributor_id = p.distributor_id and n.tree = p.tree and n.valid_from > p.valid_from
   and (n.superseded_at is null or n.superseded_at >= p.superseded_at)
   and (p.superseded_at is null or n.recorded_at < p.superseded_at)
  where n.superseded_at is null or p.superseded_at is not null
  group by p.id
) ended where ended.id = p.id;
alter table genealogy_distributorposition enable trigger user
"""
AS_TYPE = """
alter table genealogy_distributorposition alter column tree type {type} using tree::{type}
"""


class Migration(migrations.Migration):
    """A position holds until the next one begins: that two hold on one day cannot be written.

    The database needs no comparison of stretches of days, which was most of what a load took.
    """

    dependencies = [
        ("genealogy", "0027_narrow_nodes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint("distributorposition", "genealogy_position_one_at_a_time"),
        migrations.RemoveConstraint("distributorposition", "genealogy_position_dates_ordered"),
        migrations.RemoveConstraint("distributorposition", "genealogy_position_tree_known"),
        migrations.RemoveConstraint("distributorposition", "genealogy_position_leg_with_placement"),
        migrations.RemoveIndex("distributorposition", "genealogy_position_from"),
        migrations.AlterField(
            model_name="distributorposition",
            name="distributor",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="positions",
                to="genealogy.distributor",
            ),
        ),
        migrations.AlterField(
            model_name="distributorposition",
            name="actor",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(
            AS_TYPE.format(type="genealogy_tree"),
            AS_TYPE.format(type="varchar(9)"),
            state_operations=[
                migrations.AlterField(
                    model_name="distributorposition",
                    name="tree",
                    field=genealogy.models.node.TreeField(
                        choices=[("sponsor", "Sponsor tree"), ("placement", "Placement tree")],
                        max_length=9,
                    ),
                )
            ],
        ),
        migrations.RunSQL(migrations.RunSQL.noop, ENDS),
        migrations.RemoveField("distributorposition", "valid_to"),
        migrations.AddIndex(
            model_name="distributorposition",
            index=BrinIndex(
                fields=["recorded_at", "valid_from"], name="genealogy_position_recorded"
            ),
        ),
        migrations.AddConstraint(
            model_name="distributorposition",
            constraint=models.CheckConstraint(
                condition=Q(tree="sponsor", leg__isnull=True)
                | Q(tree="placement", parent__isnull=True, leg__isnull=True)
                | Q(tree="placement", parent__isnull=False, leg__isnull=False, leg__gte=1),
                name="genealogy_position_leg_with_placement",
                violation_error_message="A place under somebody has a leg, counted from 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="distributorposition",
            constraint=models.UniqueConstraint(
                fields=["distributor", "tree", "valid_from", "superseded_at"],
                nulls_distinct=False,
                name="genealogy_position_one_at_a_time",
                violation_error_message="The distributor already has a position from this day on.",
            ),
        ),
    ]
