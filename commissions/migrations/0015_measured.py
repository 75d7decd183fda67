import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Length
from django.db.models.lookups import Exact


class Migration(migrations.Migration):
    """What a run measured beside the standings: written by it, thrown away with it, else final."""

    dependencies = [("commissions", "0014_estimate_news")]

    operations = [
        migrations.CreateModel(
            name="MeasuredPart",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id",
                        "name",
                        "part",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="commissions.commissionrun",
                    ),
                ),
                ("name", models.TextField()),
                ("part", models.BigIntegerField()),
                ("figures", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            Exact(Length("figures"), 512)
                            | Exact(Length("figures"), 1024)
                            | Exact(Length("figures"), 2048)
                            | Exact(Length("figures"), 4096)
                        ),
                        name="commissions_measuredpart_whole",
                        violation_error_message=(
                            "A figure an id, each of one, two, four or eight bytes."
                        ),
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="commissionrun",
            name="measured",
            field=models.CharField(
                choices=[("not_yet", "Not yet"), ("kept", "Kept"), ("lost", "Lost")],
                default="not_yet",
                max_length=7,
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionrun",
            constraint=models.CheckConstraint(
                condition=models.Q(measured__in=["not_yet", "kept", "lost"]),
                name="commissions_run_measured_known",
            ),
        ),
        migrations.RunSQL(
            """
            alter table commissions_measuredpart alter column figures set storage external;

            create function commissions_measuredpart_guard() returns trigger language plpgsql as $$
            begin
              if tg_op = 'INSERT' and exists (
                select from (select distinct run_id from changed) of
                left join commissions_commissionrun run on run.id = of.run_id
                where run.status = 'started' is not true
                  and (run.status = 'done' and run.measured = 'not_yet') is not true
              ) then
                raise exception 'what a run measured is written once' using errcode = '23001';
              end if;
              if tg_op = 'DELETE' and exists (
                select from (select distinct run_id from changed) of
                join commissions_commissionrun run on run.id = of.run_id and run.status = 'done'
              ) then
                raise exception 'what a run measured is final' using errcode = '23001';
              end if;
              return null;
            end $$;
            create trigger commissions_measuredpart_written_once
              after insert on commissions_measuredpart referencing new table as changed
              for each statement execute function commissions_measuredpart_guard();
            create trigger commissions_measuredpart_final
              after delete on commissions_measuredpart referencing old table as changed
              for each statement execute function commissions_measuredpart_guard();
            create trigger commissions_measuredpart_no_update
              before update or truncate on commissions_measuredpart
              for each statement execute function mlmcrm_refuse('what a run measured is final');
            """,
            """
            drop trigger commissions_measuredpart_no_update on commissions_measuredpart;
            drop trigger commissions_measuredpart_final on commissions_measuredpart;
            drop trigger commissions_measuredpart_written_once on commissions_measuredpart;
            drop function commissions_measuredpart_guard();
            """,
        ),
    ]
