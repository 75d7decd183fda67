"""Review of identity papers: the queue, oldest first, and one screen on which to decide."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_base import ReadOnlyAdmin
from accounts.audit import record
from accounts.templatetags.ui import ago, badge
from compliance import queries
from compliance.forms import RejectionForm
from compliance.models import KYCDocument
from compliance.services.kyc import ReviewRefused, reject_document, verify_document
from mlmcrm.transitions import TransitionRefused

REVIEW = "compliance.review_kycdocument"


def review_url(document: KYCDocument) -> str:
    return reverse("admin:compliance_kycdocument_review", args=[document.number])


class StatusFilter(admin.SimpleListFilter):
    """What waits is shown first; the rest is one choice away."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        decided = [choice for choice in KYCDocument.Status.choices if choice[0] != "pending"]
        return [*decided, ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        waiting, *others = super().choices(changelist)
        yield {**waiting, "display": "In review"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[KYCDocument]) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.filter(status=self.value() or KYCDocument.Status.PENDING)


class ResubmissionFilter(admin.SimpleListFilter):
    title = "kind of submission"
    parameter_name = "resubmitted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "First document"), ("yes", "Sent again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KYCDocument]) -> Any:
        if self.value() is None:
            return queryset
        return queryset.filter(resubmission_of__isnull=self.value() == "no")


@admin.register(KYCDocument)
class KYCDocumentAdmin(ReadOnlyAdmin):
    list_display = ("paper", "person", "document_type", "age", "state", "sent_again")
    list_filter = (StatusFilter, "document_type", ResubmissionFilter)
    list_select_related = ("user",)
    search_fields = ("number", "full_name", "user__email")
    search_help_text = "Number, name or e-mail address"
    ordering = ("submitted_at", "pk")
    list_display_links = None
    actions = None

    @admin.display(description="Document", ordering="pk")
    def paper(self, document: KYCDocument) -> SafeString:
        return format_html('<a href="{}">{}</a>', review_url(document), document.number)

    @admin.display(description="Person", ordering="full_name")
    def person(self, document: KYCDocument) -> SafeString:
        return format_html(
            '{} <span class="quiet small">{}</span>', document.full_name, document.user.email
        )

    @admin.display(description="Age", ordering="submitted_at")
    def age(self, document: KYCDocument) -> SafeString:
        return ago(document.submitted_at)

    @admin.display(description="Status", ordering="status")
    def state(self, document: KYCDocument) -> SafeString:
        facts = badge(document.status, label=document.get_status_display())
        return render_to_string("components/badge.html", facts)

    @admin.display(description="Sent again", boolean=True)
    def sent_again(self, document: KYCDocument) -> bool:
        return document.resubmission_of_id is not None

    def get_urls(self) -> list[URLPattern]:
        review = path(
            "<str:number>/review/",
            self.admin_site.admin_view(self.review_view),
            name="compliance_kycdocument_review",
        )
        return [review, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"title": "Identity review", **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        document = self.get_object(request, object_id)
        if document is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(review_url(document))

    def review_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """The picture beside what was declared, and the decision."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        document = get_object_or_404(
            KYCDocument.objects.select_related("user__profile", "reviewed_by", "resubmission_of"),
            number=number,
        )
        rejection = RejectionForm()
        if request.method == "GET":
            record(actor=request.user, action="kyc.viewed", target=document)  # type: ignore[arg-type]
        if request.method == "POST":
            rejection = RejectionForm(request.POST)
            if response := self._decide(request, document, rejection):
                return response
        context = {
            **self.admin_site.each_context(request),
            **self._page(request, document, rejection),
        }
        return TemplateResponse(request, "admin/compliance/review.html", context)

    def _decide(
        self, request: HttpRequest, document: KYCDocument, rejection: RejectionForm
    ) -> HttpResponse | None:
        """Carry out the decision and go on to the next paper; None when the form has errors."""
        if not request.user.has_perm(REVIEW):
            raise PermissionDenied
        is_verified = request.POST.get("decision") == "verify"
        if not is_verified and not rejection.is_valid():
            return None
        try:
            if is_verified:
                verify_document(document=document, actor=request.user)
            else:
                reject_document(document=document, actor=request.user, **rejection.cleaned_data)
        except (ReviewRefused, TransitionRefused) as refused:
            messages.error(request, str(refused))
            return redirect(review_url(document))
        verdict = "verified" if is_verified else "rejected"
        messages.success(request, f"{document} of {document.full_name} is {verdict}.")
        following = queries.next_waiting(request.user)
        if following is None:
            return redirect("admin:compliance_kycdocument_changelist")
        return redirect(review_url(following))

    def _page(
        self, request: HttpRequest, document: KYCDocument, rejection: RejectionForm
    ) -> dict[str, Any]:
        may_review = request.user.has_perm(REVIEW)
        is_own = document.user_id == request.user.pk
        return {
            "title": f"Review {document.number}",
            "opts": self.opts,
            "document": document,
            "images": document.images.order_by("-side"),
            "comparisons": queries.comparisons(document),
            "full_number": document.document_number if may_review else "",
            "same_paper": queries.same_paper(document),
            "same_person": queries.same_person(document),
            "earlier": queries.earlier_versions(document),
            "steps": queries.steps_of(document),
            "rejection": rejection,
            "is_own": is_own,
            "can_decide": may_review and not is_own and document.status == "pending",
            "confirm": request.GET.get("confirm", "") or ("reject" if rejection.errors else ""),
            "following": queries.next_waiting(request.user, after=document),
            "waiting": queries.queue_figures()["waiting"],
        }
