import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Length, Mod
from django.db.models.lookups import Exact


class Migration(migrations.Migration):
    """What a run carries on: written while it runs, thrown away with it, else never changed."""

    dependencies = [("commissions", "0009_titles")]

    operations = [
        migrations.CreateModel(
            name="CarriedState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=100)),
                ("members", models.BinaryField()),
                ("figures", models.BinaryField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="state",
                        to="commissions.commissionrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "key"), name="commissions_carriedstate_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(Exact(Length("members"), Length("figures")))
                        & models.Q(Exact(Mod(Length("members"), models.Value(8)), models.Value(0))),
                        name="commissions_carriedstate_as_many",
                        violation_error_message="A figure a member, each of eight bytes.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            create function commissions_carriedstate_guard() returns trigger language plpgsql as $$
            declare
              state text;
            begin
              if tg_op in ('UPDATE', 'TRUNCATE') then
                raise exception 'carried state is final' using errcode = '23001';
              end if;
              select status into state from commissions_commissionrun
                where id = case tg_op when 'INSERT' then new.run_id else old.run_id end;
              if tg_op = 'INSERT' and state <> 'started' then
                raise exception 'carried state is written while its run is under way'
                  using errcode = '23001';
              end if;
              if tg_op = 'DELETE' and state = 'done' then
                raise exception 'carried state is final' using errcode = '23001';
              end if;
              return case tg_op when 'DELETE' then old else new end;
            end $$;
            create trigger commissions_carriedstate_guard
              before insert or update or delete on commissions_carriedstate
              for each row execute function commissions_carriedstate_guard();
            create trigger commissions_carriedstate_no_truncate
              before truncate on commissions_carriedstate
              for each statement execute function commissions_carriedstate_guard();
            """,
            """
            drop trigger commissions_carriedstate_no_truncate on commissions_carriedstate;
            drop trigger commissions_carriedstate_guard on commissions_carriedstate;
            drop function commissions_carriedstate_guard();
            """,
        ),
    ]
