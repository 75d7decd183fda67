"""Teams: founded, led, joined and left; each step with who did it and why."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.events import publish
from accounts.history import explain_change
from accounts.models import User
from accounts.numbering import take_number
from genealogy.models import Distributor, Team, TeamMembership
from genealogy.models.team import TEAM_EDGES
from mlmcrm.transitions import TransitionRefused, sources

Status = Team.Status
OPEN = {Distributor.Status.ACTIVE, Distributor.Status.INACTIVE}


class TeamRefused(Exception):
    """The team cannot take this step; the message says why, `field` what it is about."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


# Founding and changing


@transaction.atomic
def create_team(
    *,
    name: str,
    lead: Distributor,
    actor: User | None,
    description: str = "",
    monthly_target: Decimal = Decimal(0),
    founded_at: datetime | None = None,
) -> Team:
    """Found a team with its lead as the first member. Publishes team.created.

    Raises TeamRefused when the name is taken or the lead is in a team already.
    """
    _hold(lead)
    _refuse_if_away(lead, "lead")
    _refuse_if_in_a_team(lead, "lead")
    team = Team(
        number=take_number("T"),
        name=name.strip(),
        description=description.strip(),
        lead=lead,
        created_by=actor,
        monthly_target=monthly_target,
        members_count=1,
        stale_since=timezone.now(),
    )
    _save(team, actor, "Founded")
    TeamMembership.objects.create(
        team=team, distributor=lead, joined_at=founded_at or timezone.now(), added_by=actor
    )
    publish("team.created", users=[lead.user_id], staff=True, ref=team.number, **_words(team))
    return team


@transaction.atomic
def update_team(
    *, team: Team, actor: User, reason: str, lead: Distributor | None = None, **fields: Any
) -> Team:
    """Change name, description or monthly target, or hand the team to another of its members.

    Publishes team.updated to the members. Raises TeamRefused.
    """
    team = _held(team)
    _refuse_if_closed(team)
    for name in fields.keys() & {"name", "description", "monthly_target"}:
        value = fields[name]
        setattr(team, name, value.strip() if isinstance(value, str) else value)
    if lead is not None and lead.pk != team.lead_id:
        if not _open_membership(team, lead):
            raise TeamRefused(f"{lead.number} is not in the team.", "lead")
        team.lead = lead
    team.target_achieved = 0 < team.monthly_target <= team.current_month_earnings
    team.stale_since = timezone.now()
    _save(team, actor, reason)
    _tell_members(team, "Its name, description, target or lead is another.", reason)
    return team


# Members


@transaction.atomic
def add_member(
    *,
    team: Team,
    distributor: Distributor,
    actor: User | None,
    joined_at: datetime | None = None,
) -> TeamMembership:
    """Take somebody into the team; who is in it already stays as he is.

    Publishes team.member_added to him and the lead. Raises TeamRefused.
    """
    _hold(distributor)
    team = _held(team)
    if known := _open_membership(team, distributor):
        return known
    if team.status != Status.ACTIVE:
        raise TeamRefused(f"The team is {team.get_status_display().lower()}; nobody joins it.")
    _refuse_if_away(distributor, "number")
    _refuse_if_in_a_team(distributor, "number")
    membership = TeamMembership(
        team=team,
        distributor=distributor,
        joined_at=joined_at or timezone.now(),
        added_by=actor,
    )
    _write(membership, "number")
    _count(team)
    _tell("team.member_added", team, distributor, actor)
    return membership


@transaction.atomic
def remove_member(*, team: Team, distributor: Distributor, actor: User | None, reason: str) -> None:
    """End somebody's time in the team; who is not in it is left alone.

    Publishes team.member_removed to him and the lead. Raises TeamRefused for the lead.
    """
    team = _held(team)
    membership = _open_membership(team, distributor)
    if membership is None:
        return
    if team.lead_id == distributor.pk:
        raise TeamRefused("The lead stays. Hand the team to another member first, or close it.")
    _end(membership, actor, reason)
    _count(team)
    _tell("team.member_removed", team, distributor, actor, reason)


def _end(membership: TeamMembership, actor: User | None, reason: str) -> None:
    membership.left_at, membership.removed_by = timezone.now(), actor
    membership.left_reason = reason
    membership.save(update_fields=["left_at", "removed_by", "left_reason"])


# Staff


@transaction.atomic
def verify_team(*, team: Team, actor: User, reason: str = "") -> None:
    """Say that the company has checked the team; a verified one stays as it is."""
    team = _held(team)
    _refuse_if_closed(team)
    if team.verified_at is None:
        team.verified_at, team.verified_by = timezone.now(), actor
        _save(team, actor, reason or "Verified")
        _tell_members(team, "The company has verified it.", reason)


def suspend_team(*, team: Team, actor: User, reason: str) -> None:
    """Nobody joins a suspended team; its members read why. Raises TransitionRefused."""
    _move(team, Status.SUSPENDED, actor, reason, "It is suspended.")


def reinstate_team(*, team: Team, actor: User, reason: str) -> None:
    """A suspended team is active again. Raises TransitionRefused."""
    _move(team, Status.ACTIVE, actor, reason, "It is active again.")


@transaction.atomic
def close_team(*, team: Team, actor: User, reason: str) -> None:
    """End the team and everybody's time in it, for good. Raises TransitionRefused."""
    _move(team, Status.CLOSED, actor, reason, "It is closed.")
    for membership in TeamMembership.objects.filter(team=team, left_at=None).order_by("pk"):
        _end(membership, actor, reason)
    _count(team)


@transaction.atomic
def _move(team: Team, to: str, actor: User, reason: str, what: str) -> None:
    team = _held(team)
    if team.status not in sources(TEAM_EDGES, to):
        raise TransitionRefused(team, team.status, to)
    team.status, team.status_reason = to, "" if to == Status.ACTIVE else reason
    _save(team, actor, reason)
    _tell_members(team, what, reason)


# Figures that wait to be measured


def mark_stale(distributor_ids: list[int] | None = None) -> None:
    """Have the teams these people are or were in, or all, measured again.

    Holds the teams until the transaction ends, so that none is measured halfway through it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK, {"all": distributor_ids is None, "people": distributor_ids or []})


_MARK = """
update genealogy_team set stale_since = coalesce(stale_since, now()) where id in (
  select t.id from genealogy_team t
  where %(all)s or exists (
    select 1 from genealogy_teammembership m
    where m.team_id = t.id and m.distributor_id = any(%(people)s))
  order by t.id for no key update of t)
"""


# Shared by the steps


def _hold(distributor: Distributor) -> None:
    Distributor.objects.select_for_update(of=("self",), no_key=True).get(pk=distributor.pk)


def _held(team: Team) -> Team:
    rows = Team.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("lead").get(pk=team.pk)


def _open_membership(team: Team, distributor: Distributor) -> TeamMembership | None:
    return TeamMembership.objects.filter(team=team, distributor=distributor, left_at=None).first()


def _refuse_if_away(distributor: Distributor, field: str) -> None:
    if distributor.status not in OPEN:
        state = distributor.get_status_display().lower()
        raise TeamRefused(f"{distributor.number} is {state} and joins no team.", field)


def _refuse_if_in_a_team(distributor: Distributor, field: str) -> None:
    current = TeamMembership.objects.filter(distributor=distributor, left_at=None)
    if membership := current.select_related("team").first():
        raise TeamRefused(f"{distributor.number} is in the team {membership.team.name}.", field)


def _refuse_if_closed(team: Team) -> None:
    if team.status == Status.CLOSED:
        raise TeamRefused("The team is closed.")


def _save(team: Team, actor: User | None, reason: str) -> None:
    explain_change(team, actor=actor, reason=reason)
    _write(team, "name")
    audit.record(
        actor=actor,
        action="team.changed",
        target=team,
        after={"name": team.name, "status": team.status, "lead": team.lead.number},
        reason=reason,
    )


def _write(row: Team | TeamMembership, field: str) -> None:
    """Save what the constraints allow; what they refuse is said in their words."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise TeamRefused(" ".join(error.messages), field) from error
    row.save()


def _count(team: Team) -> None:
    count = TeamMembership.objects.filter(team=team, left_at=None).count()
    Team.objects.filter(pk=team.pk).update(members_count=count, stale_since=timezone.now())


def _words(team: Team) -> dict[str, str]:
    return {"team": team.name}


def _tell_members(team: Team, what: str, reason: str) -> None:
    members = TeamMembership.objects.filter(team=team, left_at=None).order_by("pk")
    users = list(members.values_list("distributor__user_id", flat=True))
    what = f"{what} {reason}".strip()
    publish("team.updated", users=users, staff=True, ref=team.number, what=what, **_words(team))


def _tell(name: str, team: Team, person: Distributor, actor: User | None, reason: str = "") -> None:
    publish(
        name,
        users=[person.user_id, team.lead.user_id],
        staff=True,
        ref=team.number,
        person=person.display_name,
        **_words(team),
    )
    audit.record(
        actor=actor,
        action=name,
        target=team,
        after={"distributor": person.number},
        reason=reason,
    )
