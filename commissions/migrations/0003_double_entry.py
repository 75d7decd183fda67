from django.db import migrations

from mlmcrm.triggers import append_only


class Migration(migrations.Migration):
    """Balanced at commit, in one transaction, wallets never below zero: all in the database."""

    dependencies = [("commissions", "0002_ledger_tables")]

    operations = [
        migrations.RunSQL(
            """
            alter table commissions_journalentry
              add column created_xid xid8 not null default pg_current_xact_id();

            create function commissions_journal_xid() returns trigger language plpgsql as $$
            begin
              new.created_xid := pg_current_xact_id();
              return new;
            end $$;
            create trigger commissions_journalentry_xid before insert on commissions_journalentry
              for each row execute function commissions_journal_xid();

            create function commissions_journal_balanced() returns trigger language plpgsql as $$
            begin
              if exists (
                   select 1 from commissions_posting p
                   join commissions_ledgeraccount a on a.id = p.account_id
                   where p.entry_id = new.id group by a.currency having sum(p.amount) <> 0)
                 or (select count(*) from (select 1 from commissions_posting
                      where entry_id = new.id limit 2) legs) < 2
              then
                raise exception 'journal entry % does not add up to zero', new.key
                  using errcode = '23514';
              end if;
              return null;
            end $$;
            create constraint trigger commissions_journalentry_balanced
              after insert on commissions_journalentry deferrable initially deferred
              for each row execute function commissions_journal_balanced();

            create function commissions_posting_same_transaction() returns trigger
            language plpgsql as $$
            begin
              if exists (select 1 from newrows n
                         join commissions_journalentry e on e.id = n.entry_id
                         where e.created_xid <> pg_current_xact_id())
              then
                raise exception 'a posting cannot join an older journal entry'
                  using errcode = '23001';
              end if;
              return null;
            end $$;
            create trigger commissions_posting_a_same_transaction
              after insert on commissions_posting referencing new table as newrows
              for each statement execute function commissions_posting_same_transaction();

            create function commissions_posting_balances() returns trigger
            language plpgsql as $$
            begin
              perform 1 from commissions_ledgeraccount
                where kind in ('wallet', 'receivable')
                  and id in (select account_id from newrows)
                order by id for no key update;
              update commissions_ledgeraccount a set balance = a.balance + s.delta
              from (select account_id, sum(amount) as delta from newrows group by account_id) s
              where a.id = s.account_id and a.kind in ('wallet', 'receivable');
              return null;
            end $$;
            create trigger commissions_posting_b_balances
              after insert on commissions_posting referencing new table as newrows
              for each statement execute function commissions_posting_balances();
            """,
            """
            drop trigger commissions_posting_b_balances on commissions_posting;
            drop function commissions_posting_balances();
            drop trigger commissions_posting_a_same_transaction on commissions_posting;
            drop function commissions_posting_same_transaction();
            drop trigger commissions_journalentry_balanced on commissions_journalentry;
            drop function commissions_journal_balanced();
            drop trigger commissions_journalentry_xid on commissions_journalentry;
            drop function commissions_journal_xid();
            alter table commissions_journalentry drop column created_xid;
            """,
        ),
        append_only("commissions_journalentry"),
        append_only("commissions_posting"),
    ]
