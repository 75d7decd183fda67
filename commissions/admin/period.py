from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse

from accounts.admin_base import BoundedAdmin, ReadOnlyAdmin
from accounts.permissions import require
from commissions import queries
from commissions.models import CommissionPeriod, CommissionRun
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.opening import PeriodRefused, open_period
from commissions.services.periods import close_period
from commissions.services.runs import start_run

TEMPLATES = "admin/commissions/commissionperiod"
DEEDS: dict[str, tuple[Callable[..., Any], str]] = {
    "close": (close_period, "{period} is closed."),
    "calculate": (start_run, "{period} is being calculated."),
    "approve": (approve_period, "{period} is approved."),
    "finalize": (finalize_period, "{period} is final. The commissions are in the wallets."),
}


class PeriodForm(forms.ModelForm):
    class Meta:
        model = CommissionPeriod
        fields = ["code", "name", "frequency", "starts_on", "ends_on"]


@admin.register(CommissionPeriod)
class CommissionPeriodAdmin(BoundedAdmin):
    """Periods are opened here and moved on in their control room; no field is edited."""

    form = PeriodForm
    list_display = [
        "code",
        "name",
        "status",
        "starts_on",
        "ends_on",
        "total_pv",
        "total_commissions",
    ]
    list_filter = ["status", "frequency"]
    search_fields = ["^code", "name"]
    date_hierarchy = "starts_on"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("commissions.close_period")

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        opened = open_period(**form.cleaned_data, actor=request.user)  # type: ignore[arg-type]
        obj.__dict__.update(opened.__dict__)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except PeriodRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:commissions_commissionperiod_add")

    def get_urls(self) -> list[URLPattern]:
        room = "<int:period_id>/control-room/"
        wrap = self.admin_site.admin_view
        name = "commissions_commissionperiod"
        return [
            path(room, wrap(self.room_view), name=f"{name}_control_room"),
            path(f"{room}<slug:step>/", wrap(self.step_view), name=f"{name}_step"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        period = self.get_object(request, object_id)
        if period is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(room_url(period))

    def room_view(self, request: HttpRequest, period_id: int) -> HttpResponse:
        """The period as it stands; only its inner part when it refreshes itself."""
        period = self.period_or_404(request, period_id)
        room = queries.control_room(request.user, period)
        part = bool(getattr(request, "htmx", False))
        template = "_room.html" if part else "control_room.html"
        return render(request, f"{TEMPLATES}/{template}", self.context(request, period, room=room))

    def step_view(self, request: HttpRequest, period_id: int, step: str) -> HttpResponse:
        """GET asks, POST acts."""
        period = self.period_or_404(request, period_id)
        if step not in queries.STEPS:
            raise Http404
        require(request.user, queries.STEPS[step].permission)
        action = next(
            (a for a in queries.actions_for(request.user, period) if a.step.code == step), None
        )
        if request.method == "POST":
            return self.take_step(request, period, step)
        if action is None or not action.is_offered:
            messages.warning(request, action.refusal if action else "This step is not next.")
            return redirect(room_url(period))
        context = self.context(request, period, action=action)
        return render(request, f"{TEMPLATES}/confirm.html", context)

    def take_step(self, request: HttpRequest, period: CommissionPeriod, step: str) -> HttpResponse:
        deed, done = DEEDS[step]
        try:
            deed(period=period, actor=request.user)
        except PeriodRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done.format(period=period.name))
        return redirect(room_url(period))

    def period_or_404(self, request: HttpRequest, period_id: int) -> CommissionPeriod:
        if not self.has_view_permission(request):
            raise PermissionDenied
        people = ("closed_by", "approved_by", "finalized_by", "plan_version__plan")
        return get_object_or_404(CommissionPeriod.objects.select_related(*people), pk=period_id)

    def context(
        self, request: HttpRequest, period: CommissionPeriod, **extra: Any
    ) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": period.name,
            "period": period,
            "room_url": room_url(period),
            **extra,
        }


def room_url(period: CommissionPeriod) -> str:
    return reverse("admin:commissions_commissionperiod_control_room", args=[period.pk])


@admin.register(CommissionRun)
class CommissionRunAdmin(ReadOnlyAdmin):
    list_display = [
        "period",
        "number",
        "kind",
        "status",
        "line_count",
        "total_amount",
        "started_by",
        "started_at",
        "finished_at",
    ]
    list_filter = ["status", "kind"]
    list_select_related = ["period", "started_by"]
    search_fields = ["=period__code", "=result_hash"]
