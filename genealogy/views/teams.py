"""Teams in the portal: the own one, what its lead does in it, and what only staff do."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.permissions import require
from genealogy.forms.reason import ReasonForm
from genealogy.forms.teams import TeamEditForm, TeamForm, TeamMemberForm
from genealogy.models import Distributor, Team
from genealogy.permissions import Scope, TeamRights
from genealogy.queries import teams as team_queries
from genealogy.services import teams
from genealogy.services.teams import TeamRefused
from mlmcrm.transitions import TransitionRefused

CHANGE = "genealogy.change_team"


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _team(request: HttpRequest, number: str) -> tuple[Team, TeamRights]:
    """The team, if the reader may see it, and what he may do with it."""
    user = _user(request)
    rows = Team.objects.visible_to(user).select_related("lead", "verified_by", "created_by")
    team = get_object_or_404(rows, number=number)
    return team, TeamRights(user, team)


@require_safe
def own_team(request: HttpRequest) -> HttpResponse:
    """The way to one's own team; whoever has none reads how to get into one."""
    user = _user(request)
    if user.is_staff and user.has_perm("genealogy.view_team"):
        return redirect("admin:genealogy_team_changelist")
    distributor = get_object_or_404(Distributor, user=user)
    team = Team.objects.filter(
        memberships__distributor=distributor, memberships__left_at=None
    ).first()
    if team:
        return redirect("genealogy:team", number=team.number)
    return render(request, "genealogy/team_none.html")


@require_safe
def team_detail(request: HttpRequest, number: str) -> HttpResponse:
    """A team's figures, how its score comes about, its growth and its members."""
    team, rights = _team(request, number)
    after = request.GET.get("after", "")
    page = team_queries.members_page(team, after)
    ids = [row.distributor_id for row in page.members]
    facts = {
        "team": team,
        "rights": rights,
        "page": page,
        "in_line": rights.in_line(ids),
        "manageable": rights.manageable(ids),
        "first": request.path if after else "",
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "genealogy/_team_members.html", facts)
    facts |= {
        "score": team_queries.score(team),
        "growth": team_queries.growth(team),
        "own_number": rights.own_number,
        "former": team_queries.former_members(team) if rights.may_manage else [],
    }
    return render(request, "genealogy/team.html", facts)


@require_http_methods(["GET", "POST"])
def team_new(request: HttpRequest) -> HttpResponse:
    """A distributor without a team founds one; staff found one for a lead they name."""
    user = _user(request)
    own = Distributor.objects.filter(user=user).first()
    if own is None and not user.has_perm("genealogy.view_team"):
        raise Http404
    if own is None:
        require(user, CHANGE)
    form = TeamForm(request.POST or None, scope=Scope(user), asks_lead=own is None)
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        lead = fields.pop("lead", None) or own
        try:
            team = teams.create_team(lead=lead, actor=user, **fields)
        except TeamRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            messages.success(request, f"The team {team.name} is founded.")
            return redirect("genealogy:team", number=team.number)
    return _form(request, "genealogy/team_form.html", form, team=None)


@require_http_methods(["GET", "POST"])
def team_edit(request: HttpRequest, number: str) -> HttpResponse:
    """Name, description, monthly target and lead."""
    team, rights = _team(request, number)
    _refuse_unless(rights.may_manage)
    initial = {
        "name": team.name,
        "description": team.description,
        "monthly_target": team.monthly_target,
        "lead": team.lead.number,
    }
    form = TeamEditForm(request.POST or None, initial=initial, scope=Scope(_user(request)))
    return _done(
        request,
        form,
        team,
        "genealogy/team_form.html",
        lambda: teams.update_team(team=team, actor=_user(request), **form.cleaned_data),
        "The team is changed.",
    )


@require_http_methods(["GET", "POST"])
def team_member_add(request: HttpRequest, number: str) -> HttpResponse:
    """Take somebody of one's own downline into the team; staff take anybody."""
    team, rights = _team(request, number)
    _refuse_unless(rights.may_manage)
    form = TeamMemberForm(request.POST or None, scope=Scope(_user(request)))
    return _done(
        request,
        form,
        team,
        "genealogy/team_member_add.html",
        lambda: teams.add_member(
            team=team, distributor=form.cleaned_data["number"], actor=_user(request)
        ),
        "The team has a new member.",
    )


@require_http_methods(["GET", "POST"])
def team_member_remove(request: HttpRequest, number: str, member: str) -> HttpResponse:
    """End somebody's time in the team, or one's own, and say why."""
    team, rights = _team(request, number)
    people = Distributor.objects.filter(team_memberships__team=team)
    person = get_object_or_404(people.filter(team_memberships__left_at=None), number=member)
    is_own = person.user_id == _user(request).pk
    _refuse_unless(is_own or person.pk in rights.manageable([person.pk]))
    form = ReasonForm(request.POST or None)
    return _done(
        request,
        form,
        team,
        "genealogy/team_member_remove.html",
        lambda: teams.remove_member(
            team=team, distributor=person, actor=_user(request), **form.cleaned_data
        ),
        f"{person.display_name} has left the team.",
        person=person,
        is_own=is_own,
    )


# Staff: verb, then service, what it is called, and what it does.
Step = tuple[Callable[..., None], str, str]
STEPS: dict[str, Step] = {
    "verify": (teams.verify_team, "Verify", "Its page says that the company has checked it."),
    "suspend": (teams.suspend_team, "Suspend", "Nobody joins it. Its members read the reason."),
    "reinstate": (teams.reinstate_team, "Reinstate", "Members can join again."),
    "close": (teams.close_team, "Close", "Everybody's time in it ends, for good."),
}


@require_http_methods(["GET", "POST"])
def team_step(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Verify, suspend, reinstate or close, with the reason."""
    team, rights = _team(request, number)
    _refuse_unless(rights.is_staff)
    if verb not in STEPS:
        raise Http404
    service, label, effect = STEPS[verb]
    form = ReasonForm(request.POST or None)
    return _done(
        request,
        form,
        team,
        "genealogy/team_step.html",
        lambda: service(team=team, actor=_user(request), **form.cleaned_data),
        f"{team.name}: done.",
        label=label,
        effect=effect,
    )


# Shared by the forms


def _refuse_unless(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied


def _done(
    request: HttpRequest,
    form: Any,
    team: Team,
    template: str,
    step: Callable[[], Any],
    success: str,
    **facts: Any,
) -> HttpResponse:
    """Take the step of a valid form and go back to the team; else show the form with its errors."""
    if request.method == "POST" and form.is_valid():
        try:
            step()
        except (TeamRefused, TransitionRefused) as refusal:
            field = getattr(refusal, "field", None)
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, success)
            visible = Team.objects.visible_to(_user(request)).filter(pk=team.pk).exists()
            return (
                redirect("genealogy:team", team.number) if visible else redirect("genealogy:teams")
            )
    return _form(request, template, form, team=team, **facts)


def _form(request: HttpRequest, template: str, form: Any, **facts: Any) -> HttpResponse:
    return render(request, template, {"form": form, **facts}, status=422 if form.errors else 200)
