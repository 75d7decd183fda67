from django.db import migrations


class Migration(migrations.Migration):
    """Whatever is recorded is in a queue until it is claimed; positions are dated by the database.

    The queue is what finds unclaimed volume without a search through all of it. The moment at
    which a position became known is the moment of its insert, behind any lock of a close, so that
    "known at the cut-off" means the same today and at a replay.
    """

    dependencies = [
        ("commerce", "0002_final_rows"),
        ("commissions", "0005_payout_guards"),
        ("genealogy", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            """
            create table commissions_volumequeue (volume_entry_id bigint primary key);
            insert into commissions_volumequeue
              select v.id from commerce_volumeentry v where not exists (
                select 1 from commissions_volumeclaim c where c.volume_entry_id = v.id);

            create function commissions_queue_volume() returns trigger language plpgsql as $$
            begin
              insert into commissions_volumequeue select id from newrows on conflict do nothing;
              return null;
            end $$;
            create trigger commissions_volume_queued after insert on commerce_volumeentry
              referencing new table as newrows
              for each statement execute function commissions_queue_volume();

            create function commissions_date_position() returns trigger language plpgsql as $$
            begin
              new.recorded_at := clock_timestamp();
              return new;
            end $$;
            create trigger commissions_position_dated before insert on genealogy_distributorposition
              for each row execute function commissions_date_position();

            -- Lines lie in the order of their numbers and, within a bonus and level, of the volume
            -- entries: range indexes find both and cost a close next to nothing.
            drop index commissions_ledgerentry_id;
            create index commissions_ledgerentry_id on commissions_ledgerentry
              using brin (id) with (pages_per_range = 16, autosummarize = on);
            drop index commissions_ledgerentry_source;
            create index commissions_ledgerentry_source on commissions_ledgerentry
              using brin (volume_entry_id) with (pages_per_range = 16, autosummarize = on);
            -- With the amount in it, what somebody earned is summed from the index alone.
            drop index commissions_ledgerentry_earner;
            create index commissions_ledgerentry_earner
              on commissions_ledgerentry (distributor_id, id) include (amount);
            """,
            """
            drop index commissions_ledgerentry_id;
            create index commissions_ledgerentry_id on commissions_ledgerentry (id);
            drop index commissions_ledgerentry_source;
            create index commissions_ledgerentry_source
              on commissions_ledgerentry (volume_entry_id);
            drop index commissions_ledgerentry_earner;
            create index commissions_ledgerentry_earner
              on commissions_ledgerentry (distributor_id, id);
            drop trigger commissions_position_dated on genealogy_distributorposition;
            drop function commissions_date_position();
            drop trigger commissions_volume_queued on commerce_volumeentry;
            drop function commissions_queue_volume();
            drop table commissions_volumequeue;
            """,
        ),
    ]
