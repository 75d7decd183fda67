"""What a final period changes on the distributors: ranks, and the figures kept beside them.

titles.award(run, period)             # title, paid-as, highest, next target, user level
titles.record_changes(run, period)    # a RankChange for whoever is paid as another rank
titles.tell_changes(period)           # level.promoted, level.demoted
"""

from typing import Any

from django.db import connection

from accounts.event_rows import publish_rows
from commissions.known import seen
from commissions.models import CommissionPeriod, CommissionRun
from commissions.services.carried import moved_levels
from commissions.services.plan_reading import loaded
from commissions.services.ranks import LADDER, ranks_behind
from genealogy.models import Distributor


def award(run: CommissionRun, period: CommissionPeriod) -> None:
    """Write ranks, volumes and earnings of a final run onto the distributors, in one pass.

    The title rises to the paid-as rank and never falls, nor does the highest; the day on which the
    title rose is the period's last one. The next target is the plan's rank above the one paid as.
    Each change of rank gets a history row. Needs the temporary table `owed` of the posting. Holds
    whom it changes in the order of ids, as everybody does.
    """
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists pg_temp.reached")
        cursor.execute(_REACHED, {"run": run.pk, **ranks_behind(run)})
        params: dict[str, Any] = {"day": period.ends_on, "reason": f"Ranks of {period.name}"}
        cursor.execute(_history_of_change(), params)
        cursor.execute(_HOLD)
        cursor.execute(_AWARD, params)


_REACHED = f"""
create temporary table reached on commit drop as
with ladder as ({LADDER})
select s.distributor_id, s.pv, s.gv, coalesce(o.amount, 0) as earned,
       least(s.rank_level, 4) as user_level,
       paid.id as paid_id,
       case when coalesce(highest.level, 0) > coalesce(before.level, 0) then highest.id
            else d.highest_rank_id end as highest_id,
       case when coalesce(paid.level, 0) > coalesce(title.level, 0) then paid.id
            else d.rank_id end as title_id,
       coalesce(paid.level, 0) > coalesce(title.level, 0) as rises,
       next.id as next_id
from commissions_standing s
join genealogy_distributor d on d.id = s.distributor_id
left join pg_temp.owed o on o.distributor_id = s.distributor_id
left join ladder paid on paid.place = s.rank_level
left join ladder highest on highest.place = s.highest_level
left join ladder next on next.place = s.rank_level + 1
left join genealogy_rank title on title.id = d.rank_id
left join genealogy_rank before on before.id = d.highest_rank_id
where s.run_id = %(run)s
"""
_CHANGED_BY_AWARD = """
d.id = r.distributor_id
  and (r.earned <> 0 or (d.rank_id, d.paid_as_rank_id, d.highest_rank_id, d.next_rank_target_id,
                         d.level, d.personal_pv, d.group_pv)
      is distinct from (r.title_id, r.paid_id, r.highest_id, r.next_id, r.user_level, r.pv, r.gv))
"""
_HOLD = f"""
select count(*) from (
  select 1 from genealogy_distributor d join pg_temp.reached r on {_CHANGED_BY_AWARD}
  order by d.id for no key update of d) locked
"""
_AWARD = f"""
update genealogy_distributor d
set rank_id = r.title_id, paid_as_rank_id = r.paid_id, highest_rank_id = r.highest_id,
    next_rank_target_id = r.next_id, level = r.user_level, personal_pv = r.pv, group_pv = r.gv,
    total_commission_earned = d.total_commission_earned + r.earned,
    qualification_date = case when r.rises then %(day)s else d.qualification_date end
from pg_temp.reached r where {_CHANGED_BY_AWARD}
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
    """Write down who is paid as another rank than in the final period before, in one statement.

    Both are levels of the ladder of this period's plan: a rank of another ladder is found in it by
    its code, as it is carried on. By a plan without ranks nobody changes into another.
    """
    before = CommissionRun.objects.filter(
        kind=CommissionRun.Kind.CLOSE,
        status=CommissionRun.Status.DONE,
        period__starts_on__lt=period.starts_on,
        period__status=CommissionPeriod.Status.FINALIZED,
    ).order_by("-period__starts_on")
    earlier = before.select_related("period__plan_version").first()
    ladder = seen(loaded(period.frozen_plan))
    last = seen(loaded(earlier.period.frozen_plan)) if earlier else ladder
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            {
                "run": run.pk,
                "earlier": earlier.pk if earlier else None,
                "moved": moved_levels(last, ladder).tolist(),
                "period": period.pk,
                "version": period.frozen_plan.pk,
            },
        )


_RECORD = """
insert into commissions_rankchange (period_id, distributor_id, version_id, level_from, level_to,
    is_highest, pv, cv, gv, legs, active)
select %(period)s, s.distributor_id, %(version)s, was.paid_as, s.rank_level,
       s.rank_level > greatest(was.highest, was.paid_as), s.pv, s.cv, s.gv, s.legs, s.active
from commissions_standing s
left join commissions_standing e on e.run_id = %(earlier)s and e.distributor_id = s.distributor_id
cross join lateral (
  select coalesce((%(moved)s::int[])[e.rank_level + 1], 0) as paid_as,
         coalesce((%(moved)s::int[])[e.highest_level + 1], 0) as highest
) was
where s.run_id = %(run)s and s.rank_level <> was.paid_as
order by s.distributor_id
"""


def tell_changes(period: CommissionPeriod) -> None:
    """level.promoted and level.demoted to those of them who can sign in."""
    names = [rank.name for rank in seen(loaded(period.frozen_plan)).ranks]
    for name, sign in (("level.promoted", ">"), ("level.demoted", "<")):
        params = {"period": period.pk, "ref": period.code, "period_name": period.name}
        publish_rows(name, _CHANGED.format(sign=sign), params | {"names": names})


_CHANGED = """
select d.user_id, %(ref)s as ref,
       jsonb_build_object('rank', coalesce((%(names)s::text[])[c.level_to], 'none'),
                          'period', %(period_name)s::text) as facts
from commissions_rankchange c
join genealogy_distributor d on d.id = c.distributor_id and d.user_id is not null
where c.period_id = %(period)s and c.level_to {sign} c.level_from
"""
