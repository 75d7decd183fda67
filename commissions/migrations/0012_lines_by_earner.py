from django.db import migrations

RANGES = "with (pages_per_range = 16, autosummarize = on)"


class Migration(migrations.Migration):
    """A close writes its lines earner by earner: ranges of pages find an earner's and a number.

    What is paid at once comes in any order, so its tables have B-trees of their own. Carried
    figures are stored as they are: packing them took longer than writing them.
    """

    dependencies = [("commissions", "0011_plan_trials")]

    operations = [
        migrations.RunSQL(
            f"""
            drop index commissions_ledgerentry_earner;
            drop index commissions_ledgerentry_source;
            drop index commissions_ledgerentry_id;
            create index commissions_ledgerentry_lines on commissions_ledgerentry
              using brin (distributor_id, id) {RANGES};
            """,
            f"""
            drop index commissions_ledgerentry_lines;
            create index commissions_ledgerentry_id on commissions_ledgerentry
              using brin (id) {RANGES};
            create index commissions_ledgerentry_source on commissions_ledgerentry
              using brin (volume_entry_id) {RANGES};
            create index commissions_ledgerentry_earner
              on commissions_ledgerentry (distributor_id, id) include (amount);
            """,
        ),
        migrations.RunSQL(
            """
            do $$
            declare
              line record;
            begin
              for line in
                select 'commissions_ledger_r' || id as name
                from commissions_commissionrun
                where to_regclass('commissions_ledger_r' || id) is not null
              loop
                execute format('create index if not exists %s_earner on %s (distributor_id, id)',
                               line.name, line.name);
                execute format('create index if not exists %s_id on %s (id)', line.name, line.name);
              end loop;
            end $$;
            """,
            """
            do $$
            declare
              line record;
            begin
              for line in
                select 'commissions_ledger_r' || id as name from commissions_commissionrun
                where to_regclass('commissions_ledger_r' || id) is not null
              loop
                execute format('drop index if exists %s_earner, %s_id', line.name, line.name);
              end loop;
            end $$;
            """,
        ),
        migrations.RunSQL(
            """
            alter table commissions_carriedstate
              alter column members set storage external, alter column figures set storage external
            """,
            """
            alter table commissions_carriedstate
              alter column members set storage extended, alter column figures set storage extended
            """,
        ),
    ]
