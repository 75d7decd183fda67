from django.db import migrations

from genealogy.models.team import TEAM_EDGES
from mlmcrm.triggers import frozen_when, status_edges

PAST = ["left_at", "removed_by_id", "left_reason"]


class Migration(migrations.Migration):
    """Teams are numbered like everything people see; who was in one when is never written over."""

    dependencies = [("genealogy", "0016_teams")]

    operations = [
        migrations.RunSQL("create sequence number_team", "drop sequence number_team"),
        status_edges("genealogy_team", TEAM_EDGES),
        frozen_when("genealogy_team", "true", ["number", "created_by_id"], "founded_team"),
        frozen_when(
            "genealogy_teammembership",
            "true",
            ["team_id", "distributor_id", "joined_at", "added_by_id"],
            "joined_member",
        ),
        frozen_when("genealogy_teammembership", "old.left_at is not null", PAST, "past_member"),
    ]
