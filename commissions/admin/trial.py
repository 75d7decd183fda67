"""Trials of plan versions: ordering one, watching it, reading what it found."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse

from accounts.admin_base import ReadOnlyAdmin
from accounts.csv_files import csv_response
from commissions.models import CommissionPeriod, PlanTrial, PlanVersion
from commissions.services import trials
from commissions.trial_report import HEADINGS, TrialReport

TEMPLATES = "admin/commissions/plantrial"
ADD = "commissions.add_plantrial"
FINAL = CommissionPeriod.objects.filter(status="finalized").order_by("-starts_on")


class TrialForm(forms.Form):
    """Which version on which final periods."""

    version = forms.ModelChoiceField(PlanVersion.objects.select_related("plan"), label="Plan")
    first = forms.ModelChoiceField(FINAL, label="From", empty_label=None)
    last = forms.ModelChoiceField(FINAL, label="To", empty_label=None)


@admin.register(PlanTrial)
class PlanTrialAdmin(ReadOnlyAdmin):
    list_display = [
        "version", "first_period", "last_period", "status", "started_by", "created_at",
        "finished_at",
    ]  # fmt: skip
    list_filter = ["status"]
    list_select_related = ["version__plan", "first_period", "last_period", "started_by"]
    search_fields = ["=version__plan__code"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(ADD))

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "commissions_plantrial"
        return [
            path("<int:trial_id>/report/", wrap(self.report_view), name=f"{name}_report"),
            path("<int:trial_id>/report.csv", wrap(self.file_view), name=f"{name}_file"),
            path("<int:trial_id>/cancel/", wrap(self.cancel_view), name=f"{name}_cancel"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Choose the version and the periods; the trial then runs in the background."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        newest = FINAL.first()
        start = {"version": request.GET.get("version"), "first": newest, "last": newest}
        form = TrialForm(request.POST or None, initial=start)
        if request.method == "POST" and form.is_valid():
            try:
                trial = trials.start_trial(**form.cleaned_data, actor=request.user)  # type: ignore[arg-type]
            except trials.TrialRefused as refused:
                form.add_error(None, str(refused))
            else:
                return redirect(report_url(trial))
        context = self.context(request, title="Try a plan on past periods", form=form)
        return render(request, f"{TEMPLATES}/new.html", context | {"has_periods": newest})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        trial = self.get_object(request, object_id)
        if trial is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(report_url(trial))

    def report_view(self, request: HttpRequest, trial_id: int) -> HttpResponse:
        """What the trial found, or how far it is."""
        trial = self.trial_or_404(request, trial_id)
        report = TrialReport(trial)
        context = self.context(request, title=str(trial), trial=trial, report=report)
        context["may_cancel"] = request.user.has_perm(ADD)
        context["currency"] = trial.first_period.currency
        part = bool(getattr(request, "htmx", False))
        return render(request, f"{TEMPLATES}/{'_report' if part else 'report'}.html", context)

    def file_view(self, request: HttpRequest, trial_id: int) -> HttpResponseBase:
        """Everybody for whom something differs, as CSV."""
        trial = self.trial_or_404(request, trial_id)
        rows = TrialReport(trial).every()
        return csv_response(f"plan-trial-{trial.pk}.csv", HEADINGS, rows)

    def cancel_view(self, request: HttpRequest, trial_id: int) -> HttpResponse:
        trial = self.trial_or_404(request, trial_id)
        if not request.user.has_perm(ADD):
            raise PermissionDenied
        if request.method == "POST":
            try:
                trials.cancel_trial(trial=trial, actor=request.user)  # type: ignore[arg-type]
            except trials.TrialRefused as refused:
                messages.error(request, str(refused))
            else:
                messages.success(request, f"{trial} is cancelled.")
        return redirect(report_url(trial))

    def trial_or_404(self, request: HttpRequest, trial_id: int) -> PlanTrial:
        if not self.has_view_permission(request):
            raise PermissionDenied
        related = ("version__plan", "first_period", "last_period", "started_by")
        return get_object_or_404(PlanTrial.objects.select_related(*related), pk=trial_id)

    def context(self, request: HttpRequest, **extra: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), **extra}


def report_url(trial: PlanTrial) -> str:
    return reverse("admin:commissions_plantrial_report", args=[trial.pk])
