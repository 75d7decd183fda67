"""The front page: a distributor's figures, or what waits for a member of staff."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.events import words
from accounts.models import Notification
from accounts.privacy import asked_again
from commerce.models import Order
from commissions import overview, worklist
from commissions.estimate import estimate_close
from commissions.models import CommissionPeriod, PlanVersion
from commissions.standing import live_standing, period_under_way, plan_in_force, plan_of
from genealogy.models import Distributor

NEWEST = 6
UnderWay = tuple[CommissionPeriod | None, PlanVersion | None]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    if user.is_staff:
        return render(request, "commissions/dashboard_staff.html", {"work": worklist.of(user)})
    distributor = _own(request)
    if distributor is None:
        return render(request, "commissions/dashboard_stranger.html", {})
    under_way = _under_way()
    facts = {
        "distributor": distributor,
        "asked_again": asked_again(user),
        **_figures(distributor, under_way),
        **_rank(request, distributor, under_way),
        **_news(request, distributor),
    }
    return render(request, "commissions/dashboard.html", facts)


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """The money tiles and the chart, asked for again when something was earned or paid."""
    return _fragment(request, "_dashboard_figures.html", lambda own: _figures(own, _under_way()))


@require_safe
def rank_card(request: HttpRequest) -> HttpResponse:
    """Rank and volumes, asked for again when an order was paid."""
    return _fragment(request, "_dashboard_rank.html", lambda own: _rank(request, own, _under_way()))


@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """Newest orders and notices."""
    return _fragment(request, "_dashboard_news.html", lambda own: _news(request, own))


@require_safe
def work(request: HttpRequest) -> HttpResponse:
    """What waits for staff, asked for again when it changes."""
    user: Any = request.user
    if not user.is_staff:
        raise PermissionDenied
    return render(request, "commissions/_dashboard_work.html", {"work": worklist.of(user)})


def _own(request: HttpRequest) -> Distributor | None:
    user: Any = request.user
    return Distributor.objects.with_masters().filter(user=user.pk).first()


def _fragment(request: HttpRequest, template: str, facts: Any) -> HttpResponse:
    distributor = _own(request)
    if distributor is None:
        raise Http404
    return render(
        request, f"commissions/{template}", {"distributor": distributor, **facts(distributor)}
    )


def _under_way() -> UnderWay:
    """The period under way and its plan."""
    period = period_under_way()
    return period, plan_in_force(period)


def _figures(distributor: Distributor, under_way: UnderWay) -> dict[str, Any]:
    period, version = under_way
    facts: dict[str, Any] = {"money": overview.money_of(distributor, period), "period": period}
    if period and version:
        facts["estimate"] = estimate_close(distributor, period, plan_of(version))
    return facts


def _rank(request: HttpRequest, distributor: Distributor, under_way: UnderWay) -> dict[str, Any]:
    period, version = under_way
    if period is None or version is None:
        return {"period": period, "standing": None}
    standing = live_standing(distributor, period, plan_of(version))
    aim = request.GET.get("aim", "")
    goal = standing.goal(int(aim)) if aim.isdecimal() else standing.next_goal
    return {"period": period, "standing": standing, "goal": goal}


def _news(request: HttpRequest, distributor: Distributor) -> dict[str, Any]:
    user: Any = request.user
    orders = Order.objects.filter(distributor=distributor).select_related("customer")
    notices = Notification.objects.visible_to(user).select_related("event")[:NEWEST]
    return {
        "orders": orders[:NEWEST],
        "notices": [(notice, words(notice.event)) for notice in notices],
    }
