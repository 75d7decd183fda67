from django.db import migrations

from mlmcrm.triggers import frozen_when

TABLE = "genealogy_distributorattribute"
SAID = ["distributor_id", "kind", "ladder", "code", "valid_from", "valid_to", "recorded_at",
        "actor_id", "reason"]  # fmt: skip


class Migration(migrations.Migration):
    """What was said of a distributor stays; the database says when it became known.

    The moment is that of the insert, or of the update that supersedes a row, behind any lock of a
    close, so that "known at the cut-off" means the same today and at a replay.
    """

    dependencies = [("genealogy", "0009_attributes")]

    operations = [
        frozen_when(TABLE, "true", SAID, "what_was_said"),
        frozen_when(TABLE, "old.superseded_at is not null", ["superseded_at"], "superseding"),
        migrations.RunSQL(
            f"""
            create trigger {TABLE}_no_delete before delete on {TABLE}
              for each row execute function mlmcrm_refuse('{TABLE}: what was said stays');
            create trigger {TABLE}_no_truncate before truncate on {TABLE}
              for each statement execute function mlmcrm_refuse('{TABLE}: what was said stays');

            create function genealogy_date_attribute() returns trigger language plpgsql as $$
            begin
              if tg_op = 'INSERT' then
                new.recorded_at := clock_timestamp();
                new.superseded_at := null;
              elsif new.superseded_at is not null and old.superseded_at is null then
                new.superseded_at := clock_timestamp();
              end if;
              return new;
            end $$;
            create trigger {TABLE}_dated before insert or update on {TABLE}
              for each row execute function genealogy_date_attribute();
            """,
            f"""
            drop trigger {TABLE}_dated on {TABLE};
            drop function genealogy_date_attribute();
            drop trigger {TABLE}_no_truncate on {TABLE};
            drop trigger {TABLE}_no_delete on {TABLE};
            """,
        ),
    ]
