from django.db import migrations


class Migration(migrations.Migration):
    """The rank changes of the periods that were final before they were recorded."""

    dependencies = [("commissions", "0017_rank_changes")]

    operations = [
        migrations.RunSQL(
            """
            with final as (
              select r.id as run_id, p.id as period_id, p.plan_version_id,
                     lag(r.id) over (order by p.starts_on) as earlier
              from commissions_commissionrun r
              join commissions_commissionperiod p on p.id = r.period_id
              where r.kind = 'close' and r.status = 'done' and p.status = 'finalized'
            )
            insert into commissions_rankchange (period_id, distributor_id, version_id, level_from,
                level_to, is_highest, pv, cv, gv, legs, active)
            select f.period_id, s.distributor_id, f.plan_version_id, coalesce(e.rank_level, 0),
                   s.rank_level,
                   s.rank_level > greatest(coalesce(e.highest_level, 0), coalesce(e.rank_level, 0)),
                   s.pv, s.cv, s.gv, s.legs, s.active
            from final f
            join commissions_standing s on s.run_id = f.run_id
            left join commissions_standing e
              on e.run_id = f.earlier and e.distributor_id = s.distributor_id
            where s.rank_level <> coalesce(e.rank_level, 0)
            order by f.run_id, s.distributor_id
            """,
            migrations.RunSQL.noop,
        )
    ]
