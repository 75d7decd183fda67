"""Ranks on the distributor: the title, which stays, the paid-as rank, the highest ever."""

from django.db import connection

from commissions.models import CommissionPeriod, CommissionRun
from genealogy.models import Distributor


def award(run: CommissionRun, period: CommissionPeriod) -> None:
    """Write the ranks of a final run onto the distributors, with a history row for each change.

    The title rises to the paid-as rank and never falls; the day on which it rose is the period's
    last one. The next target is the rank above the one paid as.
    """
    with connection.cursor() as cursor:
        cursor.execute(_AWARD, {"run": run.pk, "day": period.ends_on})
        changed = [row[0] for row in cursor.fetchall()]
        if changed:
            cursor.execute(_history_sql(), {"ids": changed, "reason": f"Ranks of {period.name}"})


_AWARD = """
with reached as (
  select s.distributor_id, paid.id as paid_id, highest.id as highest_id,
         case when paid.level > coalesce(title.level, 0) then paid.id else d.rank_id end
           as title_id,
         coalesce(paid.level, 0) > coalesce(title.level, 0) as rises,
         (select n.id from genealogy_rank n where n.is_active
            and n.level > coalesce(paid.level, 0) order by n.level limit 1) as next_id
  from commissions_standing s
  join genealogy_distributor d on d.id = s.distributor_id
  left join genealogy_rank paid on paid.level = s.rank_level
  left join genealogy_rank highest on highest.level = s.highest_level
  left join genealogy_rank title on title.id = d.rank_id
  where s.run_id = %(run)s
)
update genealogy_distributor d
set rank_id = r.title_id, paid_as_rank_id = r.paid_id, highest_rank_id = r.highest_id,
    next_rank_target_id = r.next_id,
    qualification_date = case when r.rises then %(day)s else d.qualification_date end
from reached r
where d.id = r.distributor_id
  and (d.rank_id, d.paid_as_rank_id, d.highest_rank_id, d.next_rank_target_id)
      is distinct from (r.title_id, r.paid_id, r.highest_id, r.next_id)
returning d.id
"""


def _history_sql() -> str:
    """Set-based history rows of the tracked columns as they are now."""
    history = Distributor.history.model
    ours = {"history_id", "history_date", "history_change_reason", "history_type", "history_user"}
    columns = [
        field.column
        for field in history._meta.concrete_fields
        if field.name not in ours and not field.name.startswith("history_")
    ]
    names = ", ".join(columns)
    values = ", ".join(f"d.{column}" for column in columns)
    return (
        f"insert into {history._meta.db_table} "
        f"({names}, history_date, history_change_reason, history_type, history_user_id) "
        f"select {values}, clock_timestamp(), %(reason)s, '~', null "
        f"from genealogy_distributor d where d.id = any(%(ids)s)"
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
