from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern

from accounts.admin_base import BaseAdmin, BoundedAdmin
from commissions.admin.plan_editor import PlanEditor, desk_url
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
class PlanVersionAdmin(PlanEditor, BoundedAdmin):
    """A version is written as a draft, and activated by somebody else; from then on it stands."""

    form = PlanVersionForm
    list_display = ["plan", "number", "status", "effective_from", "created_by", "approved_by"]
    list_filter = ["status"]
    list_select_related = ["plan", "created_by", "approved_by"]
    search_fields = ["=plan__code", "=definition_hash"]
    actions = ["activate"]

    def get_urls(self) -> list[URLPattern]:
        return [*self.editor_urls(), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        if version is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(desk_url(version))

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
