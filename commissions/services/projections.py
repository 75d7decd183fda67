"""Figures kept on the distributor for lists and dashboards; never the truth, always recomputable.

`truth()` is the definition of each in one query. `refresh` brings the columns in line with it,
`differences` says where they are not; in between, claims move them by what they add.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from commissions.engine import Snapshot
from commissions.engine.trees import subtree_sums
from commissions.models import CommissionPeriod, CommissionRun
from commissions.services.arrays import Array, Lookup, read_columns
from commissions.services.ranks import LADDER, ranks_behind
from genealogy.services.teams import mark_stale

COLUMNS = (
    "personal_pv",
    "group_pv",
    "current_month_pv",
    "current_month_gv",
    "lifetime_pv",
    "total_commission_earned",
    "total_payout_requested",
    "direct_referral_count",
    "paid_as_rank_id",
    "highest_rank_id",
    "next_rank_target_id",
    "level",
)
CURRENT = "commissions.projected_period"


class Difference(NamedTuple):
    """A projection that is not what it should be; volumes and money in hundredths, ranks by id."""

    number: str
    column: str
    stored: int | None
    true: int | None


def current_period(today: date | None = None) -> CommissionPeriod | None:
    """The latest open period that has begun: "this month" on everybody's dashboard."""
    begun = CommissionPeriod.objects.filter(
        status=CommissionPeriod.Status.OPEN, starts_on__lte=today or timezone.localdate()
    )
    return begun.order_by("-starts_on").first()


def last_final_run() -> CommissionRun | None:
    runs = CommissionRun.objects.filter(
        kind=CommissionRun.Kind.CLOSE, period__status=CommissionPeriod.Status.FINALIZED
    )
    return runs.filter(status="done").order_by("-period__starts_on").first()


def refresh_with_the_month() -> None:
    """Start the month's volumes anew when another period has become the current one."""
    period = current_period()
    current = period.pk if period else 0
    if cache.get(CURRENT) != current:
        refresh_current_month()
        cache.set(CURRENT, current, None)


@transaction.atomic
def refresh_current_month() -> int:
    """Bring PV and GV of the current period in line; returns how many distributors changed."""
    people = read_columns(_PEOPLE, id="i8", sponsor="i8", pv="i8", gv="i8")
    order = np.argsort(people["id"], kind="stable")
    people = {name: column[order] for name, column in people.items()}
    lookup = Lookup(people["id"])
    sold = read_columns(_SOLD, current_days(), id="i8", pv="i8")
    pv = np.zeros(people["id"].size, np.int64)
    pv[lookup(sold["id"])] = sold["pv"]
    gv = subtree_sums(lookup(people["sponsor"]), pv, "group volume")
    changed = np.flatnonzero((pv != people["pv"]) | (gv != people["gv"]))
    if changed.size:
        columns = [column[changed].tolist() for column in (people["id"], pv, gv)]
        _lock(columns[0])
        with connection.cursor() as cursor:
            cursor.execute(
                """update genealogy_distributor d
                   set current_month_pv = t.pv, current_month_gv = t.gv
                   from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as t(id, pv, gv)
                   where d.id = t.id""",
                columns,
            )
    mark_stale()
    return int(changed.size)


_PEOPLE = """
select id, coalesce(sponsor_id, 0) as sponsor, current_month_pv as pv, current_month_gv as gv
from genealogy_distributor
"""
_SOLD = """
select distributor_id as id, sum(pv) as pv from commerce_volumeentry v
where counts_on between %(starts_on)s and %(ends_on)s
  and not exists (select 1 from commissions_volumequeue q where q.volume_entry_id = v.id)
group by distributor_id
"""


def current_days() -> dict[str, date]:
    """The days of the current period, days long past when there is none."""
    period, never = current_period(), date(1900, 1, 1)
    return {
        "starts_on": period.starts_on if period else never,
        "ends_on": period.ends_on if period else never,
    }


@transaction.atomic
def refresh() -> int:
    """Bring all projections in line with the facts; returns how many distributors changed."""
    fill_truth()
    changed = " or ".join(f"d.{name} is distinct from t.{name}" for name in COLUMNS)
    assignments = ", ".join(f"{name} = t.{name}" for name in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from (select 1 from genealogy_distributor d "
            f"join pg_temp.projection_truth t on t.id = d.id where {changed} "
            "order by d.id for no key update of d) locked"
        )
        cursor.execute(
            f"update genealogy_distributor d set {assignments} "
            f"from pg_temp.projection_truth t where t.id = d.id and ({changed})"
        )
        count: int = cursor.rowcount
    mark_stale()
    return count


@transaction.atomic
def differences() -> list[Difference]:
    """Each projection that differs from the facts, by distributor number."""
    fill_truth()
    return sorted(_differences())


def _differences() -> Iterator[Difference]:
    with connection.cursor() as cursor:
        for name in COLUMNS:
            cursor.execute(
                f"select d.number, d.{name}, t.{name} from genealogy_distributor d "
                "join pg_temp.projection_truth t on t.id = d.id "
                f"where d.{name} is distinct from t.{name}"
            )
            for number, stored, true in cursor.fetchall():
                yield Difference(number, name, stored, true)


def fill_truth() -> None:
    """Compute all projections into a temporary table of this transaction."""
    run = last_final_run()
    params = {"run": run.pk if run else None, **current_days(), **ranks_behind(run)}
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists pg_temp.projection_truth")
        cursor.execute(_TRUTH, params)
        group = group_volumes()
        cursor.execute(
            "update pg_temp.projection_truth t set current_month_gv = g.gv "
            "from unnest(%s::bigint[], %s::bigint[]) as g(id, gv) where g.id = t.id",
            [group["id"].tolist(), group["gv"].tolist()],
        )


def group_volumes() -> dict[str, Array]:
    """GV of this period for everybody who has any, by the tree as it is now."""
    people = read_columns(
        "select d.id, coalesce(d.sponsor_id, 0) as sponsor, t.current_month_pv as pv "
        "from genealogy_distributor d join pg_temp.projection_truth t on t.id = d.id",
        id="i8",
        sponsor="i8",
        pv="i8",
    )
    order = np.argsort(people["id"], kind="stable")
    ids = people["id"][order]
    sponsor = Lookup(ids)(people["sponsor"][order])
    gv = subtree_sums(sponsor, people["pv"][order], "group volume")
    return {"id": ids[gv != 0], "gv": gv[gv != 0]}


_TRUTH = f"""
create temporary table projection_truth on commit drop as
with ladder as ({LADDER}), standing as (
  select distributor_id, pv, gv, rank_level, highest_level
  from commissions_standing where run_id = %(run)s
), volume as (
  select distributor_id, sum(pv) as lifetime,
         sum(pv) filter (where counts_on between %(starts_on)s and %(ends_on)s) as current
  from commerce_volumeentry where id not in (select volume_entry_id from commissions_volumequeue)
  group by distributor_id
), earned as (
  select distributor_id, sum(amount) as amount from commissions_ledgerentry group by 1
), asked as (
  select distributor_id, (sum(amount) * 100)::bigint as amount from commissions_payout
  where status not in ('cancelled', 'failed', 'returned') group by 1
), brought as (
  select sponsor_id, count(*) as count from genealogy_distributor group by 1
)
select d.id,
       coalesce(s.pv, 0) as personal_pv,
       coalesce(s.gv, 0) as group_pv,
       coalesce(v.current, 0)::bigint as current_month_pv,
       0::bigint as current_month_gv,
       coalesce(v.lifetime, 0)::bigint as lifetime_pv,
       coalesce(e.amount, 0)::bigint as total_commission_earned,
       coalesce(a.amount, 0)::bigint as total_payout_requested,
       coalesce(b.count, 0)::int as direct_referral_count,
       case when s.distributor_id is null then d.paid_as_rank_id else paid.id
       end as paid_as_rank_id,
       case when coalesce(highest.level, 0) > coalesce(before.level, 0) then highest.id
            else d.highest_rank_id end as highest_rank_id,
       case when s.distributor_id is null then d.next_rank_target_id else next.id
       end as next_rank_target_id,
       least(coalesce(s.rank_level, had.level, 0), 4) as level
from genealogy_distributor d
left join standing s on s.distributor_id = d.id
left join volume v on v.distributor_id = d.id
left join earned e on e.distributor_id = d.id
left join asked a on a.distributor_id = d.id
left join brought b on b.sponsor_id = d.id
left join ladder paid on paid.place = s.rank_level
left join ladder highest on highest.place = s.highest_level
left join ladder next on next.place = s.rank_level + 1
left join genealogy_rank had on had.id = d.paid_as_rank_id
left join genealogy_rank before on before.id = d.highest_rank_id
"""
# Who has no figures in the newest final period keeps the ranks he came with, and everybody the
# highest of earlier ladders.


def add_claimed(period: CommissionPeriod, snapshot: Snapshot, lines: dict[str, Array]) -> None:
    """Move the projections by what a batch of claimed entries adds.

    The snapshot holds the batch's sales and refunds with the sellers and everybody above them.
    """
    ids = snapshot.members.id
    volume = np.zeros(ids.size, np.int64)
    for sold in (snapshot.lines, snapshot.refunds):
        np.add.at(volume, sold.seller, sold.volume("pv"))
    current = current_period()
    counts_now = current is not None and current.pk == period.pk
    now = volume if counts_now else np.zeros_like(volume)
    earned = np.zeros(ids.size, np.int64)
    np.add.at(earned, Lookup(ids)(lines["earner"]), lines["amount"])
    group = subtree_sums(snapshot.members.parent("sponsor"), now, "group volume")
    touched = np.flatnonzero((volume != 0) | (group != 0) | (earned != 0))
    if touched.size:
        columns = (ids, now, group, volume, earned)
        _add([column[touched].tolist() for column in columns])
        mark_stale(ids[(volume != 0) | (earned != 0)].tolist())


def _lock(ids: list[int]) -> None:
    """Hold these distributors' rows, in the order of locks (docs/architecture.md)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from (select 1 from genealogy_distributor where id = any(%s) "
            "order by id for no key update) locked",
            [ids],
        )


def _add(columns: list[list[int]]) -> None:
    _lock(columns[0])
    with connection.cursor() as cursor:
        cursor.execute(
            """update genealogy_distributor d
               set current_month_pv = d.current_month_pv + t.pv,
                   current_month_gv = d.current_month_gv + t.gv,
                   lifetime_pv = d.lifetime_pv + t.lifetime,
                   total_commission_earned = d.total_commission_earned + t.earned
               from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
                 as t(id, pv, gv, lifetime, earned)
               where d.id = t.id""",
            columns,
        )
