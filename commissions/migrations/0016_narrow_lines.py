from django.db import migrations

NARROW = ("period_id", "bonus_id", "rate")
IN_RUN = "commissions_ledgerentry_id_in_run"


def for_each_run(*statements: str, when: str = "true") -> str:
    """The statements for each run that has a ledger table: `name`, its number `run`, and whether
    the table is `attached`, a part of all ledger entries, and `leaf`, not made of two shares."""
    done = " ".join(
        f"execute format('{statement}', line.name, line.run << 32, line.run + 1 << 32);"
        for statement in statements
    )
    return f"""
        do $$
        declare
          line record;
        begin
          for line in
            select t.name, t.run, c.relispartition as attached, c.relkind = 'r' as leaf
            from (select id as run, 'commissions_ledger_r' || id as name
                  from commissions_commissionrun) t
            join pg_class c on c.oid = to_regclass(t.name)
          loop
            if {when} then {done} end if;
          end loop;
        end $$;
    """


def retyped(table: str, kind: str) -> str:
    changes = ", ".join(f"alter {column} type {kind}" for column in NARROW)
    return f"alter table {table} {changes}"


def without_rule(table: str) -> str:
    return f"alter table {table} drop constraint {IN_RUN}"


def with_rule(table: str) -> str:
    return f"alter table {table} add constraint {IN_RUN} check (id >> 32 = run_id)"


NUMBERED = (
    "alter table %1$s drop constraint if exists %1$s_numbers, "
    "add constraint %1$s_numbers check (id > %2$s and id < %3$s)"
)
UNNUMBERED = "alter table %1$s drop constraint if exists %1$s_numbers"


class Migration(migrations.Migration):
    """Lines take less room and one rule less: each run's table knows the numbers of its lines.

    Rates are millionths in 32 bits everywhere in the engine, periods and bonuses are few.
    """

    dependencies = [("commissions", "0015_measured")]

    operations = [
        migrations.RunSQL(
            for_each_run(NUMBERED, when="line.leaf"),
            for_each_run(UNNUMBERED, when="line.leaf and line.attached"),
        ),
        migrations.RunSQL(
            without_rule("commissions_ledgerentry")
            + ";"
            + for_each_run(without_rule("%1$s"), when="not line.attached"),
            with_rule("commissions_ledgerentry")
            + ";"
            + for_each_run(with_rule("%1$s"), when="not line.attached"),
        ),
        migrations.RunSQL(
            retyped("commissions_ledgerentry", "int")
            + ";"
            + for_each_run(retyped("%1$s", "int"), when="not line.attached"),
            retyped("commissions_ledgerentry", "bigint")
            + ";"
            + for_each_run(retyped("%1$s", "bigint"), when="not line.attached"),
        ),
    ]
