from django.db import migrations

from commissions.models.reward import REWARD_EDGES
from mlmcrm.triggers import frozen_when, status_edges

GIVEN = [
    "period_id",
    "run_id",
    "place",
    "bonus_id",
    "distributor_id",
    "rank_level",
    "name",
    "count",
    "unit_value",
    "base",
    "lines",
    "rate",
]


class Migration(migrations.Migration):
    """What a run gave stays as it is, and moves along its edges only once the period is final."""

    dependencies = [("commissions", "0021_rewards")]

    operations = [
        status_edges("commissions_reward", REWARD_EDGES),
        frozen_when("commissions_reward", "true", GIVEN, "what_was_given"),
        frozen_when(
            "commissions_reward",
            "old.settled_at is not null",
            [
                "claimed_at",
                "asked_status",
                "asked_by_id",
                "asked_at",
                "reason",
                "settled_by_id",
                "settled_at",
            ],
            "what_was_settled",
        ),
        migrations.RunSQL(
            """
            create function commissions_reward_guard() returns trigger language plpgsql as $$
            begin
              if tg_op = 'INSERT' and exists (
                select from (select distinct run_id, period_id, status from changed) given
                left join commissions_commissionrun run
                  on run.id = given.run_id and run.period_id = given.period_id
                where (run.status = 'started' and run.kind = 'close'
                  and given.status = 'granted') is not true
              ) then
                raise exception 'what a run gives is written by it, once' using errcode = '23001';
              end if;
              if tg_op = 'DELETE' and exists (
                select from (select distinct run_id from changed) given
                join commissions_commissionrun run
                  on run.id = given.run_id and run.status = 'done'
              ) then
                raise exception 'what a run gave is final' using errcode = '23001';
              end if;
              return null;
            end $$;
            create trigger commissions_reward_written_once
              after insert on commissions_reward referencing new table as changed
              for each statement execute function commissions_reward_guard();
            create trigger commissions_reward_final
              after delete on commissions_reward referencing old table as changed
              for each statement execute function commissions_reward_guard();
            create trigger commissions_reward_no_truncate
              before truncate on commissions_reward
              for each statement execute function mlmcrm_refuse('what a run gave is final');

            create function commissions_reward_of_final() returns trigger language plpgsql as $$
            begin
              if not exists (
                select from commissions_commissionperiod p
                where p.id = new.period_id and p.status = 'finalized'
              ) then
                raise exception 'a reward moves once its period is final' using errcode = '23001';
              end if;
              return null;
            end $$;
            create trigger commissions_reward_of_final after update on commissions_reward
              for each row execute function commissions_reward_of_final();
            """,
            """
            drop trigger commissions_reward_of_final on commissions_reward;
            drop function commissions_reward_of_final();
            drop trigger commissions_reward_no_truncate on commissions_reward;
            drop trigger commissions_reward_final on commissions_reward;
            drop trigger commissions_reward_written_once on commissions_reward;
            drop function commissions_reward_guard();
            """,
        ),
    ]
