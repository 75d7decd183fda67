"""Ranks: what the next one still asks and who could close it, and how one came to the last."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from commissions import rank_history
from commissions.shortfalls import shortfalls
from commissions.standing import live_standing, period_under_way, plan_in_force, plan_of
from commissions.views.earnings import Reader
from genealogy.models import Distributor

VIEW_ALL = "genealogy.view_distributor"


@require_safe
def ranks(request: HttpRequest) -> HttpResponse:
    """Progress and history of one's own rank; for staff of whosever is asked for."""
    reader = Reader(request, VIEW_ALL)
    distributor = reader.distributor()
    if distributor is None:
        return render(request, "commissions/ranks_choose.html", {})
    facts = {
        "distributor": distributor,
        "is_own": not reader.sees_all,
        "asked": reader.asked,
        "suffix": reader.suffix,
        **_progress(request, distributor),
        **_history(request, distributor),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "commissions/_rank_progress.html", facts)
    return render(request, "commissions/ranks.html", facts)


@require_safe
def rank_steps(request: HttpRequest) -> HttpResponse:
    """The history alone, for the page of a person."""
    reader = Reader(request, VIEW_ALL)
    distributor = reader.distributor()
    if distributor is None:
        raise Http404
    facts = {
        "distributor": distributor,
        "suffix": reader.suffix,
        "steps": rank_history.steps_of(distributor),
    }
    return render(request, "commissions/_rank_steps.html", facts)


def _progress(request: HttpRequest, distributor: Distributor) -> dict[str, Any]:
    period = period_under_way()
    version = plan_in_force(period)
    if period is None or version is None:
        return {"period": period, "standing": None}
    plan = plan_of(version)
    standing = live_standing(distributor, period, plan)
    aim = request.GET.get("aim", "")
    goal = standing.goal(int(aim)) if aim.isdecimal() else standing.next_goal
    return {
        "period": period,
        "standing": standing,
        "goal": goal,
        "shortfalls": shortfalls(distributor, period, plan, goal) if goal else [],
        "days_left": max((period.ends_on - timezone.localdate()).days + 1, 0),
    }


def _history(request: HttpRequest, distributor: Distributor) -> dict[str, Any]:
    steps = rank_history.steps_of(distributor)
    code = request.GET.get("change", "")
    step = next((each for each in steps if each.change.period.code == code), None)
    if code and step is None:
        raise Http404
    return {"steps": steps, "decision": rank_history.decision_of(step) if step else None}
