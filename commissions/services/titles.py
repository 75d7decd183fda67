"""What a final period changes on the distributors: ranks, and the figures kept beside them."""

from typing import Any

from django.db import connection

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
    next_rank_target_id = r.next_id, personal_pv = r.pv, group_pv = r.gv,
    total_commission_earned = d.total_commission_earned + r.earned,
    qualification_date = case when r.rises then %(day)s else d.qualification_date end
from pg_temp.reached r
where d.id = r.distributor_id
  and (r.earned <> 0 or (d.rank_id, d.paid_as_rank_id, d.highest_rank_id, d.next_rank_target_id,
                         d.personal_pv, d.group_pv)
      is distinct from (r.title_id, r.paid_id, r.highest_id, r.next_id, r.pv, r.gv))
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


def changes(run: CommissionRun, period: CommissionPeriod) -> dict[str, list[tuple[int, str]]]:
    """Who of those who can sign in is paid as another rank than in the period before.

    Event name to pairs of user and rank name. Distributors without any rank now are told of none.
    """
    before = CommissionRun.objects.filter(
        kind=CommissionRun.Kind.CLOSE,
        status=CommissionRun.Status.DONE,
        period__starts_on__lt=period.starts_on,
        period__status=CommissionPeriod.Status.FINALIZED,
    ).order_by("-period__starts_on")
    earlier = before.values_list("pk", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {"run": run.pk, "earlier": earlier})
        rows = cursor.fetchall()
    return {
        "level.promoted": [(user, name) for user, name, rose in rows if rose],
        "level.demoted": [(user, name) for user, name, rose in rows if not rose],
    }


_CHANGES = """
select d.user_id, coalesce(r.name, 'none'), s.rank_level > coalesce(e.rank_level, 0)
from commissions_standing s
join genealogy_distributor d on d.id = s.distributor_id and d.user_id is not null
left join commissions_standing e on e.distributor_id = s.distributor_id and e.run_id = %(earlier)s
left join genealogy_rank r on r.level = s.rank_level
where s.run_id = %(run)s and s.rank_level <> coalesce(e.rank_level, 0)
order by d.user_id
"""
