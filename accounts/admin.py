"""People, and the records of what they did and were told."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin_base import BaseAdmin, ReadOnlyAdmin, WatchedAdmin
from accounts.admin_consents import ConsentAdmin, ConsentTextAdmin
from accounts.admin_imports import ImportJobAdmin
from accounts.forms import NewUserForm, ReasonForm, RoleForm
from accounts.models import (
    AuditEvent,
    Consent,
    ConsentText,
    Event,
    ImportJob,
    Notification,
    Profile,
    User,
)
from accounts.services.users import change_role, reactivate_user, suspend_user

CHANGE_USER = "accounts.change_user"
# What can be done to somebody's access: its name, the service, the form and the words.
ACCESS = {
    "suspend": (
        suspend_user,
        ReasonForm,
        "Suspend",
        "The person is signed out at once and cannot sign in again until reactivated.",
    ),
    "reactivate": (
        reactivate_user,
        ReasonForm,
        "Reactivate",
        "The person can sign in again.",
    ),
    "role": (
        change_role,
        RoleForm,
        "Change the role of",
        "The new role counts from the next click.",
    ),
}


class ProfileInline(admin.StackedInline):
    model = Profile
    can_delete = False
    extra = 0
    fields = ("first_name", "last_name", "date_of_birth", "timezone", "locale", "tax_id_last4")
    readonly_fields = ("tax_id_last4",)


@admin.register(User)
class UserAdmin(WatchedAdmin, BaseAdmin):
    list_display = ("email", "role", "status", "kyc_status", "email_verified", "last_login")
    list_filter = ("role", "status", "kyc_status")
    search_fields = ("email", "phone", "profile__first_name", "profile__last_name")
    search_help_text = "E-mail address, phone or name"
    ordering = ("email",)
    inlines = (ProfileInline,)
    actions = ("suspend_chosen", "reactivate_chosen")
    fieldsets = (
        (None, {"fields": ("email", "username", "phone", "change_reason")}),
        ("Access", {"fields": ("role", "status", "suspended_reason", "last_login")}),
        (
            "Verified",
            {
                "fields": (
                    "email_verified",
                    "phone_verified",
                    "two_factor_enabled",
                    "kyc_status",
                    "kyc_verified_at",
                    "kyc_verified_by",
                    "kyc_document_number",
                )
            },
        ),
        (
            "Subscription",
            {"fields": ("subscription_tier", "subscription_expires_on", "referral_code")},
        ),
        ("Record", {"fields": ("created_by", "created_at", "updated_at")}),
    )
    readonly_fields = (
        "email",
        "email_verified",
        "role",
        "status",
        "suspended_reason",
        "last_login",
        "two_factor_enabled",
        "kyc_status",
        "kyc_verified_at",
        "kyc_verified_by",
        "kyc_document_number",
        "referral_code",
        "created_by",
        "created_at",
        "updated_at",
    )

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewUserForm
        return super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("email", "phone", "role")}),)
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Somebody new gets no password from us: he chooses one by "forgotten password"."""
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        access = path(
            "<int:pk>/access/<slug:verb>/",
            self.admin_site.admin_view(self.access_view),
            name="accounts_user_access",
        )
        return [access, *super().get_urls()]

    def access_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Ask for the reason, then suspend, reactivate or change the role."""
        if not request.user.has_perm(CHANGE_USER):
            raise PermissionDenied
        user = get_object_or_404(User.objects.select_related("profile"), pk=pk)
        if verb not in ACCESS:
            return redirect("admin:accounts_user_change", pk)
        service, form_class, label, effect = ACCESS[verb]
        form = form_class(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                service(user=user, actor=request.user, **form.cleaned_data)
            except ValidationError as refused:
                form.add_error(None, refused)
            else:
                messages.success(request, f"{user.email}: done.")
                return redirect("admin:accounts_user_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{label} {user.get_full_name()}",
            "opts": self.opts,
            "form": form,
            "subject": user,
            "effect": effect,
            "verb": verb,
        }
        return TemplateResponse(request, "admin/accounts/user_access.html", context)

    @admin.action(description="Suspend the chosen users", permissions=["change"])
    def suspend_chosen(self, request: HttpRequest, chosen: QuerySet[User]) -> Any:
        return self._ask_about_all(request, chosen, "suspend")

    @admin.action(description="Reactivate the chosen users", permissions=["change"])
    def reactivate_chosen(self, request: HttpRequest, chosen: QuerySet[User]) -> Any:
        return self._ask_about_all(request, chosen, "reactivate")

    def _ask_about_all(self, request: HttpRequest, chosen: QuerySet[User], verb: str) -> Any:
        """A page that lists them and asks why; the answer goes through the service one by one."""
        service, form_class, label, effect = ACCESS[verb]
        users = list(chosen.select_related("profile").order_by("pk"))
        form = form_class(request.POST if "confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            for user in users:
                try:
                    service(user=user, actor=request.user, **form.cleaned_data)
                except ValidationError as refused:
                    messages.error(request, f"{user.email}: {refused.messages[0]}")
                else:
                    messages.success(request, f"{user.email}: done.")
            return redirect(reverse("admin:accounts_user_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{label} {len(users)} {'user' if len(users) == 1 else 'users'}",
            "opts": self.opts,
            "form": form,
            "chosen": users,
            "effect": effect,
            "verb": verb,
        }
        return TemplateResponse(request, "admin/accounts/user_access.html", context)


@admin.register(Profile)
class ProfileAdmin(WatchedAdmin, ReadOnlyAdmin):
    list_display = ("user", "first_name", "last_name", "locale", "timezone")
    search_fields = ("user__email", "first_name", "last_name")
    list_select_related = ("user",)
    exclude = ("tax_id_sealed",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "action", "entity_type", "entity_id", "reason")
    list_filter = ("entity_type",)
    search_fields = ("=entity_id", "^action", "actor__email")
    search_help_text = "Number of the record, action or e-mail address of the actor"
    list_select_related = ("actor",)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "name", "stream_id", "seq", "ref", "poked_at")
    search_fields = ("^name", "=ref", "=stream__key")
    ordering = ("-id",)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "event", "read_at")
    list_filter = (("read_at", admin.EmptyFieldListFilter),)
    search_fields = ("user__email", "=event__ref")
    list_select_related = ("user", "event")


admin.site.register(ImportJob, ImportJobAdmin)
admin.site.register(ConsentText, ConsentTextAdmin)
admin.site.register(Consent, ConsentAdmin)
