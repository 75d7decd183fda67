"""Invitations in the admin: all to be read; a referral can be cancelled, a former code closed."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.admin_base import BaseAdmin, ReadOnlyAdmin
from accounts.permissions import require
from genealogy.forms.reason import ReasonForm
from genealogy.models import Referral, ReferralClick, ReferralCode, ReferralProgram
from genealogy.services.referral_codes import close_code
from genealogy.services.referrals import cancel_referral
from mlmcrm.transitions import TransitionRefused


@admin.register(ReferralProgram)
class ReferralProgramAdmin(BaseAdmin):
    list_display = ["__str__", "is_open", "max_tier_level", "cookie_days"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # there is one


@admin.register(ReferralCode)
class ReferralCodeAdmin(ReadOnlyAdmin):
    list_display = ["code", "distributor", "is_current", "created_at", "closed_at"]
    list_filter = ["is_current", ("closed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["distributor"]
    search_fields = ["=code", "=distributor__number"]
    actions = ["close_chosen"]

    @admin.action(description="Close the chosen former codes")
    def close_chosen(self, request: HttpRequest, chosen: Any) -> None:
        require(request.user, "genealogy.cancel_referral")
        codes = list(chosen.select_related("distributor"))
        for code in codes:
            if code.is_current:
                messages.error(request, f"{code} is in use: renew it instead.")
            else:
                close_code(code=code, actor=request.user, reason="Closed by staff")  # type: ignore[arg-type]
                messages.success(request, f"{code} is closed.")


@admin.register(ReferralClick)
class ReferralClickAdmin(ReadOnlyAdmin):
    list_display = ["clicked_at", "code", "device"]
    list_filter = ["device"]
    list_select_related = ["code"]
    search_fields = ["=code__code", "=code__distributor__number"]
    exclude = ["token"]


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    list_display = [
        "referred",
        "referrer",
        "tier",
        "status",
        "channel",
        "code",
        "created_at",
        "first_order",
    ]
    list_filter = ["status", "tier", "channel"]
    list_select_related = ["referred", "referrer", "code"]
    search_fields = ["=referred__number", "=referrer__number", "=code__code"]
    change_form_template = "admin/genealogy/referral/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        cancel = path(
            "<int:pk>/cancel/",
            self.admin_site.admin_view(self.cancel_view),
            name="genealogy_referral_cancel",
        )
        return [cancel, *super().get_urls()]

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, then take the referral back at all its tiers."""
        require(request.user, "genealogy.cancel_referral")
        referrals = Referral.objects.select_related("referred", "code__distributor")
        referral = get_object_or_404(referrals, pk=pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                cancel_referral(
                    referral=referral,
                    actor=request.user,  # type: ignore[arg-type]
                    reason=form.cleaned_data["reason"],
                )
            except TransitionRefused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"The referral of {referral.referred} is cancelled.")
                return redirect("admin:genealogy_referral_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Cancel this referral",
            "opts": self.opts,
            "form": form,
            "referral": referral,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(
            request, "admin/genealogy/referral/cancel.html", context, status=status
        )
