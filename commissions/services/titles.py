"""What a final period changes on the distributors: ranks, and the figures kept beside them.

titles.award(run, period)             # title, paid-as, highest, next target, user level
titles.record_changes(run, period)    # a RankChange for whoever is paid as another rank
titles.tell_changes(period)           # level.promoted, level.demoted
"""

from typing import Any

from django.db import connection

from accounts.event_rows import publish_rows
from commissions.models import CommissionPeriod, CommissionRun
from genealogy.models import Distributor


def award(run: CommissionRun, period: CommissionPeriod) -> None:
    """Write ranks, volumes and earnings of a final run onto the distributors, in one pass.

    The title rises to the paid-as rank and never falls; the day on which it rose is the period's
    last one. The next target is the rank above the one paid as. Each change of rank gets a history
    row. Needs the temporary table `owed` of the posting.
    """
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists pg_temp.reached")
        cursor.execute(_REACHED, {"run": run.pk})
        params: dict[str, Any] = {"day": period.ends_on, "reason": f"Ranks of {period.name}"}
        cursor.execute(_history_of_change(), params)
        cursor.execute(_AWARD, params)


_REACHED = """
create temporary table reached on commit drop as
select s.distributor_id, s.pv, s.gv, coalesce(o.amount, 0) as earned,
       least(coalesce(paid.level, 0), 4) as user_level,
       paid.id as paid_id, highest.id as highest_id,
       case when coalesce(paid.level, 0) > coalesce(title.level, 0) then paid.id
            else d.rank_id end as title_id,
       coalesce(paid.level, 0) > coalesce(title.level, 0) as rises,
       (select n.id from genealogy_rank n where n.is_active
          and n.level > coalesce(paid.level, 0) order by n.level limit 1) as next_id
from commissions_standing s
join genealogy_distributor d on d.id = s.distributor_id
left join pg_temp.owed o on o.distributor_id = s.distributor_id
left join genealogy_rank paid on paid.level = s.rank_level
left join genealogy_rank highest on highest.level = s.highest_level
left join genealogy_rank title on title.id = d.rank_id
where s.run_id = %(run)s
"""
_AWARD = """
update genealogy_distributor d
set rank_id = r.title_id, paid_as_rank_id = r.paid_id, highest_rank_id = r.highest_id,
    next_rank_target_id = r.next_id, level = r.user_level, personal_pv = r.pv, group_pv = r.gv,
    total_commission_earned = d.total_commission_earned + r.earned,
    qualification_date = case when r.rises then %(day)s else d.qualification_date end
from pg_temp.reached r
where d.id = r.distributor_id
  and (r.earned <> 0 or (d.rank_id, d.paid_as_rank_id, d.highest_rank_id, d.next_rank_target_id,
                         d.level, d.personal_pv, d.group_pv)
      is distinct from (r.title_id, r.paid_id, r.highest_id, r.next_id, r.user_level, r.pv, r.gv))
"""
NEW_VALUES = {
    "rank_id": "r.title_id",
    "paid_as_rank_id": "r.paid_id",
    "highest_rank_id": "r.highest_id",
    "next_rank_target_id": "r.next_id",
}
NEW_DAY = {"qualification_date": "case when r.rises then %(day)s else d.qualification_date end"}


def _history_of_change() -> str:
    """Set-based history rows for whoever changes in rank, with the ranks as they will be."""
    history = Distributor.history.model
    columns = [
        field.column
        for field in history._meta.concrete_fields
        if not field.name.startswith("history_")
    ]
    names = ", ".join(columns)
    values = ", ".join((NEW_VALUES | NEW_DAY).get(column, f"d.{column}") for column in columns)
    old = ", ".join(f"d.{column}" for column in NEW_VALUES)
    return (
        f"insert into {history._meta.db_table} "
        f"({names}, history_date, history_change_reason, history_type, history_user_id) "
        f"select {values}, clock_timestamp(), %(reason)s, '~', null "
        "from pg_temp.reached r join genealogy_distributor d on d.id = r.distributor_id "
        f"where ({old}) is distinct from ({', '.join(NEW_VALUES.values())})"
    )


def record_changes(run: CommissionRun, period: CommissionPeriod) -> None:
    """Write down who is paid as another rank than in the final period before, in one statement."""
    before = CommissionRun.objects.filter(
        kind=CommissionRun.Kind.CLOSE,
        status=CommissionRun.Status.DONE,
        period__starts_on__lt=period.starts_on,
        period__status=CommissionPeriod.Status.FINALIZED,
    ).order_by("-period__starts_on")
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            {
                "run": run.pk,
                "earlier": before.values_list("pk", flat=True).first(),
                "period": period.pk,
                "version": period.frozen_plan.pk,
            },
        )


_RECORD = """
insert into commissions_rankchange (period_id, distributor_id, version_id, level_from, level_to,
    is_highest, pv, cv, gv, legs, active)
select %(period)s, s.distributor_id, %(version)s, coalesce(e.rank_level, 0), s.rank_level,
       s.rank_level > greatest(coalesce(e.highest_level, 0), coalesce(e.rank_level, 0)),
       s.pv, s.cv, s.gv, s.legs, s.active
from commissions_standing s
left join commissions_standing e on e.run_id = %(earlier)s and e.distributor_id = s.distributor_id
where s.run_id = %(run)s and s.rank_level <> coalesce(e.rank_level, 0)
order by s.distributor_id
"""


def tell_changes(period: CommissionPeriod) -> None:
    """level.promoted and level.demoted to those of them who can sign in."""
    for name, sign in (("level.promoted", ">"), ("level.demoted", "<")):
        params = {"period": period.pk, "ref": period.code, "period_name": period.name}
        publish_rows(name, _CHANGED.format(sign=sign), params)


_CHANGED = """
select d.user_id, %(ref)s as ref,
       jsonb_build_object('rank', coalesce(r.name, 'none'),
                          'period', %(period_name)s::text) as facts
from commissions_rankchange c
join genealogy_distributor d on d.id = c.distributor_id and d.user_id is not null
left join genealogy_rank r on r.level = c.level_to
where c.period_id = %(period)s and c.level_to {sign} c.level_from
"""
