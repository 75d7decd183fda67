"""What every admin screen shares: bounded queries, a reason for each change, nothing deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db import models
from django.http import HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin

from accounts.admin_columns import Column, columns
from accounts.audit import record


class WatchedAdmin(admin.ModelAdmin):
    """Records of people: each look at one goes into the audit trail, before it is shown."""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        self._record_look(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        self._record_look(request, object_id)
        return super().history_view(request, object_id, extra_context)

    def _record_look(self, request: HttpRequest, object_id: str) -> None:
        person = self.get_object(request, unquote(object_id))
        if request.method == "GET" and person and self.has_view_permission(request, person):
            action = f"{self.opts.model_name}.viewed"
            record(actor=request.user, action=action, target=person)  # type: ignore[arg-type]


class ReasonForm(forms.ModelForm):
    """A model form that asks why, when something existing is changed."""

    change_reason = forms.CharField(
        label="Reason for the change",
        max_length=300,
        required=False,
        help_text="Kept in the history of this record.",
    )

    def clean_change_reason(self) -> str:
        reason = self.cleaned_data["change_reason"].strip()
        if self.instance.pk and set(self.changed_data) - {"change_reason"} and not reason:
            raise forms.ValidationError("Say why this is changed.")
        return str(reason)


class BoundedAdmin(admin.ModelAdmin):
    """Lists that stay quick on a million rows; nothing is ever deleted here."""

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0

    def get_list_display(self, request: HttpRequest) -> list[Column]:
        return columns(self.model, super().get_list_display(request))

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class BaseAdmin(BoundedAdmin, SimpleHistoryAdmin):
    """A mutable master record: history with actor and reason, and an audit event for each save."""

    form = ReasonForm

    def save_model(
        self, request: HttpRequest, obj: models.Model, form: forms.ModelForm, change: bool
    ) -> None:
        reason = form.cleaned_data.get("change_reason", "")
        obj._change_reason = reason or ("Changed" if change else "Added")  # type: ignore[attr-defined]
        obj._history_user = request.user  # type: ignore[attr-defined]
        obj.save(update_fields=written_fields(obj, form.changed_data) if change else None)
        record(
            actor=request.user,  # type: ignore[arg-type]
            action="admin.change" if change else "admin.add",
            target=obj,
            after={"fields": [name for name in form.changed_data if name != "change_reason"]},
            reason=reason,
        )


def written_fields(obj: models.Model, changed: list[str]) -> list[str]:
    """What a form changed, and the time of the change: a figure that was counted up while the form
    stood open is not set back."""
    return [
        field.name
        for field in obj._meta.concrete_fields
        if field.name in changed or getattr(field, "auto_now", False)
    ]


class ReadOnlyAdmin(BoundedAdmin):
    """Money and history: to be searched and read, never written."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):
    """Lines of a document, shown under it."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
