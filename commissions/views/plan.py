"""The compensation plan as everybody who is paid by it may read it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from commissions.engine.prose import explain_plan
from commissions.services.plans import version_for
from commissions.standing import plan_of


@require_safe
def plan_page(request: HttpRequest) -> HttpResponse:
    """The version in force today; an empty page before the first one."""
    version = version_for(timezone.localdate())
    sections = explain_plan(plan_of(version)) if version else []
    return render(request, "commissions/plan.html", {"version": version, "sections": sections})
