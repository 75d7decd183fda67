"""The figures of teams, measured from memberships, ledger, payouts and volume.

A period's commissions belong to the team in which the earner stood when the period ended, those of
a period under way to the team he is in now; a payout to the team he was in when it was paid.
Whoever changes one of these marks the team (`genealogy.services.teams.mark_stale`); `measure` works
through what is marked, `differences` says where a figure is not what it should be.
"""

from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from commissions.services.projections import Difference, current_period
from genealogy.models import Team
from genealogy.team_score import Score, TeamFacts, score_of

COLUMNS = (
    "members_count",
    "active_members",
    "new_members",
    "total_earnings",
    "commission_paid",
    "current_month_earnings",
    "score",
)
PART = 500


class Figures(NamedTuple):
    """What a team's row should hold, amounts in hundredths."""

    team_id: int
    number: str
    target: int
    stored: tuple[int, ...]
    members: int
    active: int
    new: int
    total: int
    paid: int
    current: int

    @property
    def score(self) -> Score:
        return score_of(TeamFacts(self.members, self.active, self.new, self.current, self.target))

    @property
    def true(self) -> tuple[int, ...]:
        figures = (self.members, self.active, self.new, self.total, self.paid, self.current)
        return (*figures, self.score.total)

    @property
    def is_target_achieved(self) -> bool:
        return 0 < self.target <= self.current


def measure() -> int:
    """Measure what is marked, part by part; returns how many teams. Safe at any time, and twice."""
    total = 0
    while measured := _measure_part():
        total += measured
    return total


@transaction.atomic
def _measure_part() -> int:
    """Those that nobody is about to change; the others are marked still and come next time."""
    stale = Team.objects.filter(stale_since__isnull=False).order_by("stale_since", "pk")
    held = stale.select_for_update(of=("self",), no_key=True, skip_locked=True)
    ids = list(held.values_list("pk", flat=True)[:PART])
    if ids:
        _store(figures_of(ids))
    return len(ids)


def differences() -> list[Difference]:
    """Each figure that differs from the facts, among the teams that are not marked."""
    unmarked = Team.objects.filter(stale_since=None).values_list("pk", flat=True)
    return [
        Difference(row.number, name, stored, true)
        for row in figures_of(list(unmarked))
        for name, stored, true in zip(COLUMNS, row.stored, row.true, strict=True)
        if stored != true
    ]


def figures_of(ids: list[int]) -> list[Figures]:
    """Stored and true figures of teams by one query, in the order of their numbers."""
    period = current_period()
    params: dict[str, Any] = {
        "ids": ids,
        "now": timezone.now(),
        "zone": settings.COMPANY_TIMEZONE,
        "current": period.pk if period else 0,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [Figures(*row[:3], tuple(row[3:10]), *row[10:]) for row in rows]  # type: ignore[call-arg]


_FIGURES = """
with spans as (
  select team_id, distributor_id, joined_at, coalesce(left_at, 'infinity') as left_at
  from genealogy_teammembership where team_id = any(%(ids)s)
), ends as (
  select id, starts_on::timestamp at time zone %(zone)s as began,
         least(%(now)s, (ends_on + 1)::timestamp at time zone %(zone)s) as ended
  from commissions_commissionperiod
), lines as (
  select l.distributor_id, r.period_id, sum(l.amount) as amount
  from commissions_ledgerentry l join commissions_commissionrun r on r.id = l.run_id
  where l.distributor_id in (select distributor_id from spans) group by 1, 2
), earned as (
  select s.team_id, sum(l.amount) as total,
         sum(l.amount) filter (where l.period_id = %(current)s) as current
  from lines l join ends e on e.id = l.period_id
  join spans s on s.distributor_id = l.distributor_id
    and s.joined_at <= e.ended and s.left_at > e.ended
  group by 1
), paid as (
  select s.team_id, sum(p.amount * 100) as amount from commissions_payout p
  join spans s on s.distributor_id = p.distributor_id
    and s.joined_at <= p.completed_at and s.left_at > p.completed_at
  where p.status = 'completed' group by 1
), people as (
  select s.team_id, count(*) as members,
         count(*) filter (where d.current_month_pv > 0) as active,
         count(*) filter (where s.joined_at >= e.began) as new
  from spans s join genealogy_distributor d on d.id = s.distributor_id
  left join ends e on e.id = %(current)s
  where s.left_at = 'infinity' group by 1
)
select t.id, t.number, t.monthly_target, t.members_count, t.active_members, t.new_members,
       t.total_earnings, t.commission_paid, t.current_month_earnings, t.score,
       coalesce(p.members, 0), coalesce(p.active, 0), coalesce(p.new, 0),
       coalesce(e.total, 0)::bigint, coalesce(a.amount, 0)::bigint, coalesce(e.current, 0)::bigint
from genealogy_team t
left join people p on p.team_id = t.id
left join earned e on e.team_id = t.id
left join paid a on a.team_id = t.id
where t.id = any(%(ids)s) order by t.number
"""


def _store(rows: list[Figures]) -> None:
    columns: list[Any] = [
        [row.team_id for row in rows],
        *([row.true[place] for row in rows] for place in range(len(COLUMNS))),
        [row.score.tier for row in rows],
        [row.is_target_achieved for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [timezone.now(), *columns])


_STORE = """
update genealogy_team t
set members_count = n.members, active_members = n.active, new_members = n.new,
    total_earnings = n.total, commission_paid = n.paid, current_month_earnings = n.current,
    score = n.score, tier = n.tier, target_achieved = n.achieved,
    measured_at = %s, stale_since = null
from unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::bigint[], %s::bigint[],
            %s::bigint[], %s::int[], %s::text[], %s::bool[])
  as n(id, members, active, new, total, paid, current, score, tier, achieved)
where t.id = n.id
"""
