from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.admin_base import BaseAdmin, BoundedAdmin
from commissions.models import CompensationPlan, PlanVersion
from commissions.services import plans
from mlmcrm.transitions import TransitionRefused


@admin.register(CompensationPlan)
class CompensationPlanAdmin(BaseAdmin):
    list_display = ["name", "code"]
    search_fields = ["=code", "name"]


class PlanVersionForm(forms.ModelForm):
    class Meta:
        model = PlanVersion
        fields = ["plan", "effective_from", "definition"]

    def clean_definition(self) -> Any:
        definition = self.cleaned_data["definition"]
        try:
            plans.parse(definition)
        except plans.PlanRefused as refused:
            raise forms.ValidationError(refused.faults) from refused
        return definition


@admin.register(PlanVersion)
class PlanVersionAdmin(BoundedAdmin):
    """A version is added as a draft, and activated by somebody else; it is never edited."""

    form = PlanVersionForm
    list_display = ["plan", "number", "status", "effective_from", "created_by", "approved_by"]
    list_filter = ["status"]
    list_select_related = ["plan", "created_by", "approved_by"]
    search_fields = ["=plan__code", "=definition_hash"]
    actions = ["activate"]

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        stored = plans.create_version(
            plan=obj.plan,
            definition=form.cleaned_data["definition"],
            effective_from=obj.effective_from,
            actor=request.user,  # type: ignore[arg-type]
        )
        obj.__dict__.update(stored.__dict__)

    @admin.action(description="Activate the selected version", permissions=["activate"])
    def activate(
        self, request: HttpRequest, queryset: models.QuerySet[PlanVersion]
    ) -> HttpResponse | None:
        for version in queryset:
            try:
                plans.activate_version(version=version, actor=request.user)  # type: ignore[arg-type]
            except (plans.PlanRefused, TransitionRefused) as refused:
                self.message_user(request, f"{version}: {refused}", messages.ERROR)
            else:
                self.message_user(request, f"{version} is active.", messages.SUCCESS)
        return HttpResponseRedirect(request.get_full_path())

    def has_activate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("commissions.change_planversion")
