"""Territories in the admin: the map itself, who belongs where, and a filter on distributors."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import BaseAdmin, BoundedAdmin
from genealogy.models import Distributor, Territory, TerritoryAssignment
from genealogy.services.territories import assign_territory, assignment_obstacle


@admin.register(Territory)
class TerritoryAdmin(BaseAdmin):
    list_display = ["code", "name", "parent", "depth", "is_active"]
    list_filter = ["depth", "is_active"]
    list_select_related = ["parent"]
    search_fields = ["=code", "name"]
    autocomplete_fields = ["parent"]
    readonly_fields = ["depth"]


class AssignmentForm(forms.ModelForm):
    """Whom to assign, where, from which day and why; the service has the last word."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    class Meta:
        model = TerritoryAssignment
        fields = ("distributor", "territory", "valid_from", "reason")

    def _post_clean(self) -> None:
        """The assignment before is ended by the service, so it does not stand in the way here."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            asked = (cleaned["distributor"], cleaned["territory"], cleaned["valid_from"])
            if obstacle := assignment_obstacle(*asked):
                raise forms.ValidationError(obstacle)
        return cleaned


@admin.register(TerritoryAssignment)
class TerritoryAssignmentAdmin(BoundedAdmin):
    """Assignments are made, and ended by the next one; none is rewritten."""

    form = AssignmentForm
    list_display = ["distributor", "territory", "valid_from", "valid_to", "reason"]
    list_filter = [("valid_to", admin.EmptyFieldListFilter)]
    list_select_related = ["distributor", "territory"]
    search_fields = ["=distributor__number", "=territory__code"]
    autocomplete_fields = ["distributor", "territory"]

    def save_model(
        self, request: HttpRequest, obj: TerritoryAssignment, form: Any, change: bool
    ) -> None:
        made = assign_territory(actor=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        obj.pk = made.pk if made else None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TerritoryFilter(admin.SimpleListFilter):
    """Distributors of a territory with all that lies in it, as of today."""

    title = "territory"
    parameter_name = "territory"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Territory.objects.filter(is_active=True).order_by("depth", "name")
        return [(row.code, row.name) for row in rows[:100]]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Distributor]
    ) -> QuerySet[Distributor]:
        territory = Territory.objects.filter(code=self.value() or "").first()
        return queryset.in_territory(territory) if territory else queryset  # type: ignore[attr-defined]
