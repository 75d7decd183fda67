"""What a team's page shows."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from genealogy.models import Team, TeamMembership
from genealogy.team_score import Score, TeamFacts, score_of

PAGE = 50
MONTHS = 12
FORMER = 20


@dataclass(frozen=True)
class MembersPage:
    members: list[TeamMembership]
    next_url: str


def members_page(team: Team, after: str = "") -> MembersPage:
    """Those in the team now, longest first, fifty after the one with the number `after`."""
    rows = _members(team).filter(left_at=None).order_by("pk")
    if after:
        last = rows.filter(distributor__number=after).values_list("pk", flat=True).first()
        rows = rows.filter(pk__gt=last or 0)
    found = list(rows[: PAGE + 1])
    rest = f"?after={found[PAGE - 1].distributor.number}" if len(found) > PAGE else ""
    return MembersPage(found[:PAGE], rest)


def former_members(team: Team) -> list[TeamMembership]:
    """Who left, the last ones first, twenty of them."""
    return list(_members(team).exclude(left_at=None).order_by("-left_at", "-pk")[:FORMER])


def _members(team: Team) -> QuerySet[TeamMembership]:
    rows = TeamMembership.objects.filter(team=team)
    return rows.select_related("distributor__paid_as_rank")


def score(team: Team) -> Score:
    """The parts of the score, from the figures on the team's row by the published formula."""
    return score_of(
        TeamFacts(
            members=team.members_count,
            active=team.active_members,
            new=team.new_members,
            earned=int(team.current_month_earnings * 100),
            target=int(team.monthly_target * 100),
        )
    )


def growth(team: Team) -> list[tuple[str, int]]:
    """Members at the end of each of the last twelve months, and now for the present one."""
    with connection.cursor() as cursor:
        cursor.execute(
            _GROWTH,
            {
                "team": team.pk,
                "zone": settings.COMPANY_TIMEZONE,
                "now": timezone.now(),
                "months": MONTHS - 1,
            },
        )
        rows: list[tuple[datetime, int]] = cursor.fetchall()
    return [(f"{month:%b}", members) for month, members in rows]


_GROWTH = """
with months as (
  select month, least(%(now)s, (month + interval '1 month') at time zone %(zone)s) as ended
  from generate_series(
    date_trunc('month', %(now)s at time zone %(zone)s) - make_interval(months => %(months)s),
    date_trunc('month', %(now)s at time zone %(zone)s), interval '1 month') as month
)
select m.month, count(s.id) from months m
left join genealogy_teammembership s on s.team_id = %(team)s
  and s.joined_at < m.ended and (s.left_at is null or s.left_at >= m.ended)
group by m.month order by m.month
"""
