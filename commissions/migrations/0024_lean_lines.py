from django.db import migrations

from mlmcrm.triggers import append_only

LEDGER, STANDING = "commissions_ledgerentry", "commissions_standing"
RULE = f"""
  constraint {LEDGER}_negative_undoes_or_cuts check (amount > 0 or (amount < 0 and (
    reverses_id is not null or (source_distributor_id is null and volume_entry_id is null
    and level = 0 and rate = 1000000))))
"""
BY_EARNER = f"""
  create index {LEDGER}_lines on {LEDGER} using brin (distributor_id, id)
    with (pages_per_range = 16, autosummarize = on);
"""
BY_OWNER = f"create unique index {STANDING}_owner on {STANDING} (run_id, distributor_id);"

LEAN_LEDGER = f"""
  create table {LEDGER} (
    id bigint not null,
    volume_entry_id bigint,
    base bigint not null,
    amount bigint not null,
    run_id int not null,
    bonus_id int not null,
    distributor_id int not null,
    source_distributor_id int,
    rate int not null,
    level smallint not null,
    rank_level smallint not null,
    reverses_id bigint,
    {RULE}
  ) partition by list (run_id);
  {BY_EARNER}
"""
WIDE_LEDGER = f"""
  create table {LEDGER} (
    id bigint not null,
    run_id bigint not null,
    period_id int not null,
    bonus_id int not null,
    distributor_id bigint not null,
    source_distributor_id bigint,
    volume_entry_id bigint,
    level smallint not null,
    rank_level smallint not null,
    base bigint not null,
    rate int not null,
    amount bigint not null,
    reverses_id bigint,
    {RULE}
  ) partition by list (run_id);
  {BY_EARNER}
"""
LEAN_STANDING = f"""
  create table {STANDING} (
    run_id int not null,
    distributor_id int not null,
    sponsor_id int,
    legs int not null,
    pv bigint not null,
    cv bigint not null,
    gv bigint not null,
    rank_level smallint not null,
    highest_level smallint not null,
    title_level smallint not null,
    active boolean not null
  ) partition by list (run_id);
  {BY_OWNER}
"""
WIDE_STANDING = f"""
  create table {STANDING} (
    run_id bigint not null,
    distributor_id bigint not null,
    sponsor_id bigint,
    pv bigint not null,
    cv bigint not null,
    gv bigint not null,
    legs int not null,
    active boolean not null,
    rank_level smallint not null,
    highest_level smallint not null,
    title_level smallint not null
  ) partition by list (run_id);
  {BY_OWNER}
"""


def remade(parent: str, made: str, tables: str, change: str) -> str:
    """SQL that makes `parent` anew as `made` says, each run's table (`tables` and its number)
    being changed and left a part of it or apart as it was. `%2$s` in a change: the period."""
    return f"""
        do $$
        declare
          line record;
          parts text[];
        begin
          for line in
            select '{tables}' || r.id as name, r.period_id, c.relispartition as is_part
            from commissions_commissionrun r join pg_class c on c.oid = to_regclass('{tables}' || r.id)
          loop
            if line.is_part then
              execute format('alter table {parent} detach partition %I', line.name);
              parts := parts || line.name;
            end if;
            execute format('alter table %1$I {change}', line.name, line.period_id);
          end loop;
          drop table {parent};
          {made}
          for line in
            select '{tables}' || r.id as name, r.id as run from commissions_commissionrun r
            where '{tables}' || r.id = any(parts)
          loop
            execute format('alter table {parent} attach partition %I for values in (%s)',
                           line.name, line.run);
          end loop;
        end $$;
    """


def retyped(kind: str, *columns: str) -> str:
    return ", ".join(f"alter {column} type {kind}" for column in columns)


def remake(
    parent: str, tables: str, lean: tuple[str, str], wide: tuple[str, str]
) -> list[migrations.RunSQL]:
    """One way and back: how the parent is made, and what changes in each run's table. That rows are
    append-only holds for the new parent as for the old one."""
    rules = append_only(parent)
    return [
        migrations.RunSQL(rules.reverse_sql, rules.sql),
        migrations.RunSQL(
            remade(parent, tables=tables, made=lean[0], change=lean[1]),
            remade(parent, tables=tables, made=wide[0], change=wide[1]),
        ),
        rules,
    ]


PEOPLE = ("run_id", "distributor_id", "source_distributor_id")
STANDERS = ("run_id", "distributor_id", "sponsor_id")


class Migration(migrations.Migration):
    """Lines and standings take a fifth less room: numbers of runs and of people have 32 bits, wide
    columns come first, and a line's period is that of its run."""

    dependencies = [
        ("commissions", "0023_moves_by_sponsor"),
        ("genealogy", "0033_ids_of_32_bits"),
    ]

    operations = [
        *remake(
            LEDGER,
            "commissions_ledger_r",
            (LEAN_LEDGER, f"drop column period_id, {retyped('int', *PEOPLE)}"),
            (
                WIDE_LEDGER,
                "add column period_id int not null default %2$s, " + retyped("bigint", *PEOPLE),
            ),
        ),
        *remake(
            STANDING,
            "commissions_standing_r",
            (LEAN_STANDING, retyped("int", *STANDERS)),
            (WIDE_STANDING, retyped("bigint", *STANDERS)),
        ),
    ]
