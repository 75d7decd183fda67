from django.db import migrations

from mlmcrm.triggers import append_only


class Migration(migrations.Migration):
    """Commission lines and standings, partitioned by run: only what is final is attached."""

    dependencies = [("commissions", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            create table commissions_ledgerentry (
              id bigint not null,
              run_id bigint not null,
              period_id bigint not null,
              bonus_id bigint not null,
              distributor_id bigint not null,
              source_distributor_id bigint,
              volume_entry_id bigint,
              level smallint not null,
              rank_level smallint not null,
              base bigint not null,
              rate bigint not null,
              amount bigint not null,
              reverses_id bigint,
              constraint commissions_ledgerentry_negative_only_if_reversal
                check (amount > 0 or (amount < 0 and reverses_id is not null)),
              constraint commissions_ledgerentry_id_in_run check (id >> 32 = run_id)
            ) partition by list (run_id);
            create index commissions_ledgerentry_earner
              on commissions_ledgerentry (distributor_id, id);
            create index commissions_ledgerentry_source
              on commissions_ledgerentry (volume_entry_id);
            create index commissions_ledgerentry_id on commissions_ledgerentry (id);

            create table commissions_standing (
              run_id bigint not null,
              distributor_id bigint not null,
              sponsor_id bigint,
              pv bigint not null,
              cv bigint not null,
              gv bigint not null,
              legs integer not null,
              active boolean not null,
              rank_level smallint not null,
              highest_level smallint not null
            ) partition by list (run_id);
            create unique index commissions_standing_owner
              on commissions_standing (run_id, distributor_id);
            """,
            "drop table commissions_ledgerentry; drop table commissions_standing;",
        ),
        append_only("commissions_ledgerentry"),
        append_only("commissions_standing"),
        append_only("commissions_volumeclaim"),
    ]
