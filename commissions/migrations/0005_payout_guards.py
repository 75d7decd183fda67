from django.db import migrations, models

from mlmcrm.triggers import frozen_when


class Migration(migrations.Migration):
    """Nobody approves his own money, and what was submitted stays what it was: in the database."""

    dependencies = [("commissions", "0004_states")]

    operations = [
        migrations.AddIndex(
            "payoutmethod",
            models.Index(fields=["details_index"], name="commissions_payoutmethod_index"),
        ),
        migrations.RunSQL(
            """
            create function commissions_payout_guard() returns trigger language plpgsql as $$
            declare
              beneficiary bigint;
              old_batch text;
              new_status text;
              new_currency text;
            begin
              select user_id into beneficiary from genealogy_distributor
                where id = new.distributor_id;
              if new.approved_by_id is not null and new.approved_by_id = beneficiary then
                raise exception 'payout %: the beneficiary cannot approve it', new.number
                  using errcode = '23514';
              end if;
              if new.batch_id is not null then
                select status, currency into new_status, new_currency from commissions_payoutbatch
                  where id = new.batch_id;
                if new.status in ('requested', 'cancelled') or new.currency <> new_currency then
                  raise exception 'payout % does not belong into this batch', new.number
                    using errcode = '23514';
                end if;
                if new.status = 'processing' and new_status <> 'exported' then
                  raise exception 'payout %: its batch is not exported', new.number
                    using errcode = '23514';
                end if;
              end if;
              if tg_op = 'UPDATE' and new.batch_id is distinct from old.batch_id then
                select status into old_batch from commissions_payoutbatch where id = old.batch_id;
                if old_batch not in ('draft', 'void')
                  or (new.batch_id is not null and new_status <> 'draft') then
                  raise exception 'payout %: the batch is locked', new.number
                    using errcode = '23001';
                end if;
              end if;
              return new;
            end $$;
            create trigger commissions_payout_guard before insert or update on commissions_payout
              for each row execute function commissions_payout_guard();

            create function commissions_payoutbatch_guard() returns trigger language plpgsql as $$
            begin
              if new.approved_by_id is not null and exists (
                select 1 from commissions_payout p
                join genealogy_distributor d on d.id = p.distributor_id
                where p.batch_id = new.id and d.user_id = new.approved_by_id)
              then
                raise exception 'batch %: a beneficiary cannot approve it', new.number
                  using errcode = '23514';
              end if;
              return new;
            end $$;
            create trigger commissions_payoutbatch_guard
              before insert or update on commissions_payoutbatch
              for each row execute function commissions_payoutbatch_guard();
            """,
            """
            drop trigger commissions_payoutbatch_guard on commissions_payoutbatch;
            drop function commissions_payoutbatch_guard();
            drop trigger commissions_payout_guard on commissions_payout;
            drop function commissions_payout_guard();
            """,
        ),
        frozen_when(
            "commissions_payout",
            "old.status <> 'requested'",
            ["approval_hash", "approved_by_id", "approved_at"],
            "payout_approval",
        ),
        frozen_when(
            "commissions_payoutbatch",
            "old.status not in ('draft', 'submitted')",
            ["approved_by_id", "approved_at"],
            "batch_approval",
        ),
    ]
