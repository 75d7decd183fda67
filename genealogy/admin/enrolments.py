"""Staff enrol people, ask distributors to sign in, and look after enrolments under way."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.admin_base import ReadOnlyAdmin, WatchedAdmin
from accounts.permissions import require
from genealogy.forms.reason import ReasonForm
from genealogy.forms.staff import SignInForm, StaffEnrolmentForm
from genealogy.models import Distributor, Enrolment
from genealogy.services.enrolment import EnrolmentRefused
from genealogy.services.enrolment_steps import is_open
from genealogy.services.enrolments import cancel_enrolment
from genealogy.services.staff_enrolment import ask_to_sign_in, enrol_by_staff

TEMPLATES = "admin/genealogy"
ADD, CHANGE = "genealogy.add_distributor", "genealogy.change_enrolment"


class EnrolmentDesk(admin.ModelAdmin):  # type: ignore[type-arg]
    """The page that enrols somebody in place of the form of a bare record, and the one that asks
    a distributor without an account to sign in."""

    def get_urls(self) -> list[URLPattern]:
        invite = path(
            "<str:number>/invite/",
            self.admin_site.admin_view(self.invite_view),
            name="genealogy_distributor_invite",
        )
        return [invite, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Say who it is, look at the names behind the numbers, then enrol."""
        require(request.user, ADD)
        form = StaffEnrolmentForm(request.POST if request.method == "POST" else None)
        is_right = request.method == "POST" and form.is_valid()
        if is_right and "confirmed" in request.POST:
            try:
                distributor = enrol_by_staff(application=form.application, actor=request.user)  # type: ignore[arg-type]
            except EnrolmentRefused as refused:
                form.add_error(getattr(refused, "field", None), str(refused))
            else:
                messages.success(request, f"{distributor} is enrolled.")
                return redirect("admin:genealogy_distributor_change", distributor.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Enrol a distributor",
            "form": form,
            "application": form.application if is_right and not form.errors else None,
            "is_open": is_open(),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(
            request, f"{TEMPLATES}/distributor/enrol.html", context, status=status
        )

    def invite_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """Ask a distributor, an imported one perhaps, to sign in for the first time."""
        require(request.user, ADD)
        person = get_object_or_404(Distributor.objects.select_related("user"), number=number)
        form = SignInForm(
            request.POST if request.method == "POST" else None,
            initial=SignInForm.known_about(person),
        )
        if request.method == "POST" and form.is_valid():
            try:
                ask_to_sign_in(
                    distributor=person,
                    person=form.person(person),
                    actor=request.user,  # type: ignore[arg-type]
                )
            except EnrolmentRefused as refused:
                form.add_error(getattr(refused, "field", None), str(refused))
            else:
                messages.success(request, f"A message asks {person} to sign in.")
                return redirect("admin:genealogy_distributor_change", person.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Invite {person.display_name} to sign in",
            "person": person,
            "form": form,
            "asked": person.enrolments.under_way().filter(is_sign_in=True).first(),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(
            request, f"{TEMPLATES}/distributor/invite.html", context, status=status
        )


@admin.register(Enrolment)
class EnrolmentAdmin(WatchedAdmin, ReadOnlyAdmin):
    """Enrolments under way and over: all to be read, those under way to be cancelled."""

    list_display = [
        "number", "status", "first_name", "last_name", "email", "sponsor_number", "started_by",
        "created_at", "link_sent_at", "expires_at", "distributor",
    ]  # fmt: skip
    list_filter = ["status", "is_sign_in", ("started_by", admin.EmptyFieldListFilter)]
    list_select_related = ["code__distributor", "distributor__sponsor", "started_by"]
    search_fields = ["=number", "=email", "=distributor__number", "=code__code"]
    exclude = ["link_digest", "click"]
    change_form_template = f"{TEMPLATES}/enrolment/change_form.html"

    @admin.display(description="sponsor")
    def sponsor_number(self, enrolment: Enrolment) -> str:
        return enrolment.sponsor.number if enrolment.sponsor else ""

    def get_urls(self) -> list[URLPattern]:
        cancel = path(
            "<str:number>/cancel/",
            self.admin_site.admin_view(self.cancel_view),
            name="genealogy_enrolment_cancel",
        )
        return [cancel, *super().get_urls()]

    def cancel_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """Ask why, then end it: the link works no more and what was typed is deleted."""
        require(request.user, CHANGE)
        enrolment = get_object_or_404(Enrolment.objects.with_people(), number=number)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                cancel_enrolment(
                    enrolment=enrolment,
                    actor=request.user,  # type: ignore[arg-type]
                    reason=form.cleaned_data["reason"],
                )
            except EnrolmentRefused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"{enrolment} is cancelled.")
                return redirect("admin:genealogy_enrolment_change", enrolment.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Cancel {enrolment}",
            "enrolment": enrolment,
            "form": form,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(
            request, f"{TEMPLATES}/enrolment/cancel.html", context, status=status
        )
